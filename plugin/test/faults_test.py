#!/usr/bin/env python3
"""Each fault that can be planted in the analysis is found by the corpus or by the oracle.

usage: faults_test.py PLUGIN_WITH_FAULTS
"""
import pathlib
import sys
import unittest

import corpus_test
import oracle_test

PLUGIN = None
MOST_SEEDS = 60


class Faults(unittest.TestCase):
    def found_by_corpus(self, fault):
        return any(text for source in corpus_test.sources() for text in corpus_test.differences(
            source, "O2", "-mllvm", f"-burrow-fault={fault}"))

    def found_by_oracle(self, fault):
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


if __name__ == "__main__":
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    corpus_test.PLUGIN = PLUGIN
    unittest.main(verbosity=2)
