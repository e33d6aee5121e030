#!/usr/bin/env python3
"""The harness's arithmetic, its tables and the table of workloads, on made-up results."""
import math
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from harness import files, machine, report, summary, workloads  # noqa: E402


def run(seconds, peak):
    return {"seconds": seconds, "wall": seconds, "user": seconds, "sys": 0.0, "peak_kib": peak,
            "ops": 1000}


def results():
    """Two workloads under two peers, glibc and ours. Ours: a 0.5 and b 1.2 of the best peer."""
    seconds = {"a": {"glibc": (8, 8, 8), "mimalloc": (4, 2, 40), "jemalloc": (5, 5, 5),
                     "burrow": (2, 2, 2), "burrow-off": (2, 2, 1)},
               "b": {"glibc": (8, 8, 8), "mimalloc": (4, 4, 4), "jemalloc": (1, 1, 1),
                     "burrow": (1.2, 1.2, 1.2), "burrow-off": (1.2, 1.2, 1.2)}}
    peaks = {"glibc": 90, "mimalloc": 400, "jemalloc": 100, "burrow": 200, "burrow-off": 200}
    runs = {workload: {allocator: [run(s, peaks[allocator]) for s in rounds]
                       for allocator, rounds in by_allocator.items()}
            for workload, by_allocator in seconds.items()}
    allocators = {name: "1" for name in peaks}
    return {"date": "2001-02-03", "rounds": 3, "machine": machine.describe(),
            "allocators": allocators, "failures": [], "runs": runs,
            "workloads": [{"name": name, "rows": [(name, "seconds")], "command": [name]}
                          for name in seconds]}


class Summary(unittest.TestCase):
    def test_geometric_mean(self):
        self.assertAlmostEqual(summary.geometric_mean([1, 4, 16]), 4)
        self.assertTrue(math.isnan(summary.geometric_mean([])))

    def test_rows_are_medians_over_the_best_peer(self):
        rows = {row.name: row for row in summary.time_rows(results())}
        self.assertEqual(rows["a"].values["mimalloc"], 4)
        self.assertEqual(rows["a"].best, 4)
        self.assertEqual(rows["a"].ratio("burrow"), 0.5)
        self.assertFalse(rows["a"].missed)
        self.assertAlmostEqual(rows["b"].ratio("burrow"), 1.2)
        self.assertTrue(rows["b"].missed)

    def test_ours_is_never_the_best_peer(self):
        for row in summary.time_rows(results()):
            self.assertGreaterEqual(row.ratio("mimalloc"), 1)

    def test_a_missing_figure_is_missed(self):
        made = results()
        made["runs"]["a"]["burrow"] = [{}, {}, {}]
        rows = {row.name: row for row in summary.time_rows(made)}
        self.assertTrue(rows["a"].missed)

    def test_mean_ratio(self):
        rows = summary.time_rows(results())
        self.assertAlmostEqual(summary.mean_ratio(rows, "burrow"), math.sqrt(0.5 * 1.2))
        self.assertAlmostEqual(summary.mean_ratio(rows, "burrow", "glibc"),
                               math.sqrt(2 / 8 * 1.2 / 8))

    def test_profiling_compares_within_rounds(self):
        self.assertEqual(summary.profiling_rows(results()), [("a", 1), ("b", 1)])

    def test_cpu(self):
        made = results()
        summary.add_cpu(made)
        self.assertEqual(made["runs"]["b"]["glibc"][0]["cpu"], 8)

    def test_bars(self):
        time, row, peak, profiling = summary.bars(results(), list(results()["allocators"]))
        # jemalloc: 5/4 and 1; mimalloc: 1 and 4.
        self.assertIn("(jemalloc)", time[0])
        self.assertAlmostEqual(time[2], math.sqrt(1.25))
        self.assertTrue(time[3])
        self.assertIn("worst: b", row[0])
        self.assertFalse(row[3])
        # The leanest of the peers that are not glibc.
        self.assertIn("(jemalloc)", peak[0])
        self.assertAlmostEqual(peak[1] / peak[2], 2)
        self.assertFalse(peak[3])
        self.assertEqual(profiling[1:], (1, 1.01, True))


class Report(unittest.TestCase):
    def render(self, causes=None, instructions=None):
        made = results()
        summary.add_cpu(made)
        return report.markdown(made, causes or {}, instructions or {})

    def line(self, text, start):
        found = [line for line in text.splitlines() if line.startswith(start)]
        self.assertTrue(found, start)
        return found[0]

    def test_time_table(self):
        text = self.render({"time": {"a": "not shown", "b": "the moon"}})
        met = self.line(text, "| a |")
        self.assertIn("**0.50** | met |  |", met)
        self.assertIn("4000000.0 ns", met)
        self.assertTrue(self.line(text, "| b |").endswith("1.20 | missed | the moon |"))

    def test_an_unexplained_miss_says_so(self):
        self.assertIn("cause not found yet", self.line(self.render(), "| b |"))

    def test_every_table_is_rectangular(self):
        width = None
        for line in self.render(instructions={"burrow": 9, "glibc": 8}).splitlines():
            if not line.startswith("|"):
                width = None
                continue
            width = width or line.count("|")
            self.assertEqual(line.count("|"), width, line)

    def test_instructions(self):
        text = self.render(instructions={"burrow": 9.0, "burrow-off": 1.0, "glibc": 8.0})
        self.assertIn("| 9.0 | 10.0 | met |", text)
        text = self.render(instructions={"burrow": 11.0, "burrow-off": 1.0, "glibc": 8.0})
        self.assertIn("| 11.0 | 10.0 | **missed** |", text)

    def test_failures_are_shown(self):
        made = results()
        made["failures"] = ["a under glibc: it failed"]
        summary.add_cpu(made)
        self.assertIn("- a under glibc: it failed", report.markdown(made, {}, {}))

    def test_partial_results(self):
        """One allocator alone makes no ratios, and must not end in an exception."""
        made = results()
        made["allocators"] = {"burrow": "1", "glibc": "1"}
        for by_allocator in made["runs"].values():
            for name in ("mimalloc", "jemalloc", "burrow-off"):
                del by_allocator[name]
        summary.add_cpu(made)
        self.assertIn("| a |", report.markdown(made, {}, {}))


class Instructions(unittest.TestCase):
    GOLDEN = {"burrow": 70.0, "burrow-off": 70.0}

    def judge(self, **counts):
        named = {name.replace("_", "-"): value for name, value in counts.items()}
        return files.script(os.path.join(HERE, "instructions")).judge(named, self.GOLDEN)

    def test_as_golden(self):
        self.assertEqual(self.judge(burrow=70.2, burrow_off=70, glibc=138, jemalloc=76), [])

    def test_grown(self):
        said = self.judge(burrow=72, burrow_off=70, glibc=138, jemalloc=76)
        self.assertEqual(len(said), 1)
        self.assertIn("70.0 were golden", said[0])

    def test_a_peer_is_cheaper(self):
        said = self.judge(burrow=70, burrow_off=60, glibc=138, jemalloc=67)
        self.assertEqual(len(said), 1)
        self.assertIn("jemalloc takes 67.0", said[0])

    def test_others_have_golden_figures_alone(self):
        judge = files.script(os.path.join(HERE, "instructions")).judge_others
        self.assertEqual(judge({"64 KiB": 170.3}, {"64 KiB": 170.0}), [])
        self.assertEqual(judge({"64 KiB": 171.0}, {"64 KiB": 170.0}),
                         ["64 KiB: 171.0 instructions, 170.0 were golden"])
        self.assertEqual(len(judge({"64 KiB": 171.0}, {})), 1)


class Workloads(unittest.TestCase):
    def test_names_are_unique(self):
        table = workloads.OWN + workloads.REAL
        names = [w.name for w in table]
        rows = [row for w in table for row, _ in w.rows]
        self.assertEqual(len(set(names)), len(names))
        self.assertEqual(len(set(rows)), len(rows))

    def test_every_own_workload_has_smoke_sizes(self):
        for workload in workloads.OWN:
            self.assertTrue(workload.smoke, workload.name)

    def test_inputs_of_real_programs_exist(self):
        for workload in workloads.REAL:
            for argument in workload.command[1:]:
                path = argument.removeprefix(".read ")
                if path.startswith(HERE):
                    self.assertTrue(os.path.exists(path), path)

    def test_causes_name_rows(self):
        """A cause whose row is gone would never be shown."""
        causes = files.load_json(os.path.join(HERE, "causes.json"))
        table = workloads.OWN + workloads.REAL
        self.assertLessEqual(set(causes["time"]), {row for w in table for row, _ in w.rows})
        self.assertLessEqual(set(causes["rss"]), {w.name for w in table})


if __name__ == "__main__":
    unittest.main()
