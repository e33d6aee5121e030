#!/usr/bin/env python3
"""A program with plain pointers runs on the real collected heap, with the plugin's pointer maps and
write barriers, while the collector does its worst.

usage: collect_test.py BURROW
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support

HERE = pathlib.Path(__file__).resolve().parent
STORAGE = HERE.parent.parent / "test/gc/storage.cc"
BURROW = None
WORST = ("gcstress=1,gcverify=1,clobberfree=1", "gcverify=1,clobberfree=1,nodirty=1", "")


class Collect(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.program = pathlib.Path(self.temporary.name) / "collect"

    def tearDown(self):
        self.temporary.cleanup()

    def build(self, *options):
        support.run(BURROW, "c++", "-std=c++20", *options, HERE / "collect.cc", "-o", self.program)

    def ran(self, debug, rounds=6):
        return subprocess.run([self.program, str(rounds)], capture_output=True, text=True,
                              timeout=200, env={**os.environ, "BURROW_DEBUG": debug})

    def results(self, *options):
        self.build(*options)
        found = []
        for debug in WORST:
            done = self.ran(debug)
            self.assertEqual(done.returncode, 0, f"{options} {debug}\n{done.stderr[-2000:]}")
            found.append([int(number) for number in done.stdout.split()])
        self.assertEqual(len({sum_ for sum_, _, _ in found}), 1, found)
        return found

    def test_storage_keeps_what_is_made_in_it(self):
        for options in (("-O1",), ("-O2", "--barriers")):
            support.run(BURROW, "c++", "-std=c++20", *options, STORAGE, "-o", self.program)
            done = subprocess.run([self.program], capture_output=True, text=True, timeout=200,
                                  env={**os.environ, "BURROW_DEBUG": "clobberfree=1"})
            self.assertEqual((done.returncode, done.stdout), (0, ""), options)

    def mixed(self, *compiler):
        """What the two link orders of a file of g++'s and one of the plugin's lose."""
        folder = pathlib.Path(self.temporary.name)
        source = HERE / "mixed.cc"
        support.run("g++-12", "-std=c++20", "-O2", f"-I{HERE.parent.parent}/include", "-c", source, "-o", folder / "other.o")
        support.run(*compiler, "-std=c++20", "-O2", "-DAPP", "-c", source, "-o", folder / "app.o")
        lost = []
        for names in (("app.o", "other.o"), ("other.o", "app.o")):
            support.run(BURROW, "c++", *(folder / name for name in names), "-o", self.program)
            lost.append(self.ran("clobberfree=1").stdout.split())
        return lost

    def test_files_of_other_compilers(self):
        self.assertEqual(self.mixed(BURROW, "c++"), [["0", "0", "0"]] * 2)

    def test_a_shared_type_info_would_be_noticed(self):
        plugin = pathlib.Path(BURROW).parent / "burrow-plugin-faults.so"
        lost = self.mixed("clang++-19", f"-fplugin={plugin}", f"-fpass-plugin={plugin}", "-D__BURROW_PLUGIN__",
                          f"-I{HERE.parent.parent}/include", "-mllvm", "-burrow-fault=one-type-info")
        self.assertGreater(max(int(number) for order in lost for number in order), 0, lost)

    def test_barriers_for_plain_pointers(self):
        sums = set()
        for level in ("-O0", "-O2"):
            for sum_, hidden, plain in self.results("--barriers", level):
                # Exact: the pointer was followed and the number beside it was not. A few words may
                # be left on the stack.
                self.assertEqual(plain, 100)
                self.assertLess(hidden, 20)
                sums.add(sum_)
        # Without maps of plain pointers all words are looked at.
        for sum_, hidden, plain in self.results("-O2"):
            self.assertEqual((hidden, plain), (100, 100))
            sums.add(sum_)
        self.assertEqual(len(sums), 1)


if __name__ == "__main__":
    BURROW = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
