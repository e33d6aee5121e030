#!/usr/bin/env python3
"""Every row of the goroutine benchmark ends well with a tiny size on all contenders.

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
BUILD = sys.argv.pop(1)


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
            # Burrow's figure is in every row.
            self.assertTrue(all(row.split("|")[3].strip() for row in rows[1:]), table)


if __name__ == "__main__":
    unittest.main()
