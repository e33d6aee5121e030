#!/usr/bin/env python3
"""What a contest's table says of its bars, on made-up figures; and that the causes fit the rows."""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from harness import contest, files  # noqa: E402

FOUND = {name: contest.Contender(title, ()) for name, title in
         (("burrow", "Burrow"), ("go", "Go 1.0"), ("fiber", "Boost.Fiber 1"))}


def row(**fields):
    """A row of little interest."""
    return contest.Row("a row", "yield", 1, "ns", "ns", 1, **fields)


class Verdicts(unittest.TestCase):
    """What a row says of its bars."""

    def verdict(self, figures, causes=None, **fields):
        return contest.verdict(row(**fields), figures, FOUND, causes or {})

    def test_share_of_go(self):
        bars = (("go", 0.5),)
        self.assertEqual(self.verdict({"burrow": 1, "go": 2}, bars=bars), ["0.50 of Go", "met", ""])
        self.assertEqual(self.verdict({"burrow": 1.01, "go": 2}, {"a row": "heat"}, bars=bars),
                         ["0.50 of Go", "missed", "heat"])

    def test_every_bar_counts(self):
        bars = (("go", 0.5), ("fiber", 0.5))
        self.assertEqual(self.verdict({"burrow": 1, "go": 2, "fiber": 1.9}, bars=bars)[1], "missed")
        self.assertEqual(self.verdict({"burrow": 1, "go": 2, "fiber": 2}, bars=bars)[1], "met")

    def test_a_figure_of_its_own(self):
        self.assertEqual(self.verdict({"burrow": 11}, most=10),
                         ["10 ns", "missed", "cause not found yet"])
        self.assertEqual(self.verdict({"burrow": 9}, most=10), ["10 ns", "met", ""])

    def test_without_the_peer_nothing_is_said(self):
        self.assertEqual(self.verdict({"burrow": 1}, bars=(("go", 0.5),)), ["", "", ""])
        self.assertEqual(self.verdict({"burrow": 1, "go": 9}), ["", "", ""])

    def test_medians(self):
        one = row()
        runs = {(one.job, "burrow"): [{"ns": 5}, {"ns": 1}, {"ns": 2}]}
        self.assertEqual(contest.medians(FOUND, one, runs), {"burrow": 2})

    def test_table(self):
        one = row(bars=(("go", 0.5),))
        runs = {(one.job, "burrow"): [{"ns": 1}], (one.job, "go"): [{"ns": 4}]}
        text = contest.table(FOUND, [one], runs, {})
        self.assertIn("| a row | ns | 1 | 4 |  | 0.25 |  | 0.50 of Go | met |  |", text)


class OldResults(unittest.TestCase):
    """Tables of a result file."""

    def test_table_of_a_file(self):
        row_of = contest.Row("a row", "yield", 1, "ns", "ns", 1, settings=(("A", "1"),))
        one = contest.Contest("made_up", "Made up", str(HERE / "made_up"), (row_of,), None, None)
        raw = {"date": "2001-02-03", "machine": {"cpu_count": 2}, "failures": [],
               "versions": {"burrow": "Burrow", "go": "Go 1.0"},
               "runs": [{"workload": "yield", "count": 1, "processors": 1, "settings": {"A": "1"},
                         "contender": name, "figures": [{"ns": ns}, {"ns": ns}]}
                        for name, ns in (("burrow", 1), ("go", 4))]}
        text = contest.text_of(one, raw)
        self.assertIn("| a row | ns | 1 | 4 | 0.25 |", text)
        self.assertIn("2 interleaved rounds", text)
        self.assertIn("- cpu count: 2\n", text)


class Contests(unittest.TestCase):
    """The contests that there are."""

    def test_causes_name_rows_that_have_a_bar(self):
        for name in ("goroutines", "gc"):
            one = files.script(HERE / name / "run").CONTEST
            causes = set(one.causes())
            self.assertTrue(causes, name)
            self.assertLessEqual(causes, {r.title for r in one.rows if r.bars or r.most})

    def test_rows_have_titles_of_their_own(self):
        for name in ("goroutines", "gc"):
            titles = [r.title for r in files.script(HERE / name / "run").CONTEST.rows]
            self.assertEqual(len(titles), len(set(titles)))


if __name__ == "__main__":
    unittest.main()
