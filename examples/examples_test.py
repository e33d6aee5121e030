#!/usr/bin/env python3
"""Runs the examples and checks what they print.

usage: examples_test.py FOLDER
"""
import os
import pathlib
import re
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(sys.argv.pop(1))


def run(name, *arguments, **env):
    """Standard output of an example that must succeed."""
    done = subprocess.run([FOLDER / name, *arguments], capture_output=True, text=True, timeout=100,
                          check=False, env=dict(os.environ, **env))
    if done.returncode != 0:
        raise AssertionError(f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Examples(unittest.TestCase):
    def test_prime_sieve(self):
        primes = [n for n in range(2, 2000) if all(n % d for d in range(2, n))]
        for procs in ("1", "2", "8"):
            with self.subTest(procs):
                out = run("prime_sieve", "2000", BURROW_PROCS=procs)
                self.assertEqual([int(line) for line in out.split()], primes)

    def test_echo(self):
        self.assertEqual(run("echo"), "100 of 100 clients got their text back\n")

    def test_deep_recursion(self):
        out = run("deep_recursion")
        match = re.fullmatch(r"depth 10000\nstack in use before: (\d+) bytes\n"
                             r"stack in use after: (\d+) bytes, at its deepest: (\d+) bytes\n", out)
        self.assertTrue(match, out)
        before, after, deepest = map(int, match.groups())
        self.assertLess(before, 4096)
        self.assertLess(after, 4096)
        self.assertGreaterEqual(deepest, 10_000 * 16)


if __name__ == "__main__":
    unittest.main()
