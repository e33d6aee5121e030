#!/usr/bin/env python3
"""A setuid program does not do what its user's environment says.

usage: secure_test.py BUILD_DIR
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = None
NOBODY = 65534
KINDS = ("static", "shared")  # the loader ignores a preload by itself


class Secure(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a program setuid and start it as another")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="burrow-secure.", dir=BUILD))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.secret = self.folder / "secret"
        self.secret.write_text("secret")
        self.secret.chmod(0o600)
        self.symbolizer = self.folder / "symbolizer"
        self.symbolizer.write_text(f"#!/bin/sh\nid > {self.folder}/ran\n")
        self.symbolizer.chmod(0o755)

    def start(self, kind, mode, user):
        program = self.folder / kind
        shutil.copy(BUILD / "tests/abi" / f"secure_{kind}", program)
        program.chmod(mode)
        settings = {
            "BURROW_PROFILE": str(self.secret),
            "BURROW_PROFRATE": "1",
            "BURROW_SYMBOLIZER": str(self.symbolizer),
            "BURROW_MEMLIMIT": "48M",
            "BURROW_DEBUG": "nonsense=1",
            "BURROW_NONSENSE": "1",
        }
        return subprocess.run([program], env=settings, user=user, group=user, extra_groups=[], cwd="/",
                              capture_output=True, text=True, timeout=60, check=True)

    def test_nothing_is_read(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                done = self.start(kind, 0o4755, NOBODY)
                if "secure 0" in done.stdout:
                    self.skipTest("the file system is mounted without setuid")
                self.assertEqual(done.stdout, "secure 1 limited 0\n")
                self.assertEqual(done.stderr, "")
                self.assertEqual(self.secret.read_text(), "secret")
                self.assertFalse((self.folder / "ran").exists())

    def test_the_same_is_obeyed_otherwise(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                done = self.start(kind, 0o755, 0)
                self.assertEqual(done.stdout, "secure 0 limited 1\n")
                self.assertIn("nonsense", done.stderr)
                self.assertNotEqual(self.secret.read_bytes(), b"secret")
                self.secret.write_text("secret")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop())
    unittest.main()
