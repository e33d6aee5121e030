#!/usr/bin/env python3
"""`burrow run --http` with `burrow top` and `burrow fetch` on what it serves.

usage: live_test.py BUILD_DIR
"""
import re
import subprocess
import unittest

from support import BURROW, PYTHON, Case, burrow, clean_environment

PROGRAM = "x = [str(i) * 100 for i in range(20000)]; print('ready', flush=True); input()"


class Live(Case):
    def serve(self, address):
        child = subprocess.Popen([BURROW, "run", "--http", address, "--", PYTHON, "-c", PROGRAM],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.PIPE, cwd=self.top,
                                 env=clean_environment(PYTHONMALLOC="malloc"))

        def end():
            child.communicate("\n", timeout=60)
            self.assertEqual(child.returncode, 0)
        self.addCleanup(end)
        self.assertEqual(child.stdout.readline(), "ready\n")
        return re.fullmatch(r"burrow: serving (\S+)\n", child.stderr.readline())[1]

    def expect_profiles(self, base):
        """`base` with nothing behind it, or with a path."""
        table = burrow("top", base).stdout
        self.assertIn("Type: inuse_space\n", table)
        self.assertRegex(table, r"PyObject_Malloc|PyUnicode_New|\[python3\.11\]")
        allocs = self.top / "allocs.pb.gz"
        burrow("fetch", base + "allocs", "-o", allocs)
        self.assertIn("Type: alloc_space\n", burrow("top", allocs).stdout)
        burrow("fetch", base + "heap?seconds=1", "-o", allocs)
        self.assertIn("Duration: 1", burrow("top", allocs).stdout)
        self.one_line(burrow("fetch", base + "heap?seconds=x", "-o", allocs, code=1), "400")
        self.one_line(burrow("top", base + "nothing", code=1), "404", "Unknown profile")
        self.one_line(burrow("top", base + "heap?debug=1", code=1), "without debug")

    def test_over_tcp(self):
        url = self.serve("localhost:0")
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+/debug/pprof/$")
        self.expect_profiles(url)
        host = url.removeprefix("http://").partition("/")[0]
        self.assertIn("--by", burrow("top", "--help").stdout)
        self.assertIn("Type: alloc_space", burrow("top", "--by", "alloc_space", "-n", "10", host).stdout)

    def test_over_a_unix_socket(self):
        address = self.serve("unix:profiles.sock")
        self.assertEqual(address, f"unix:{self.top}/profiles.sock")
        self.expect_profiles(address + ":/debug/pprof/")


if __name__ == "__main__":
    unittest.main()
