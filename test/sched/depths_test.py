#!/usr/bin/env python3
"""How deep goroutines go and how many there can be, with stacks of several sizes and under limits
of the system. depths.cc is the program."""
import os
import re
import resource
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAM = Path(sys.argv.pop(1))
PATIENCE = 120


def run(what, n, limits=(), **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("BURROW_")} | more

    def limit():
        for which, value in limits:
            resource.setrlimit(which, (value, value))

    return subprocess.run([PROGRAM, what, str(n)], capture_output=True, text=True,
                          timeout=PATIENCE, env=env, preexec_fn=limit)


class Depths(unittest.TestCase):
    def recursion(self, depth, **env):
        r = run("recursion", depth, **env)
        self.assertEqual(r.returncode, 0, r.stderr[:2000])
        self.assertIn(f"depth {depth}\n", r.stdout)
        words = r.stdout.split()
        return [int(x) for x in words if x.isdigit()]

    def test_a_million_frames_by_default(self):
        reserved, _, in_use, _, _, committed, after, high_water, _ = self.recursion(1_000_000)
        self.assertEqual(reserved, 64 << 20)
        self.assertLess(in_use, 4096)
        self.assertEqual(in_use, after)
        # Each frame has two words at least, and all of them stay until they are trimmed.
        self.assertGreater(high_water, 16_000_000)
        self.assertGreaterEqual(committed, 16_000_000)

    def test_ten_million_frames_when_asked_for(self):
        figures = self.recursion(10_000_000, BURROW_STACK="1G")
        self.assertEqual(figures[0], 1 << 30)

    def test_too_deep_is_told(self):
        r = run("recursion", 10_000_000)
        self.assertEqual(r.returncode, 2)
        self.assertIn("-byte limit", r.stderr)

    def test_sizes_that_are_none(self):
        r = run("recursion", 10, BURROW_STACK="lots")
        self.assertEqual(r.returncode, 0)
        self.assertIn("BURROW_STACK=lots is not a size", r.stderr)

    def test_many(self):
        r = run("many", 20_000)
        self.assertEqual(r.returncode, 0, r.stderr[:2000])
        self.assertIn("running 20000", r.stdout)
        self.assertIn("trimmed 1", r.stdout)

    def test_many_small_ones(self):
        r = run("many", 20_000, BURROW_STACK="256K")
        self.assertEqual(r.returncode, 0, r.stderr[:2000])

    def test_guards_by_protection_have_a_limit_that_is_told(self):
        most = int(Path("/proc/sys/vm/max_map_count").read_text())
        if most > 100_000:
            self.skipTest(f"vm.max_map_count is {most}")
        r = run("many", 1000, BURROW_DEBUG="guardinstall=0")
        self.assertEqual(r.returncode, 0, r.stderr[:2000])
        r = run("many", most // 2 + 1000, BURROW_DEBUG="guardinstall=0", BURROW_STACK="256K")
        self.assertNotEqual(r.returncode, 0)
        self.assertIn("vm.max_map_count", r.stderr)

    def test_limited_address_space(self):
        r = run("many", 200, limits=[(resource.RLIMIT_AS, 4 << 30)])
        self.assertEqual(r.returncode, 0, r.stderr[:2000])
        reserved = int(re.search(r"reserved (\d+)", r.stdout)[1])
        self.assertLess(reserved, 4 << 30)
        r = run("many", 100_000, limits=[(resource.RLIMIT_AS, 2 << 30)])
        self.assertNotEqual(r.returncode, 0)
        self.assertIn("no address space for another stack", r.stderr)


if __name__ == "__main__":
    unittest.main()
