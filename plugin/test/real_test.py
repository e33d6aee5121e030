#!/usr/bin/env python3
"""Programs of real libraries behave the same with --elide-new, and its counts are printed.

usage: real_test.py BURROW [--results FILE]
"""
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import unittest

import support

HERE = pathlib.Path(__file__).resolve().parent
BURROW = None
RESULTS = {}


def run(*command):
    """As support.run; also the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = support.run(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime - before.ru_utime


class Real(unittest.TestCase):
    def check(self, name, *options):
        common = ["-std=c++20", "-O2", "-w", *options, HERE / "real" / name]
        with tempfile.TemporaryDirectory() as folder:
            plain, moved = pathlib.Path(folder) / "plain", pathlib.Path(folder) / "moved"
            _, plain_seconds = run("clang++-19", *common, "-o", plain)
            # System headers are the libraries looked at: all decisions are wanted.
            done, seconds = run(BURROW, "c++", "--elide-new", *common, "-o", moved,
                                "-fsave-optimization-record",
                                f"-foptimization-record-file={folder}/record",
                                "-foptimization-record-passes=burrow-escape")
            record = (pathlib.Path(folder) / "record").read_text()
            self.assertEqual(run(plain)[0].stdout, run(moved)[0].stdout)
        RESULTS[name] = {
            "sites": record.count("!Missed") + record.count("!Passed"),
            "moved": record.count("!Passed"), "plain_compile_cpu_s": round(plain_seconds, 2),
            "plugin_compile_cpu_s": round(seconds, 2)}
        self.assertGreater(RESULTS[name]["sites"], 0)

    def test_json(self):
        self.check("json.cc")

    def test_format(self):
        self.check("format.cc")

    def test_matrix(self):
        self.check("matrix.cc", "-I/usr/include/eigen3")


def own_source():
    """CPU seconds for files of the plugin itself, without it and with it, by turns."""
    plugin = BURROW.parent / "burrow-plugin.so"
    include = support.run("llvm-config-19", "--includedir").stdout.strip()
    plain, loaded = [], []
    for _ in range(5):
        for seconds, more in ((plain, []), (loaded, [f"-fplugin={plugin}", f"-fpass-plugin={plugin}"])):
            seconds.append(sum(run(
                "clang++-19", "-std=c++20", "-O2", "-fno-rtti", "-isystem", include, "-include",
                HERE.parent / "Precompiled.h", *more, "-c",
                HERE.parent / name, "-o", os.devnull)[1] for name in
                ("Calls.cpp", "Graph.cpp", "Solve.cpp", "Summary.cpp")))
    return {"plain_compile_cpu_s": round(statistics.median(plain), 2),
            "plugin_compile_cpu_s": round(statistics.median(loaded), 2)}


if __name__ == "__main__":
    results_file = support.take_results_file()
    BURROW = pathlib.Path(sys.argv.pop(1)).resolve()
    if results_file:
        RESULTS["the plugin's own source"] = own_source()
    support.main(RESULTS, results_file)
