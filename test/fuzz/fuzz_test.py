#!/usr/bin/env python3
"""The fuzz target finds nothing in the heap, and finds each fault that is planted before it.

usage: fuzz_test.py HEAP_FUZZ
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

FUZZ = None
RUNS = 4000  # a number, not a time: the same inputs everywhere
# What BURROW_FUZZ_FAULT plants, and what the target then says.
FAULTS = {
    "realloc-copies-too-little": "contents",
    "overlap": "overlap",
    "calloc-not-zeroed": "zero",
    "misaligned": "alignment",
    "usable-too-small": "usable size",
    "lost-free": "figures",
    "double-free": "double free",
    "free-by-neighbour": "contents|figures|invalid free|overlap|double free",
}


class Fuzz(unittest.TestCase):
    def run_fuzz(self, **variables):
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(
                [FUZZ, f"-runs={RUNS}", "-seed=7", "-max_len=2000", "-len_control=0", "-rss_limit_mb=0",
                 "-timeout=120", f"-artifact_prefix={folder}/", folder],
                env=dict(os.environ, **variables), capture_output=True, text=True, timeout=280)

    def test_nothing_is_found(self):
        for debug in ("", "hardened=1"):
            with self.subTest(debug):
                done = self.run_fuzz(BURROW_DEBUG=debug)
                self.assertEqual(done.returncode, 0, done.stderr[-3000:])
                self.assertIn(f"Done {RUNS} runs", done.stderr)

    def test_planted_faults_are_found(self):
        for fault, said in FAULTS.items():
            with self.subTest(fault):
                done = self.run_fuzz(BURROW_FUZZ_FAULT=fault)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr, f"heap_fuzz: .*({said})|burrow: fatal: .*({said})")

    def test_an_unknown_fault_is_refused(self):
        self.assertNotEqual(self.run_fuzz(BURROW_FUZZ_FAULT="no-such-fault").returncode, 0)


if __name__ == "__main__":
    FUZZ = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
