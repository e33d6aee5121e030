#!/usr/bin/env python3
"""Every row of a contest ends well with a tiny size on all contenders; the table says what is met.
Nothing here looks at how long a run took.

usage: contest_smoke_test.py BUILD_DIR NAME
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import files  # noqa: E402

NAME = sys.argv.pop()
BUILD = sys.argv.pop()
CONTEST = files.script(HERE / NAME / "run").CONTEST
# So few may fit into memory that was there; and may never be kept from running.
MAY_BE_ZERO = {"bytes", "gap_ms", "gap99_ms"}


class Smoke(unittest.TestCase):
    """One quick run."""

    def test_all_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-B", HERE / NAME / "run", "--build", BUILD, "--quick", "--scale",
                 "0.001", "--output", folder], capture_output=True, text=True, timeout=280,
                check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(len(os.listdir(folder)), 2)
            results = json.loads(next(pathlib.Path(folder).glob("*.json")).read_text())
            self.assertEqual(results["failures"], [])
            self.assertIn("burrow", {run["contender"] for run in results["runs"]})
            for run in results["runs"]:
                for figure, value in run["figures"][0].items():
                    if figure not in MAY_BE_ZERO:
                        self.assertGreater(value, 0, run)
            table = (pathlib.Path(folder) / (NAME + ".md")).read_text()
            rows = [line for line in table.splitlines() if line.startswith("| ")]
            self.assertEqual(len(rows), 1 + len(CONTEST.rows))
            self.assertRegex(table, r" (met|missed) ")
            # Burrow's figure is in every row.
            self.assertTrue(all(row.split("|")[3].strip() for row in rows[1:]), table)


if __name__ == "__main__":
    unittest.main()
