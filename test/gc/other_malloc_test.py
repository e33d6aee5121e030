#!/usr/bin/env python3
"""Another malloc than Burrow's serves the program: no object is lost for that.

usage: other_malloc_test.py TESTS_DIR LIBBURROW_SO
"""
import ctypes.util
import os
import pathlib
import subprocess
import sys
import unittest

TESTS = pathlib.Path(sys.argv[1])
SHARED = pathlib.Path(sys.argv[2])
DEBUG = "clobberfree=1,gcverify=1"
ALLOCATORS = ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"]


def run(*command, **variables):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("BURROW_", "LD_PRELOAD"))}
    env.update({"BURROW_DEBUG": DEBUG, **variables})
    return subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True, timeout=120)


class OtherMalloc(unittest.TestCase):
    def good(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("lost 0\n", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_preloaded(self):
        for program in ("gc_other_malloc_shared", "gc_other_malloc"):
            self.good(run(TESTS / program))
            self.good(run(TESTS / program, LD_PRELOAD=str(TESTS / "gc_simple_malloc.so")))
            for library in ALLOCATORS:
                if ctypes.util.find_library(library.split(".so")[0][3:]):
                    with self.subTest(library=library, program=program):
                        self.good(run(TESTS / program, LD_PRELOAD=library))

    def test_linked_first(self):
        self.good(run(TESTS / "gc_other_malloc_first"))

    def test_all_mappings_by_hand(self):
        for program in ("gc_other_malloc", "gc_other_malloc_shared"):
            self.good(run(TESTS / program, "mapped", BURROW_ROOTS="all"))
        done = run(TESTS / "gc_other_malloc", BURROW_ROOTS="some")
        self.assertEqual(done.returncode, 0)
        self.assertIn("BURROW_ROOTS=some means nothing; write all, or leave it out", done.stderr)

    def test_a_planted_fault_is_seen(self):
        for arguments, variables in ((["mapped", "fault"], {"BURROW_ROOTS": "all"}), (["mapped"], {})):
            done = run(TESTS / "gc_other_malloc", *arguments, BURROW_DEBUG="clobberfree=1", **variables)
            self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_in_a_plugin(self):
        self.good(run(TESTS / "gc_plugin_host", TESTS / "gc_plugin.so"))
        self.good(run(TESTS / "gc_plugin_host", TESTS / "gc_plugin.so", "deep"))

    def test_in_python(self):
        code = ("import ctypes, sys\n"
                f"plugin = ctypes.CDLL({str(TESTS / 'gc_plugin.so')!r})\n"
                "block = (ctypes.c_void_p * 20000)()\n"
                "print('lost', plugin.plugin_lost(block, ctypes.c_long(20000)))\n")
        self.good(run(sys.executable, "-c", code))

    def test_under_the_preload(self):
        # As it is inherited from a parent that was run with it.
        preload = SHARED.parent / "libburrow_malloc.so"
        for program in ("gc_other_malloc", "gc_other_malloc_shared"):
            self.good(run(TESTS / program, LD_PRELOAD=str(preload)))

    def test_without_proc_one_line_says_what_to_do(self):
        inside = f"mount -t tmpfs none /proc && exec {TESTS / 'gc_other_malloc_shared'}"
        command = ["unshare", "-rm", "sh", "-c", inside]
        if run("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/proc").returncode != 0:
            self.skipTest("namespaces are not allowed here")
        done = run(*command[:-1], f"export LD_PRELOAD={TESTS / 'gc_simple_malloc.so'}; {inside}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("gc_simple_malloc.so", done.stderr)
        self.assertIn("link Burrow before it", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
