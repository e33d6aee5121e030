#!/usr/bin/env python3
"""Programs under sanitizers: with libburrow.so they work and the sanitizer's malloc serves; with
libburrow.a or under the preload they work or say in one line what to do. None crashes.

usage: sanitizers_test.py SOURCE_DIR BUILD_DIR
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = BUILD = None
HERE = pathlib.Path(__file__).parent
CHECKERS = {"address": "AddressSanitizer", "thread": "ThreadSanitizer"}
SERVES = "'s malloc serves this program"


class Sanitizers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def build(self, compiler, sanitizer, libraries, source="program.cc"):
        """The program, or what the linker says."""
        program = pathlib.Path(self.folder.name) / "program"
        done = subprocess.run(
            [compiler, "-std=c++20", "-O1", f"-fsanitize={sanitizer}", f"-I{SOURCE}/include",
             HERE / source, *libraries, "-pthread", "-o", program],
            capture_output=True, text=True, check=False, timeout=200)
        return program if done.returncode == 0 else done.stderr

    def shared(self):
        return [f"-L{BUILD}", "-lburrow", f"-Wl,-rpath,{BUILD}"]

    def archive(self):
        return [BUILD / "libburrow.a", "-ldeflate", "-lhttp_parser"]

    def run_program(self, program, **env):
        return subprocess.run([program], capture_output=True, text=True, check=False, timeout=100,
                              env=dict(os.environ, **env))

    def test_shared_library(self):
        for compiler in ("g++", "clang++-19"):
            for sanitizer, name in CHECKERS.items():
                with self.subTest(compiler=compiler, sanitizer=sanitizer):
                    done = self.run_program(self.build(compiler, sanitizer, self.shared()))
                    self.assertEqual((done.returncode, done.stdout), (0, "1000 1\n"), done.stderr)
                    self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                    self.assertIn(name + SERVES, done.stderr)

    def test_the_sanitizer_finds_what_it_is_for(self):
        for compiler in ("g++", "clang++-19"):
            with self.subTest(compiler):
                done = self.run_program(self.build(compiler, "address", self.shared(), "faulty.cc"))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("heap-use-after-free", done.stderr)

    def test_archive(self):
        for compiler in ("g++", "clang++-19"):
            for sanitizer, name in CHECKERS.items():
                with self.subTest(compiler=compiler, sanitizer=sanitizer):
                    program = self.build(compiler, sanitizer, self.archive())
                    if isinstance(program, str):
                        # clang's ThreadSanitizer defines operator new, which only one may.
                        self.assertIn("multiple definition of `operator new", program)
                        continue
                    done = self.run_program(program)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertRegex(done.stderr, rf"^burrow: {name} brings its own malloc.*\n$")

    def test_other_sanitizers_work_with_all(self):
        for libraries in (self.archive(), self.shared()):
            for sanitizer in ("undefined", "leak"):
                with self.subTest(sanitizer):
                    done = self.run_program(self.build("g++", sanitizer, libraries))
                    self.assertEqual((done.returncode, done.stdout), (0, "1000 1\n"), done.stderr)

    def test_preload(self):
        plain = HERE / "plain.cc"
        for compiler in ("g++", "clang++-19"):
            for sanitizer, name in CHECKERS.items():
                with self.subTest(compiler=compiler, sanitizer=sanitizer):
                    program = self.build(compiler, sanitizer, [], plain)
                    done = self.run_program(program, LD_PRELOAD=str(BUILD / "libburrow_malloc.so"))
                    if done.returncode == 0:
                        self.assertEqual(done.stdout, "1000\n")
                    else:
                        # gcc's AddressSanitizer asks for the first place itself.
                        self.assertEqual(done.returncode, 1, done.stderr)
                        self.assertRegex(done.stderr, rf"^burrow: {name} brings.*\n$|"
                                                      r"^==\d+==ASan runtime does not come first.*\n$")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(2)).resolve()
    SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
