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


def output_across(early, late, *flags):
    """What the program of across/ prints, its main.cc compiled at `late` with the summaries of loop.o, which was at
    `early`."""
    common = ["clang++-19", "-std=c++20", "-w", f"-I{HERE / 'include'}"]
    plugin = ["-D__BURROW_PLUGIN__", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}", *flags]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for options in ((*common, "-O1", HERE / "runtime.cc", "-o", folder / "runtime.o"),
                        (*common, f"-{early}", *plugin, HERE / "across/loop.cc", "-o", folder / "loop.o"),
                        (*common, f"-{late}", *plugin, "-mllvm", f"-burrow-summaries={folder}/loop.o",
                         HERE / "across/main.cc", "-o", folder / "main.o")):
            subprocess.run([*options, "-c"], check=True, timeout=100)
        subprocess.run(["clang++-19", *folder.glob("*.o"), "-o", folder / "program"], check=True, timeout=100)
        done = subprocess.run([folder / "program"], capture_output=True, text=True, timeout=60)
        return done.stdout.strip(), done.returncode


class Travel(unittest.TestCase):
    def test_closures_called_in_another_file(self):
        """The summaries of an early run (-O0 has no other) charge no closures, so no object carries them."""
        for early in ("O0", "O2"):
            for late in LEVELS:
                self.assertEqual(output_across(early, late), ("5 5", 0), (early, late))

    def test_ways(self):
        for level in LEVELS:
            self.assertEqual(output("travel.cc", f"-{level}"), ("", 0), level)

    def test_ways_where_types_count_at_o0(self):
        for level in LEVELS:
            self.assertEqual(output("travel_bytes.cc", f"-{level}"), ("", 0), level)
        self.assertEqual(output("travel_bytes.cc", "-O2", "-fno-strict-aliasing"), ("", 0))

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
