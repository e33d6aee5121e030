#!/usr/bin/env python3
"""Every workload ends well with its smoke sizes under every allocator. Usage: smoke_test.py BUILD"""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import allocators, measure, workloads  # noqa: E402

BUILD = ""


class Smoke(unittest.TestCase):
    """Nothing here looks at how long a run took."""

    def contenders(self):
        found = allocators.available(os.path.join(BUILD, "libburrow_malloc.so"))
        self.assertIn(allocators.OURS, [a.name for a in found])
        return found

    def check_figures(self, workload, result):
        for _, figure in workload.rows:
            self.assertGreater(result[figure], 0)
        self.assertGreater(result["peak_kib"], 0)
        self.assertGreater(result["ops"], 0)
        self.assertEqual(result["workload"], os.path.basename(workload.command[0]))

    def test_own_workloads(self):
        """Each prints one line of JSON with the figures that its rows ask for."""
        chosen = [w for w in workloads.available(BUILD) if not w.real]
        self.assertEqual([w.name for w in chosen], [w.name for w in workloads.OWN])
        for workload in chosen:
            for allocator in self.contenders():
                with self.subTest(workload=workload.name, allocator=allocator.name):
                    result = measure.run_once(BUILD, workload, allocator,
                                              arguments=workload.smoke)
                    self.check_figures(workload, result)

    def test_allocator_is_loaded(self):
        """The library that a run names is the one that answers: a wrong one is a failed run."""
        workload = next(w for w in workloads.available(BUILD) if not w.real)
        for allocator in self.contenders():
            settings = allocator.settings + (("LD_DEBUG", "libs"),)
            loud = allocators.Allocator(allocator.name, "", allocator.library, settings)
            with self.subTest(allocator=allocator.name):
                said = measure.error_output(BUILD, workload, loud, workload.smoke)
                self.assertNotIn("cannot be preloaded", said)
                if allocator.library:
                    self.assertIn("calling init: " + allocator.library, said)

    def test_failure_is_seen(self):
        """A workload that refuses its arguments is a failed run, not a fast one."""
        workload = next(w for w in workloads.available(BUILD) if not w.real)
        with self.assertRaisesRegex(measure.RunFailed, "bad argument"):
            measure.run_once(BUILD, workload, self.contenders()[0], arguments=("no_such=1",))


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
