#!/usr/bin/env python3
"""Objects moved to the stack cost what handwritten ones do, in instructions counted by callgrind.

usage: cost_test.py PLUGIN [--results FILE]
"""
import pathlib
import re
import sys
import tempfile
import unittest

import support
from support import run

HERE = pathlib.Path(__file__).resolve().parent
PLUGIN = None
RESULTS = {}
MOST = 1.05


class Cost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.moved = pathlib.Path(cls.folder.name) / "moved"
        cls.heap = pathlib.Path(cls.folder.name) / "heap"
        for program, more in ((cls.moved, []), (cls.heap, ["-mllvm", "-burrow-promote=0"])):
            run("clang++-19", "-std=c++20", "-O2", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}",
                f"-I{HERE / 'include'}", *more, HERE / "cost.cc", "-o", program)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def instructions(self, program, what, function):
        done = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                   f"--toggle-collect={function}", program, what)
        return int(re.search(r"Collected : (\d+)", done.stderr)[1])

    def check(self, what):
        self.assertEqual(run(self.moved, what).stdout, "1 0\n")
        same, allocations = run(self.heap, what).stdout.split()
        self.assertEqual(same, "1")
        self.assertGreater(int(allocations), 0)
        own = self.instructions(self.moved, what, f"own_{what}")
        moved = self.instructions(self.moved, what, f"made_{what}")
        heap = self.instructions(self.heap, what, f"made_{what}")
        RESULTS[what] = {"own": own, "moved": moved, "heap": heap,
                         "moved_to_own": round(moved / own, 3)}
        self.assertLessEqual(moved, own * MOST)
        self.assertLess(moved, heap)

    def test_structs(self):
        self.check("structs")

    def test_boxes(self):
        self.check("boxes")

    def test_padded(self):
        """A struct with padding, which nobody needs to zero."""
        self.check("padded")

    def test_closures(self):
        self.check("closures")

    def test_slices(self):
        self.check("slices")

    def test_results(self):
        self.check("results")

    def test_results_of_calls(self):
        """What a function that is not inlined returns a pointer to stays on the heap."""
        what = "results_of_calls"
        self.assertEqual(run(self.moved, what).stdout, "1 2000\n")
        RESULTS[what] = {"own": self.instructions(self.moved, what, f"own_{what}"),
                         "heap": self.instructions(self.moved, what, f"made_{what}")}


if __name__ == "__main__":
    results_file = support.take_results_file()
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    support.main(RESULTS, results_file)
