#!/usr/bin/env python3
"""Profiles of programs that signals end, and on a signal of choice. usage: signal_test.py BUILD_DIR"""
import signal
import subprocess
import time
import unittest

from support import BURROW, PROGRAMS, TIMEOUT, Case, burrow, clean_environment

PROGRAM = PROGRAMS / "signals"
GROW = "grow"


class Signals(Case):
    def setUp(self):
        super().setUp()
        self.profile = self.top / "heap.pb.gz"
        self.typed = False

    def start(self, what, *options, before=(), **more):
        process = subprocess.Popen(
            [*before, BURROW, "run", "--rate", "4096", "--profile", self.profile, *options, "--",
             PROGRAM, what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=clean_environment(), **more)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def end(self, process):
        if process.poll() is None and not self.typed:
            process.wait(TIMEOUT)  # its input stays open: the signal alone ends it
        _, errors = process.communicate(timeout=TIMEOUT)
        self.assertEqual(errors, "")
        return process.returncode

    def type_line(self, process):
        process.stdin.write("\n")
        self.typed = True

    def expect_profile(self):
        self.assertIn(GROW, burrow("top", self.profile).stdout)

    def test_what_ends_a_program_writes_its_profile(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                self.profile.unlink(missing_ok=True)
                process = self.start("wait")
                process.send_signal(number)
                self.assertEqual(self.end(process), -number)
                self.expect_profile()

    def test_other_signals_end_it_as_ever(self):
        process = self.start("wait")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(self.end(process), -signal.SIGUSR1)
        self.assertFalse(self.profile.exists())

    def test_the_programs_own_handler_stays(self):
        process = self.start("own")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(process), 7)
        self.assertFalse(self.profile.exists())  # it calls _exit

    def test_what_is_ignored_stays_ignored(self):
        process = self.start("wait", before=("/bin/sh", "-c", 'trap "" TERM; exec "$@"', "sh"))
        process.send_signal(signal.SIGTERM)
        self.type_line(process)
        self.assertEqual(self.end(process), 0)
        self.expect_profile()

    def test_a_forked_child_dies_of_it(self):
        done = burrow("run", "--profile", self.profile, "--", PROGRAM, "fork")
        self.assertEqual(done.stdout, f"{int(signal.SIGTERM)}\n")

    def test_a_signal_of_choice(self):
        for name, number in (("USR1", signal.SIGUSR1), ("SIGUSR2", signal.SIGUSR2),
                             ("RTMIN+3", signal.SIGRTMIN + 3), ("12", 12)):
            with self.subTest(name):
                process = self.start("wait", "--signal", name)
                for _ in range(3):
                    self.profile.unlink(missing_ok=True)
                    process.send_signal(number)
                    self.wait_for_profile()
                self.type_line(process)
                self.assertEqual(self.end(process), 0)
                self.expect_profile()

    def wait_for_profile(self):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if self.profile.exists() and burrow("top", self.profile, code=None).returncode == 0:
                return self.expect_profile()
            time.sleep(0.05)
        self.fail("no profile came")

    def test_signals_that_cannot_be_had(self):
        for name in ("KILL", "STOP", "SEGV", "PWR", "0", "-1", "99", "USR3", "RTMIN-1", "RTMINx", ""):
            with self.subTest(name):
                done = burrow("run", "--profile", self.profile, "--signal", name, "--", "true", code=2)
                self.one_line(done, "--signal")
        self.one_line(burrow("run", "--signal", "USR1", "--", "true", code=2), "--profile")


if __name__ == "__main__":
    unittest.main()
