#!/usr/bin/env python3
"""Loops keep the objects that they go through, however the compiler computes their addresses.

usage: bases_test.py PLUGIN_WITH_FAULTS LIBRARY

Each program runs with clobberfree=1 and prints the same sums with collections as without.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import random_loops
import support

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
PLUGIN, LIBRARY = None, None
SEEDS = range(1, 9)
LEVELS = ("-O1", "-O2", "-O3", "-Os")
LTO = ("-flto", "-flto=thin")
# How many uses the functions of bases.cc have; the others have none.
EXPECTED = {"indexed": 1, "two_exits": 2, "for_ever": 1, "nested": 1, "between": 1}


def plugin(fault):
    return ["-D__BURROW_PLUGIN__", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}",
            "-mllvm", f"-burrow-fault={fault}"]


def wrong(source, *options, fault="none"):
    """The lines of the second pass that are not those of the first."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out"
        support.run("clang++-19", "-std=c++20", "-w", f"-I{INCLUDE}", *plugin(fault), *options, source,
                    LIBRARY, "-fuse-ld=lld-19", "-ldeflate", "-lhttp_parser", "-pthread", "-o", out)
        done = subprocess.run([out], capture_output=True, text=True, timeout=100,
                              env={**os.environ, "BURROW_DEBUG": "clobberfree=1"})
        _, without, with_ = re.split(r"^pass\n", done.stdout + "\n", flags=re.M)
        if done.returncode != 0:
            return [f"ended with {done.returncode}: {done.stderr[-500:]}"]
        return [line for line, right in zip(with_.split("\n"), without.split("\n")) if line != right]


def random_wrong(seed, *options, fault="none"):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "loops.cc"
        source.write_text(random_loops.program(seed))
        return wrong(source, *options, fault=fault)


class Bases(unittest.TestCase):
    # What a plain clang makes wrong at each level, beside what it might.
    SHAPES = ("forward", "backward", "walk", "number")

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.source = pathlib.Path(self.temporary.name) / "fixed.cc"
        self.source.write_text(random_loops.fixed(*self.SHAPES))

    def tearDown(self):
        self.temporary.cleanup()

    def check(self, *options):
        self.assertEqual(wrong(self.source, *options), [], options)
        self.assertNotEqual(wrong(self.source, *options, fault="no-bases"), [], options)

    def test_levels(self):
        for level in LEVELS:
            self.check(level)

    def uses_at_link_time(self, lto, fault):
        """How many pieces of assembly the linker's code has."""
        out = pathlib.Path(self.temporary.name) / "out"
        common = ("clang++-19", "-std=c++20", "-w", "-O2", lto)
        support.run(*common, f"-I{INCLUDE}", *plugin(fault), "-c", self.source, "-o", f"{out}.o")
        support.run(*common, f"{out}.o", LIBRARY, "-fuse-ld=lld-19", "-ldeflate", "-lhttp_parser",
                    "-pthread", "-Wl,--lto-emit-asm", "-o", out)
        return sum(text.read_text().count("#APP") for text in out.parent.glob("out*.s"))

    def test_link_time(self):
        for lto in LTO:
            self.assertGreater(self.uses_at_link_time(lto, "none"), 0)
            self.assertEqual(self.uses_at_link_time(lto, "no-bases"), 0)
            with_plugin = ("-O2", lto, f"-Wl,--load-pass-plugin={PLUGIN}")
            for options in (("-O2", lto), with_plugin):
                self.assertEqual(wrong(self.source, *options), [], options)

    def test_faults(self):
        for fault, name in (("no-bases-loop", "backward"), ("no-bases-behind", "number")):
            lines = wrong(self.source, "-O2", fault=fault)
            self.assertTrue(any(line.startswith(name) for line in lines), f"{fault}: {lines}")

    def test_random_programs(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = {seed: pool.submit(random_wrong, seed, LEVELS[seed % len(LEVELS)])
                    for seed in SEEDS}
            for seed, job in jobs.items():
                self.assertEqual(job.result(), [], f"seed {seed}")

    def test_random_programs_find_the_fault(self):
        self.assertTrue(any(random_wrong(seed, LEVELS[seed % len(LEVELS)], fault="no-bases")
                            for seed in SEEDS))

    def test_uses_stand_behind_loops(self):
        """In IR: none at -O0 and in the midst of a loop, one behind it."""
        source = HERE / "bases.cc"
        for level, expected in (("-O0", {}), ("-O2", EXPECTED)):
            text = support.run("clang++-19", "-std=c++20", *plugin("none"), level, "-S", "-emit-llvm",
                               source, "-o", "-").stdout
            found = {}
            for name, body in re.findall(r"^define [^@]*@(\w+)\(.*?\{\n(.*?)^\}", text, re.M | re.S):
                if count := body.count('asm sideeffect "", "r"'):
                    found[name] = count
            self.assertEqual(found, expected, level)


if __name__ == "__main__":
    PLUGIN, LIBRARY = (pathlib.Path(sys.argv.pop(1)).resolve() for _ in range(2))
    unittest.main(verbosity=2)
