#!/usr/bin/env python3
"""Each fault that can be planted in the plugin is found: in the analysis by the corpus or the oracle,
in pointer maps, barriers and zeroing by maps_test, in the tie between objects by the linker.

usage: faults_test.py PLUGIN_WITH_FAULTS [--oracle]

With --oracle the random programs must find what they can, too: that takes many minutes.
"""
import pathlib
import sys
import tempfile
import unittest

import corpus_test
import maps_test
import oracle_test
import travel_test

PLUGIN = None
MOST_SEEDS = 60
ORACLE = False


class Faults(unittest.TestCase):
    def found_by_corpus(self, fault):
        return any(text for source in corpus_test.sources() for text in corpus_test.differences(
            source, "O2", "-mllvm", f"-burrow-fault={fault}"))

    def found_by_oracle(self, fault):
        """Only with --oracle asked at all."""
        if not ORACLE:
            return True
        wrong, _ = oracle_test.try_seeds(PLUGIN, range(1, MOST_SEEDS + 1),
                                         ("-mllvm", f"-burrow-fault={fault}"), enough=1)
        return bool(wrong)

    def check(self, fault, by_oracle=True):
        self.assertTrue(self.found_by_corpus(fault), f"the corpus does not find {fault}")
        if by_oracle:
            self.assertTrue(self.found_by_oracle(fault), f"the oracle does not find {fault}")

    def test_no_fault(self):
        self.assertFalse(self.found_by_corpus("none"))

    def test_loop_phi(self):
        self.check("loop-phi")

    def test_loop_memory(self):
        self.check("loop-memory")

    def test_summary_level(self):
        self.check("summary-level")

    def test_delete_sink(self):
        self.check("delete-sink", by_oracle=False)

    def test_closure_charge(self):
        self.check("closure-charge")

    # For each, a level at which the way shows.
    TRAVEL = {"narrow": "O1", "floats": "O2", "raw-load": "O1", "untyped-copy": "O1",
              "distance": "O2", "closure-used": "O1"}

    def test_travel(self):
        travel_test.PLUGIN = PLUGIN
        for fault, level in self.TRAVEL.items():
            with self.subTest(fault):
                got = travel_test.output("travel.cc", f"-{level}", "-mllvm",
                                         f"-burrow-fault={fault}")
                self.assertNotEqual(got, ("", 0), f"travel.cc does not find {fault}")
                self.assertTrue(self.found_by_oracle(fault), f"the oracle does not find {fault}")

    def test_travel_where_types_count_at_o0(self):
        travel_test.PLUGIN = PLUGIN
        for fault, found in (("none", False), ("untyped-copy", True), ("raw-load", True)):
            got = travel_test.output("travel_bytes.cc", "-O0", "-mllvm", f"-burrow-fault={fault}")
            self.assertEqual(got != ("", 0), found, (fault, got))

    def test_closures_across_files(self):
        travel_test.PLUGIN = PLUGIN
        for early, late in (("O0", "O1"), ("O0", "O2")):
            self.assertEqual(travel_test.output_across(early, late, "-mllvm", "-burrow-fault=none"), ("5 5", 0))
            self.assertNotEqual(travel_test.output_across(early, late, "-mllvm", "-burrow-fault=closure-used"),
                                ("5 5", 0))

    def test_frames(self):
        travel_test.PLUGIN = PLUGIN
        for fault in ("frame-plan", "recursion-by-others"):
            got = travel_test.output("frames.cc", "-O2", "-mllvm", f"-burrow-fault={fault}")
            self.assertNotEqual(got, ("2001 ok", 0), fault)

    def found_by_maps(self, fault, test):
        maps_test.PLUGIN = PLUGIN
        maps_test.MORE = ["-mllvm", f"-burrow-fault={fault}"]
        found = unittest.TestResult()
        found.failfast = True
        maps_test.Maps(test).run(found)
        self.assertEqual(found.errors, [])
        return bool(found.failures)

    def test_maps_and_barriers(self):
        for fault, test in (("map-word", "test_random_types"), ("map-union", "test_maps"),
                            ("map-storage", "test_random_types"),
                            ("map-told", "test_types_whose_layout_may_be_misread"),
                            ("unaligned", "test_pointers_that_are_not_aligned"),
                            ("barrier-store", "test_barriers"), ("barrier-copy", "test_barriers"),
                            ("barrier-window", "test_marking_may_begin_at_any_moment"),
                            ("barrier-vector", "test_marking_may_begin_at_any_moment"),
                            ("barrier-part", "test_marking_may_begin_at_any_moment"),
                            ("value-bytes", "test_values_of_moved_objects_are_zero")):
            self.assertTrue(self.found_by_maps(fault, test), f"maps_test does not find {fault}")
        for test in ("test_maps", "test_random_types", "test_barriers"):
            self.assertFalse(self.found_by_maps("none", test), test)

    def stale_links(self, fault):
        """Whether a program links whose one object relies on what another said before."""
        plugin = ["-O2", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}", "-mllvm",
                  f"-burrow-fault={fault}"]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "a.cc").write_text("int f(int*); int main() { int x = 0; return f(&x); }\n")
            (folder / "b.cc").write_text("int f(int* p) { return *p; }\n")
            oracle_test.must("clang++-19", *plugin, "-c", folder / "b.cc", "-o", folder / "b.o")
            oracle_test.must("clang++-19", *plugin, "-mllvm", f"-burrow-summaries={folder}/b.o",
                             "-c", folder / "a.cc", "-o", folder / "a.o")
            (folder / "b.cc").write_text("int* kept; int f(int* p) { kept = p; return *p; }\n")
            oracle_test.must("clang++-19", *plugin, "-c", folder / "b.cc", "-o", folder / "b.o")
            return oracle_test.run("clang++-19", folder / "a.o", folder / "b.o", "-o",
                                   folder / "out").returncode == 0

    def test_sidecar_untied(self):
        self.assertFalse(self.stale_links("none"))
        self.assertTrue(self.stale_links("sidecar-untied"))


if __name__ == "__main__":
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    corpus_test.PLUGIN = PLUGIN
    if "--oracle" in sys.argv:
        sys.argv.remove("--oracle")
        ORACLE = True
    unittest.main(verbosity=2)
