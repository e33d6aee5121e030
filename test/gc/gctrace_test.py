#!/usr/bin/env python3
"""gctrace_test.py PROGRAM: BURROW_DEBUG=gctrace=1 prints Go's line for each cycle, with true figures.

PROGRAM holds 64 MB live, 6 MB of stack and 24 MB of variables, allocates 512 MB, and collects twice
itself.
"""
import os
import re
import subprocess
import sys
import unittest

MS = r"(\d+(?:\.\d+)?)"
LINE = re.compile(
    rf"gc (?P<n>\d+) @(?P<at>\d+\.\d{{3}})s (?P<share>\d+)%: "
    rf"{MS}\+{MS}\+{MS} ms clock, {MS}\+{MS}/{MS}/{MS}\+{MS} ms cpu, "
    r"(?P<start>\d+)->(?P<end>\d+)->(?P<live>\d+) MB, (?P<goal>\d+) MB goal, "
    r"(?P<stacks>\d+) MB stacks, (?P<globals>\d+) MB globals, (?P<p>\d+) P(?P<forced> \(forced\))?")
LIVE, STACK, VARIABLES, CHURN = 64, 6, 24, 512


def cycles():
    env = dict(os.environ, BURROW_DEBUG="gctrace=1")
    done = subprocess.run([PROGRAM], env=env, capture_output=True, text=True, check=True)
    lines = [LINE.fullmatch(line) for line in done.stderr.splitlines()]
    assert all(lines), f"not all lines are Go's:\n{done.stderr}"
    return lines, done.stderr


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lines, cls.text = cycles()

    def mb(self, line, name):
        return int(line[name])

    def test_counts_cycles_in_order(self):
        self.assertEqual([int(line["n"]) for line in self.lines],
                         list(range(1, len(self.lines) + 1)))
        at = [float(line["at"]) for line in self.lines]
        self.assertEqual(at, sorted(at))

    def test_tells_which_were_asked_for(self):
        forced = [line for line in self.lines if line["forced"]]
        self.assertEqual(len(forced), 2, self.text)
        self.assertGreater(len(self.lines), 4, self.text)
        self.assertTrue(self.lines[-1]["forced"], self.text)

    def test_shows_what_lives(self):
        for line in self.lines:
            self.assertLessEqual(self.mb(line, "live"), self.mb(line, "end") + 1, line[0])
            self.assertLessEqual(self.mb(line, "start"), self.mb(line, "end") + 1, line[0])
        last = self.mb(self.lines[-1], "live")
        self.assertTrue(LIVE <= last <= LIVE + 4, self.text)

    def test_shows_roots(self):
        for line in self.lines:
            self.assertTrue(STACK <= self.mb(line, "stacks") <= STACK + 2, line[0])
            self.assertTrue(VARIABLES <= self.mb(line, "globals") <= VARIABLES + 8, line[0])

    def test_goal_is_gos(self):
        """What lives, and as much again as lives, stacks and variables; at 100 percent."""
        for former, line in zip(self.lines, self.lines[1:]):
            live = self.mb(former, "live")
            roots = self.mb(former, "stacks") + self.mb(former, "globals")
            # Each figure is cut off to a whole MB.
            self.assertAlmostEqual(self.mb(line, "goal"), 2 * live + roots, delta=6, msg=self.text)

    def test_starts_before_the_goal(self):
        unforced = [line for line in self.lines if not line["forced"]]
        for line in unforced:
            # Who allocates notices with a run of blocks in hand; each figure is cut off to a whole MB.
            self.assertLessEqual(self.mb(line, "start"), self.mb(line, "goal") + 1, line[0])

    def test_times_add_up(self):
        """The processors' times of a stop are its length times the processors."""
        for line in self.lines:
            times = [float(part) for part in line.groups()[3:11]]
            stop, _, last, cpu_stop, _, _, _, cpu_last = times
            for clock, cpu in ((stop, cpu_stop), (last, cpu_last)):
                self.assertAlmostEqual(cpu, clock * int(line["p"]),
                                       delta=0.002 + 0.11 * cpu, msg=line[0])
            self.assertGreater(sum(times), 0, line[0])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
