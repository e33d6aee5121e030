#!/usr/bin/env python3
"""Programs of real libraries behave the same with --elide-new, and its counts are printed.

usage: real_test.py BURROW [--results FILE]
"""
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BURROW = None
RESULTS = {}


def run(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise AssertionError(f"{command}\n{done.stdout[-500:]}{done.stderr[-3000:]}")
    return done, after.ru_utime - before.ru_utime


class Real(unittest.TestCase):
    def check(self, name, *options):
        common = ["-std=c++20", "-O2", "-w", *options, HERE / "real" / name]
        with tempfile.TemporaryDirectory() as folder:
            plain, moved = pathlib.Path(folder) / "plain", pathlib.Path(folder) / "moved"
            _, plain_seconds = run("clang++-19", *common, "-o", plain)
            # System headers are the libraries looked at: all decisions are wanted.
            done, seconds = run(BURROW, "c++", "--elide-new", *common, "-o", moved,
                                "-fsave-optimization-record",
                                f"-foptimization-record-file={folder}/record",
                                "-foptimization-record-passes=burrow-escape")
            record = (pathlib.Path(folder) / "record").read_text()
            self.assertEqual(run(plain)[0].stdout, run(moved)[0].stdout)
        RESULTS[name] = {
            "sites": record.count("!Missed") + record.count("!Passed"),
            "moved": record.count("!Passed"), "plain_compile_cpu_s": round(plain_seconds, 2),
            "plugin_compile_cpu_s": round(seconds, 2)}
        self.assertGreater(RESULTS[name]["sites"], 0)

    def test_json(self):
        self.check("json.cc")

    def test_format(self):
        self.check("format.cc")

    def test_matrix(self):
        self.check("matrix.cc", "-I/usr/include/eigen3")


if __name__ == "__main__":
    to = None
    if "--results" in sys.argv:
        at = sys.argv.index("--results")
        to = pathlib.Path(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    BURROW = pathlib.Path(sys.argv.pop(1)).resolve()
    done = unittest.main(verbosity=2, exit=False)
    text = json.dumps(RESULTS, indent=1, sort_keys=True)
    print(text)
    if to:
        to.write_text(text + "\n")
    sys.exit(not done.result.wasSuccessful())
