#!/usr/bin/env python3
"""./dev demo in its short form: what it prints, and that it leaves nothing behind.

usage: demo_test.py BUILD_DIR
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

from support import BUILD, Case, clean_environment

DEMO = pathlib.Path(__file__).resolve().parents[2] / "tools/demo"
ROW = re.compile(r"^ *\S+ +\S+% +\S+% +\S+ +\S+%  (.+)$", re.MULTILINE)


class Demo(Case):
    def command(self, *options):
        return [sys.executable, "-B", DEMO, "--short", "--build", BUILD, *options]

    def environment(self):
        return clean_environment(TMPDIR=str(self.top))

    def test_short(self):
        done = subprocess.run(self.command(), capture_output=True, text=True, timeout=280,
                              env=self.environment())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        parts = done.stdout.split("\n=== ")[1:]
        self.assertEqual([part.split()[0] for part in parts], ["python3", "clang++-19"])
        for part in parts:
            self.assertRegex(part, r"served http://127\.0\.0\.1:\d+/debug/pprof/heap, fetched (once|\d+ times)")
            self.assertIn("Type: alloc_space", part)
            self.assertIn("Type: inuse_space", part)
            self.assertGreater(len(ROW.findall(part)), 10)
            for name in ("glibc", "burrow"):
                time, cpu, peak = re.search(rf"^  {name} +(\S+) s +(\S+) s +(\S+) MiB$", part, re.M).groups()
                self.assertGreater(float(time), 0)
                self.assertGreater(float(cpu), 0)
                self.assertGreater(float(peak), 1)
        functions = {row.split("  ")[0] for row in ROW.findall(parts[0])}
        self.assertIn("PyObject_Malloc", functions)
        self.assertRegex(parts[0], r"PyObject_Malloc +/\S+/obmalloc\.c:\d+")
        self.assertRegex(parts[1], r"  (llvm|clang)::\w+")
        self.assertIn("http://localhost:6060/debug/pprof/", done.stdout)
        self.assertEqual(os.listdir(self.top), [])

    def test_interrupted(self):
        process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, text=True,
                                   env=self.environment(), start_new_session=True)
        for line in process.stdout:
            if line.startswith("==="):
                break
        process.send_signal(signal.SIGTERM)
        process.stdout.read()  # to the end, which comes when nobody holds it any more
        process.stdout.close()
        self.assertEqual(process.wait(60), 143)
        self.assertEqual(os.listdir(self.top), [])

    def test_without_a_build(self):
        done = subprocess.run([sys.executable, "-B", DEMO, "--build", self.top], capture_output=True,
                              text=True, timeout=60, env=self.environment())
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("./dev build", done.stderr)


if __name__ == "__main__":
    unittest.main()
