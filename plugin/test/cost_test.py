#!/usr/bin/env python3
"""Objects moved to the stack cost what handwritten ones do, in instructions counted by callgrind.

usage: cost_test.py PLUGIN [--results FILE]
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PLUGIN = None
RESULTS = {}
MOST = 1.05


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{command}\n{done.stderr[-3000:]}")
    return done


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

    def test_closures(self):
        self.check("closures")

    def test_slices(self):
        self.check("slices")


if __name__ == "__main__":
    to = None
    if "--results" in sys.argv:
        at = sys.argv.index("--results")
        to = pathlib.Path(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    done = unittest.main(verbosity=2, exit=False)
    text = json.dumps(RESULTS, indent=1, sort_keys=True)
    print(text)
    if to:
        to.write_text(text + "\n")
    sys.exit(not done.result.wasSuccessful())
