#!/usr/bin/env python3
"""The plugin warns of pointers hidden in integers, on the lines of hidden.cc that say so.

usage: hidden_test.py PLUGIN
"""
import os
import pathlib
import re
import sys
import unittest

import support

SOURCE = pathlib.Path(__file__).resolve().parent / "hidden.cc"
PLUGIN = None


def expected(mark):
    found = {}
    for number, text in enumerate(SOURCE.read_text().splitlines(), 1):
        match = re.search(rf"// {mark}(?:: (.*))?$", text)
        if match:
            found[number] = match[1]
    return found


class Hidden(unittest.TestCase):
    def compiled(self, *options):
        return support.run("clang++-19", "-std=c++20", f"-fplugin={PLUGIN}",
                           f"-fpass-plugin={PLUGIN}", *options, "-c", SOURCE, "-o",
                           os.devnull).stderr

    def test_lines(self):
        for level in ("-O0", "-O2"):
            said = re.findall(r"warning: \S*hidden\.cc:(\d+):\d+: pointer made from an integer by "
                              r"(.*?): while", self.compiled(level, "-gline-tables-only"))
            self.assertEqual({int(line): how for line, how in said}, expected("hidden"), level)
            self.assertEqual(len(said), len(expected("hidden")), level)

    def test_functions_where_there_are_no_lines(self):
        said = re.findall(r"warning: in (\w+)\(", self.compiled("-O2"))
        self.assertEqual(said, ["next", "complement", "unboxed", "untagged", "compressed", "either"])

    def test_stores_are_noted(self):
        said = self.compiled("-O2", "-gline-tables-only", "-mllvm", "-burrow-m=1")
        lines = re.findall(r"hidden\.cc:(\d+):\d+: pointer stored as an integer", said)
        self.assertEqual([int(line) for line in lines], list(expected("stored")))

    def test_can_be_silenced(self):
        self.assertEqual(self.compiled("-O2", "-Wno-backend-plugin"), "")


if __name__ == "__main__":
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
