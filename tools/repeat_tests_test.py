#!/usr/bin/env python3
"""A test that fails now and then is counted and what it printed is kept; tests that pass are not named."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class RepeatTests(unittest.TestCase):
    def repeat(self, tests, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            lines = [f'add_test({name} "sh" "-c" "{line}")' for name, line in tests.items()]
            pathlib.Path(folder, "CTestTestfile.cmake").write_text("\n".join(lines).replace("DIR", folder))
            done = subprocess.run(
                [sys.executable, "-B", HERE / "repeat_tests.py", *arguments, "--",
                 "ctest", "--test-dir", folder, "--output-on-failure"], capture_output=True, text=True, check=False)
            kept = sorted(path.name for path in pathlib.Path(folder, "repeat").iterdir())
            return done.returncode, done.stdout, done.stderr, kept

    def test_counts_failures(self):
        every_second = "if test -e DIR/mark; then rm DIR/mark; exit 1; else touch DIR/mark; fi"
        code, out, err, kept = self.repeat({"good": "true", "flaky": every_second}, "--repeat", "4", "--busy", "1")
        self.assertEqual(code, 1)
        self.assertIn("round 1 of 4: all passed\nround 2 of 4: flaky\n", out)
        self.assertIn("flaky: failed 2 of 4", out)
        self.assertNotIn("good", out)
        self.assertIn("repeat", err)
        self.assertEqual(kept, ["round-2.txt", "round-4.txt"])

    def test_all_pass(self):
        code, out, _, kept = self.repeat({"good": "true"}, "--repeat", "2")
        self.assertEqual((code, kept), (0, []))
        self.assertEqual(out, "round 1 of 2: all passed\nround 2 of 2: all passed\n")


if __name__ == "__main__":
    unittest.main()
