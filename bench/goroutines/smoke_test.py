#!/usr/bin/env python3
"""Every row of the goroutine benchmark ends well with a tiny size on all contenders; the table
says what is met.

usage: smoke_test.py BUILD_DIR
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from harness import files  # noqa: E402

BUILD = sys.argv.pop(1)


class Verdicts(unittest.TestCase):
    """What a row says of its bars."""

    @classmethod
    def setUpClass(cls):
        cls.program = files.script(HERE / "run")

    def verdict(self, figures, causes=None, **fields):
        row = self.program.Row("a row", "yield", 1, 1, "ns", "ns", **fields)
        return self.program.verdict(row, figures, causes or {})

    def test_share_of_go(self):
        self.assertEqual(self.verdict({"burrow": 1, "go": 2}, bar=0.5), ["0.50 of Go", "met", ""])
        self.assertEqual(self.verdict({"burrow": 1.01, "go": 2}, {"a row": "heat"}, bar=0.5),
                         ["0.50 of Go", "missed", "heat"])

    def test_every_bar_counts(self):
        fields = {"bar": 0.5, "fiber_bar": 0.5}
        self.assertEqual(self.verdict({"burrow": 1, "go": 2, "fiber": 1.9}, **fields)[1], "missed")
        self.assertEqual(self.verdict({"burrow": 1, "go": 2, "fiber": 2}, **fields)[1], "met")

    def test_a_figure_of_its_own(self):
        self.assertEqual(self.verdict({"burrow": 11}, most=10),
                         ["10 ns", "missed", "cause not found yet"])
        self.assertEqual(self.verdict({"burrow": 9}, most=10), ["10 ns", "met", ""])

    def test_without_the_peer_nothing_is_said(self):
        self.assertEqual(self.verdict({"burrow": 1}, bar=0.5), ["", "", ""])
        self.assertEqual(self.verdict({"burrow": 1, "go": 9}), ["", "", ""])

    def test_medians(self):
        row = self.program.Row("a row", "yield", 1, 1, "ns", "ns")
        runs = {(("yield", 1, 1, ()), "burrow"): [{"ns": 5}, {"ns": 1}, {"ns": 2}]}
        self.assertEqual(self.program.medians({"burrow": None, "go": None}, row, runs), {"burrow": 2})

    def test_causes_name_rows_that_have_a_bar(self):
        rows = {r.title for r in self.program.ROWS if r.bar or r.fiber_bar or r.most}
        causes = set(self.program.read_causes())
        self.assertTrue(causes)
        self.assertLessEqual(causes, rows)


class Smoke(unittest.TestCase):
    """Nothing here looks at how long a run took."""

    def test_all_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-B", HERE / "run", "--build", BUILD, "--quick", "--scale", "0.001",
                 "--output", folder], capture_output=True, text=True, timeout=280, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(len(os.listdir(folder)), 2)
            results = json.loads(next(pathlib.Path(folder).glob("*.json")).read_text())
            self.assertEqual(results["failures"], [])
            contenders = {run["contender"] for run in results["runs"]}
            self.assertIn("burrow", contenders)
            for run in results["runs"]:
                for figure, value in run["figures"][0].items():
                    if figure != "bytes":  # so few may fit into memory that was there
                        self.assertGreater(value, 0, run)
            table = (pathlib.Path(folder) / "goroutines.md").read_text()
            rows = [line for line in table.splitlines() if line.startswith("| ")]
            self.assertGreater(len(rows), 15)
            self.assertIn(" met ", table)
            # Burrow's figure is in every row.
            self.assertTrue(all(row.split("|")[3].strip() for row in rows[1:]), table)


if __name__ == "__main__":
    unittest.main()
