#!/usr/bin/env python3
"""No way in which a pointer travels is lost, and no frame outgrows its stack, at any level.

usage: travel_test.py PLUGIN [unittest arguments]
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PLUGIN = None
LEVELS = ("O0", "O1", "O2", "O3", "Os", "Oz")


def output(source, *flags):
    """What the program prints when it is compiled with the plugin, and how it ended."""
    common = ["clang++-19", "-std=c++20", "-w", f"-I{HERE / 'include'}"]
    with tempfile.TemporaryDirectory() as folder:
        runtime, program = f"{folder}/runtime.o", f"{folder}/program"
        subprocess.run([*common, "-O1", "-c", HERE / "runtime.cc", "-o", runtime], check=True)
        subprocess.run([*common, "-D__BURROW_PLUGIN__", f"-fplugin={PLUGIN}",
                        f"-fpass-plugin={PLUGIN}", *flags, HERE / source, runtime, "-pthread", "-o",
                        program], check=True, timeout=300)
        done = subprocess.run([program], capture_output=True, text=True, timeout=60)
        return done.stdout.strip(), done.returncode


class Travel(unittest.TestCase):
    def test_ways(self):
        for level in LEVELS:
            self.assertEqual(output("travel.cc", f"-{level}"), ("", 0), level)

    def test_ways_without_types(self):
        """Where the types say nothing of what may alias what."""
        self.assertEqual(output("travel.cc", "-O2", "-fno-strict-aliasing"), ("", 0))

    def test_frames(self):
        for level in LEVELS:
            self.assertEqual(output("frames.cc", f"-{level}", "-mllvm", "-burrow-elide-new"),
                             ("2001 ok", 0), level)


if __name__ == "__main__":
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
