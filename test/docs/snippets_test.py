#!/usr/bin/env python3
"""Compiles every C++ snippet of the guides: those with a main as they are, others as function bodies.

usage: snippets_test.py ROOT COMPILER
"""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(sys.argv[1])
COMPILER = sys.argv[2]
GUIDES = ("docs/goroutines.md",)
HEADERS = """#include <burrow/chan.h>
#include <burrow/go.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>
"""


def snippets(path):
    """(line, code) of each block that says it is C++."""
    text = path.read_text()
    for match in re.finditer(r"^```cpp\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text[:match.start()].count("\n") + 2, match[1]


class Snippets(unittest.TestCase):
    def test_all_compile(self):
        for guide in GUIDES:
            found = list(snippets(ROOT / guide))
            self.assertTrue(found, guide)
            for line, code in found:
                source = code if "int main(" in code else HEADERS + "void f() {\n" + code + "}\n"
                with self.subTest(f"{guide}:{line}"):
                    done = subprocess.run(
                        [COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra",
                         "-I", str(ROOT / "include"), "-x", "c++", "-"],
                        input=source, capture_output=True, text=True, timeout=120, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    del sys.argv[1:]
    unittest.main()
