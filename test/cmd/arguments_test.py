#!/usr/bin/env python3
"""Arguments right and wrong, of every subcommand. usage: arguments_test.py BUILD_DIR"""
import unittest

from support import HERE, Case, burrow

WRONG = [
    (["bogus"], "no subcommand bogus"),
    ([], "subcommand"),
    (["--bogus"], ""),
    (["help", "bogus"], "no subcommand bogus"),
    (["version", "x"], "x"),
    (["classes", "x"], "x"),
    (["symbolize", "x"], "x"),
    (["top"], "source"),
    (["top", "a", "b"], "b"),
    (["top", "-n", "x", "a"], "-n"),
    (["top", "-n", "-1", "a"], "-n"),
    (["top", "--timeout", "0", "a"], "--timeout"),
    (["fetch", "http://localhost"], "--output"),
    (["fetch", "-o", "x"], "source"),
    (["run"], "needs a program"),
    (["run", "--"], "needs a program"),
    (["run", "--bogus", "--", "true"], "--bogus"),
    (["run", "--http"], "--http"),
    (["run", "--http", "6060", "--", "true"], "port"),
    (["run", "--http", "localhost:", "--", "true"], "port"),
    (["run", "--http", "localhost:65536", "--", "true"], "port"),
    (["run", "--http", "localhost:http", "--", "true"], "port"),
    (["run", "--http", "::1:6060", "--", "true"], "brackets"),
    (["run", "--http", "example.com:80", "--", "true"], "localhost"),
    (["run", "--http", "unix:", "--", "true"], "path"),
    (["run", "--http", "unix:/" + "x" * 108, "--", "true"], "107"),
    (["run", "--profile", "", "--", "true"], "--profile"),
    (["run", "--profile", "/", "--", "true"], "--profile"),
    (["run", "--profile", "/nowhere/at/all.pb.gz", "--", "true"], "no folder /nowhere/at"),
    (["run", "--rate", "x", "--", "true"], "--rate x"),
    (["run", "--rate", "-1", "--", "true"], "--rate"),
    (["run", "--rate", "9223372036854775808", "--", "true"], "--rate"),
    (["run", "--memlimit", "12Q", "--", "true"], "--memlimit 12Q"),
    (["run", "--memlimit", "12", "--", "true"], "no program runs in so little"),
    (["run", "--signal", "KILL", "--profile", "x", "--", "true"], "--signal KILL"),
    (["run", "--signal", "USR1", "--", "true"], "--profile"),
    (["top", "--by", "space", "localhost:1"], "--by space"),
    (["top", "--by", "space", "/no/such/file"], "--by space"),
]


class Arguments(Case):
    def test_wrong_ones_get_one_line_and_2(self):
        for arguments, part in WRONG:
            with self.subTest(arguments):
                done = burrow(*arguments, code=2)
                self.one_line(done, part)
                self.assertEqual(done.stdout, "")

    def test_help(self):
        whole = burrow("help").stdout
        self.assertEqual(whole, burrow("--help").stdout)
        subcommands = ["run", "top", "fetch", "classes", "symbolize", "version", "help"]
        for subcommand in subcommands:
            with self.subTest(subcommand):
                self.assertIn(f"\n  {subcommand} ", whole)
                text = burrow(subcommand, "--help").stdout
                self.assertIn(f"Usage: burrow {subcommand}", text)
                self.assertEqual(burrow("help", subcommand).stdout, text)

    def test_version(self):
        text = burrow("version").stdout
        self.assertRegex(text, r"^burrow \d+\.\d+\.\d+\n$")
        self.assertEqual(burrow("--version").stdout, text)
        self.assertEqual(burrow("-V").stdout, text)

    def test_classes(self):
        self.assertEqual(burrow("classes").stdout, (HERE / "golden/classes.txt").read_text())


if __name__ == "__main__":
    unittest.main()
