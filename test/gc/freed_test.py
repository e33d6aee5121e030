#!/usr/bin/env python3
"""Who frees what `make` made is told so. Usage: freed_test.py PROGRAM"""
import os
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)
WAYS = ("delete", "unique_ptr", "free", "free inside", "free large", "realloc")


class Freed(unittest.TestCase):
    def test_nobody_but_the_collector_frees(self):
        for way in WAYS:
            for debug in ("", "hardened=1"):
                with self.subTest(way, debug=debug):
                    env = dict(os.environ, BURROW_DEBUG=debug)
                    done = subprocess.run([PROGRAM, way], capture_output=True, text=True, timeout=60, env=env,
                                          check=False)
                    self.assertEqual(done.stdout, "")
                    first = done.stderr.splitlines()[0]
                    self.assertIn("burrow::make made, which the collector frees: leave this call out", first)
                    self.assertLess(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
