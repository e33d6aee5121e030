#!/usr/bin/env python3
"""Settings with a wrong name or value. usage: settings_test.py BUILD_DIR"""
import unittest

from support import LIBRARY, PROGRAMS, Case, clean_environment, run

WRONG = [
    ({"BURROW_MEMLIMT": "1G"}, "no setting BURROW_MEMLIMT", "is BURROW_MEMLIMIT meant?"),
    ({"BURROW_HOME": "/opt"}, "no setting BURROW_HOME"),
    ({"BURROW_DEBUG": "hardend=1"}, "no option hardend", "is hardened meant?"),
    ({"BURROW_DEBUG": "hardened"}, "hardened has no value", "hardened=1"),
    ({"BURROW_DEBUG": "verify=1,hardened=yes"}, "hardened=yes is wrong", "0 or 1"),
    ({"BURROW_DEBUG": "verify=2"}, "verify=2 is wrong", "0 or 1"),
    ({"BURROW_DEBUG": "guard=often"}, "guard=often is wrong", "a number"),
    ({"BURROW_DEBUG": "xyzzy=1"}, "no option xyzzy"),
    ({"BURROW_MEMLIMIT": "12"}, "BURROW_MEMLIMIT=12", "too small", "512MiB"),
    ({"BURROW_MEMLIMIT": "12Q"}, "BURROW_MEMLIMIT=12Q", "not a size", "512MiB"),
    ({"BURROW_PROFRATE": "x"}, "BURROW_PROFRATE=x", "524288"),
    ({"BURROW_PROFILE": "h.pb.gz", "BURROW_PROFILE_SIGNAL": "KILL"}, "BURROW_PROFILE_SIGNAL=KILL",
     "USR1"),
    ({"BURROW_PROFILE": "/no/such/folder/x"}, "/no/such/folder/x"),
    ({"BURROW_HTTP": "localhost:http"}, "localhost:http", "port"),
    ({"BURROW_HTTP": "localhost:0", "BURROW_HTTP_CMDLINE": "yes"}, "BURROW_HTTP_CMDLINE=yes", "write 1"),
]
RIGHT = [{}, {"BURROW_DEBUG": "hardened=1,guard=8,verify=0"}, {"BURROW_DEBUG": ",hardened=0,"},
         {"BURROW_DEBUG": "cgroup=/tmp"}, {"BURROW_MEMLIMIT": "off"}, {"BURROW_MEMLIMIT": "1M"},
         {"BURROW_TEST_X": "1"}, {"BURROW": "1"}]


class Settings(Case):
    def errors(self, settings):
        env = clean_environment(LD_PRELOAD=str(LIBRARY), **settings)
        done = run(PROGRAMS / "signals", "exit", code=3, env=env, cwd=self.top)
        return [line for line in done.stderr.splitlines() if "burrow: serving" not in line]

    def test_wrong_ones_are_said_in_one_line(self):
        for settings, *parts in WRONG:
            with self.subTest(settings):
                lines = self.errors(settings)
                self.assertEqual(len(lines), 1, lines)
                self.assertTrue(lines[0].startswith("burrow: "), lines)
                for part in parts:
                    self.assertIn(part, lines[0])

    def test_of_right_ones_nothing_is_said(self):
        for settings in RIGHT:
            with self.subTest(settings):
                self.assertEqual(self.errors(settings), [])

    def test_each_wrong_one_has_its_line(self):
        lines = self.errors({"BURROW_PROFILES": "x", "BURROW_DEBUG": "hardened,gtrace=1"})
        self.assertEqual(len(lines), 3, lines)


if __name__ == "__main__":
    unittest.main()
