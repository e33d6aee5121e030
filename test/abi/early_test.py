#!/usr/bin/env python3
"""The heap serves before main and after it, in each kind of program.

usage: early_test.py BUILD_DIR
"""
import os
import pathlib
import subprocess
import sys
import unittest

BUILD = None
STEPS = """preinit
early constructor
constructor
global's constructor
main
thread_local's destructor
atexit
global's destructor
destructor
late destructor
"""


class Early(unittest.TestCase):
    def test_every_step_allocates(self):
        for kind in ("preload", "static", "shared"):
            for debug in ("", "hardened=1", "verify=1"):
                with self.subTest(kind=kind, debug=debug):
                    env = dict(os.environ, BURROW_DEBUG=debug, BURROW_PROFRATE="1024")
                    if kind == "preload":
                        env["LD_PRELOAD"] = str(BUILD / "libburrow_malloc.so")
                    done = subprocess.run([BUILD / "tests/abi" / f"early_{kind}"], env=env, text=True,
                                          capture_output=True, timeout=60)
                    self.assertEqual((done.stdout, done.stderr, done.returncode), (STEPS, "", 0))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
