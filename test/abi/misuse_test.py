#!/usr/bin/env python3
"""Every misuse of the heap ends with one clear line and SIGABRT, in each kind of program.

usage: misuse_test.py BUILD_DIR
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

BUILD = None
POINTER = r"0x[0-9a-f]+"
NOT_OURS = rf"{POINTER} \(not an address of Burrow's heap\)"
SMALL = rf"{POINTER} \(block {POINTER}\+\d+, span {POINTER} of \d+ pages, class \d+ \(\d+ bytes\)\)"
LARGE = rf"{POINTER} \(block {POINTER}\+\d+, span {POINTER} of \d+ pages, class large \(\d+ bytes\)\)"
NO_SPAN = rf"{POINTER} \(heap address, page \d+, in no live span: freed before, or never allocated\)"
INVALID = "invalid free, not the start of a live block: "
WRITTEN = "write after free, the first word of a free block was overwritten: "

# What standard error holds, and nothing else.
CASES = {
    "stack": INVALID + NOT_OURS,
    "global": INVALID + NOT_OURS,
    "mapped": INVALID + NOT_OURS,
    "wild": INVALID + NOT_OURS,
    "low": INVALID + NOT_OURS,
    "interior": INVALID + SMALL,
    "unaligned": INVALID + SMALL,
    "large-interior": INVALID + LARGE,
    "large-unaligned": INVALID + LARGE,
    "never-allocated": INVALID + NO_SPAN,
    # Freed they would get a second owner later.
    "never-handed-out": f"(?:{INVALID}|double free: ){SMALL}",
    "never-handed-out-far": INVALID + SMALL,
    "never-handed-out-page": INVALID + SMALL,
    "never-handed-out-delete": f"(?:{INVALID}|double free: ){SMALL}",
    "never-handed-out-realloc": INVALID + SMALL,
    "usable-size-interior": "malloc_usable_size of what is not the start of a live block: " + SMALL,
    "usable-size-free": "malloc_usable_size of a free block: " + SMALL,
    "realloc-interior": INVALID + SMALL,
    "double": "double free: " + SMALL,
    "double-later": "double free: " + SMALL,
    "double-thread": "double free: " + SMALL,
    "double-by-threads": "double free: " + SMALL,
    "double-large": "double free: " + LARGE,
    "double-realloc": "double free: " + SMALL,
    # Without its mark it looks live; what tells is its span, which may be gone as well.
    "double-written": f"({WRITTEN}|double free: |{INVALID})({SMALL}|{NO_SPAN})",
    "delete-size": "sized delete with the wrong size 200: " + SMALL,
    "delete-array-size": "sized delete with the wrong size 20: " + SMALL,
    "delete-large-size": "sized delete with the wrong size 100000: " + LARGE,
    "delete-aligned-size": "sized delete with the wrong size 30: " + SMALL,
    "write-after-free": WRITTEN + SMALL,
    "write-after-free-thread": WRITTEN + SMALL,
}

STACKS = r"(  (allocated|freed) at:\n(    .*\n)+)"
# The same under hardened=1, with the stacks where Burrow knows them.
HARDENED = {
    "interior": rf"{INVALID}{SMALL}\n",
    "double": rf"double free: {SMALL}, size 48\n  allocated at:\n(    .*\n)+  freed at:\n(    .*\n)+",
    "double-large": rf"double free: {LARGE}, size 100000\n{STACKS}{{2}}",
    "double-thread": rf"double free: {SMALL}, size 48\n{STACKS}{{2}}",
    "delete-size": rf"sized delete with the wrong size 200: {SMALL}\n",
    "overflow-1": rf"overflow, bytes behind the block were overwritten: {SMALL}, size 100\n{STACKS}",
    "overflow-far": rf"overflow, the end of the block is destroyed: {SMALL}, size 0\n",
    "overflow-next": rf"overflow, the next block was overwritten: {SMALL}, size 8\n{STACKS}",
    "never-handed-out-page": rf"{INVALID}({SMALL}|{NO_SPAN})\n",
    "usable-size-free": rf"use after free: {SMALL}, size 48\n{STACKS}{{2}}",
    "overflow-realloc": rf"overflow, bytes behind the block were overwritten: {SMALL}, size 100\n{STACKS}",
    "use-after-free-any": rf"write after free: {SMALL}, size 100\n{STACKS}{{2}}",
    "guard-overflow": rf"overflow: touch of {POINTER}, guarded block {POINTER} of 4096 bytes\n{STACKS}",
    "guard-use-after-free":
        rf"use after free: touch of {POINTER}, guarded block {POINTER} of 100 bytes\n{STACKS}{{2}}",
}


class Misuse(unittest.TestCase):
    def run_case(self, kind, name, **variables):
        env = {key: value for key, value in os.environ.items() if not key.startswith("BURROW_")}
        env.update(variables)
        if kind == "preload":
            env["LD_PRELOAD"] = str(BUILD / "libburrow_malloc.so")
        return subprocess.run([BUILD / "tests/abi" / f"misuse_{kind}", name], env=env, text=True,
                              capture_output=True, timeout=60)

    def ends(self, done, pattern):
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, re.compile(rf"\Aburrow: fatal: {pattern}\Z"))
        self.assertEqual(done.returncode, -signal.SIGABRT)

    def test_each_misuse_is_named(self):
        for kind in ("preload", "static", "shared"):
            for name, pattern in CASES.items():
                with self.subTest(kind=kind, name=name):
                    self.ends(self.run_case(kind, name), pattern + "\n")

    def test_hardened_mode_tells_where(self):
        for name, pattern in HARDENED.items():
            # Few guard pages where the canary is to catch it, many where they are.
            rate = "1" if name.startswith("guard") else "0"
            with self.subTest(name=name):
                self.ends(self.run_case("preload", name, BURROW_DEBUG=f"hardened=1,guard={rate}"),
                          pattern)

    def test_stacks_name_functions(self):
        done = self.run_case("preload", "double", BURROW_DEBUG="hardened=1,guard=0")
        self.assertIn("misuse_preload+0x", done.stderr)

    def test_who_misuses_nothing_goes_on(self):
        for debug in ("", "hardened=1", "hardened=1,guard=1", "verify=1", "hardened=1,verify=1"):
            with self.subTest(debug):
                done = self.run_case("preload", "nothing", BURROW_DEBUG=debug)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "went on\n", ""))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
