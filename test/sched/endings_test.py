#!/usr/bin/env python3
"""How programs with goroutines end: panics, deadlocks, overflows, SIGQUIT, fork; and what gdb and
the debug server show of them. endings.cc is the program."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

BUILD = Path(sys.argv.pop(1))
PROGRAM = BUILD / "tests/sched/endings"
PATIENCE = 120


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("BURROW_")}
    env["BURROW_SYMBOLIZER"] = str(BUILD / "burrow")
    return env | more


def run(how, **env):
    return subprocess.run([PROGRAM, how], capture_output=True, text=True, timeout=PATIENCE,
                          env=environment(**env))


class Endings(unittest.TestCase):
    def test_exception_is_a_panic_with_its_stack(self):
        r = run("exception")
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertTrue(r.stderr.startswith(
            "panic: something is wrong\n\ngoroutine 2 [running]:\n"), r.stderr)
        self.assertRegex(r.stderr, r"\n(\(anonymous namespace\)::)?throw_something\n\t.*/endings\.cc:\d+\n")
        self.assertRegex(r.stderr, r"created by goroutine 1 at\n.*end_by.*\n\t.*/endings\.cc:\d+\n")
        self.assertNotIn("terminate", r.stderr)

    def test_exception_without_what(self):
        r = run("number")
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertTrue(r.stderr.startswith("panic: exception of type i\n\ngoroutine 2"), r.stderr)

    def test_panic(self):
        r = run("panic")
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertTrue(r.stderr.startswith(
            "panic: send on closed channel\n\ngoroutine 1 [running]:\n"), r.stderr)
        self.assertIn("end_by", r.stderr)

    def check_deadlock(self, r):
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertTrue(r.stderr.startswith(
            "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\n"),
            r.stderr)

    def test_deadlock_shows_every_stack(self):
        r = run("deadlock")
        self.check_deadlock(r)
        self.assertIn("\ngoroutine 2 [chan receive]:\n", r.stderr)
        self.assertEqual(len(re.findall(r"wait_for_ever\n\t.*/endings\.cc:\d+", r.stderr)), 2)
        self.assertNotIn("burrow::sched::", r.stderr)

    def test_deadlock_is_seen_when_the_last_timer_is_gone(self):
        self.check_deadlock(run("deadlock-after-timer"))

    def test_no_deadlock_while_a_thread_may_wake(self):
        r = run("thread-may-wake")
        self.assertEqual((r.returncode, r.stdout), (0, "woken\n"), r.stderr)

    def check_overflow(self, r, limit):
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertRegex(r.stderr, r"\Aburrow: goroutine stack exceeds \d+-byte limit\n")
        told = int(re.search(r"exceeds (\d+)-byte", r.stderr)[1])
        self.assertLess(told, limit)
        self.assertGreater(told, limit * 0.45)
        self.assertIn("fatal error: stack overflow\n\ngoroutine 2 [running]:\n", r.stderr)
        self.assertGreater(len(re.findall(r"recurse\n\t.*/endings\.cc:\d+", r.stderr)), 20)

    def test_overflow(self):
        self.check_overflow(run("overflow"), 64 << 20)

    def test_overflow_of_a_small_stack(self):
        self.check_overflow(run("overflow", BURROW_STACK="256K"), 256 << 10)

    def test_overflow_with_guards_by_protection(self):
        self.check_overflow(run("overflow", BURROW_DEBUG="guardinstall=0"), 64 << 20)

    def test_overflow_without_a_symboliser(self):
        r = run("overflow", BURROW_SYMBOLIZER="/nonexistent")
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertGreater(len(re.findall(r"endings\+0x[0-9a-f]+\)", r.stderr)), 20, r.stderr)

    def test_other_faults_are_the_programs(self):
        self.assertEqual(run("segv").returncode, -signal.SIGSEGV)
        r = run("segv-handler")
        self.assertEqual((r.returncode, r.stdout), (7, "handler of the program\n"))

    def test_quit_shows_every_stack(self):
        with subprocess.Popen([PROGRAM, "quit"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=environment()) as p:
            self.assertEqual(p.stdout.readline(), "ready\n")
            p.send_signal(signal.SIGQUIT)
            _, err = p.communicate(timeout=PATIENCE)
        self.assertEqual(p.returncode, 2, err)
        self.assertTrue(err.startswith("SIGQUIT: quit\n\n"), err)
        self.assertRegex(err, r"goroutine 1 \[sleep\]:\n")
        self.assertRegex(err, r"goroutine \d+ \[chan receive\]:\n.*wait_for_ever\n")
        # It may still be in the write that announced it.
        self.assertRegex(err, r"goroutine \d+ \[running\]:\n(.+\n)*.*compute_for_ever\n")

    def child(self, how, status):
        r = run("fork-" + how)
        self.assertEqual(r.returncode, 3, r.stderr)
        self.assertEqual(r.stdout.splitlines()[-1], f"child {status} copies 0", r.stderr)
        return r

    def test_child_of_fork_may_exec(self):
        r = self.child("exec", 0)
        self.assertEqual(r.stdout.splitlines()[0], "in the child")

    def test_child_of_fork_may_use_no_goroutines(self):
        for how in ("go", "yield", "sleep", "wait", "chan", "end"):
            with self.subTest(how):
                r = self.child(how, -signal.SIGABRT)
                self.assertIn("goroutines in the child of a fork", r.stderr)

    def test_child_of_fork_has_what_needs_no_others(self):
        self.child("trim", 0)
        self.child("blocking", 0)
        self.child("quit", -signal.SIGQUIT)
        r = self.child("overflow", 2)
        self.assertIn("fatal error: stack overflow", r.stderr)

    def test_debug_server_has_the_goroutines(self):
        with subprocess.Popen([PROGRAM, "serve"], stdout=subprocess.PIPE, text=True,
                              env=environment()) as p:
            url = p.stdout.readline().strip().rstrip("/")
            base = url[:url.index("/debug")] if "/debug" in url else url
            page = f"{base}/debug/pprof/goroutine"
            text = urllib.request.urlopen(f"{page}?debug=2", timeout=PATIENCE).read().decode()
            counts = urllib.request.urlopen(f"{page}?debug=1", timeout=PATIENCE).read().decode()
            raw = urllib.request.urlopen(page, timeout=PATIENCE).read()
            p.kill()
        self.assertEqual(text.count("[chan receive]:"), 10, text)
        self.assertEqual(text.count("goroutine 1 [sleep]:"), 1, text)
        self.assertTrue(counts.startswith("goroutine profile: total 11\n10 @"), counts)
        self.assertIn("wait_for_ever", counts)
        if shutil.which("go"):
            with tempfile.NamedTemporaryFile() as file:
                file.write(raw)
                file.flush()
                out = subprocess.run(["go", "tool", "pprof", "-top", file.name], text=True,
                                     capture_output=True, timeout=PATIENCE).stdout
            self.assertRegex(out, r"Type: goroutine")
            self.assertRegex(out, r"\b10\b.*wait_for_ever")

    @unittest.skipUnless(shutil.which("gdb"), "needs gdb")
    def test_gdb_goes_through_a_goroutine(self):
        commands = ["set debuginfod enabled off", "break burrow_switch_context", "run gdb",
                    "continue", "backtrace"]
        args = [a for c in commands for a in ("-ex", c)]
        r = subprocess.run(["gdb", "-nx", "-batch", *args, PROGRAM],
                           capture_output=True, text=True, timeout=PATIENCE, env=environment())
        trace = r.stdout[r.stdout.index("#0"):]
        self.assertRegex(trace, r"#\d+ .*burrow::sched::park")
        self.assertIn("wait_for_ever", trace)
        self.assertIn("end_by", trace)
        self.assertRegex(trace, r"#\d+ .*burrow_stack_entry")
        self.assertNotIn("Backtrace stopped", r.stdout + r.stderr)
        self.assertNotIn("corrupt", r.stdout + r.stderr)


if __name__ == "__main__":
    unittest.main()
