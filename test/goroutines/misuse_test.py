#!/usr/bin/env python3
"""Panics, fatal errors and deadlocks of channels and locks: what the program prints, and its status.

usage: misuse_test.py PROGRAM
"""
import re
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)

PANICS = {
    "send_closed": "panic: send on closed channel",
    "send_closed_while_waiting": "panic: send on closed channel",
    "select_send_closed": "panic: send on closed channel",
    "select_send_closed_while_waiting": "panic: send on closed channel",
    "close_twice": "panic: close of closed channel",
    "close_nil": "panic: close of nil channel",
    "size_out_of_range": "panic: makechan: size out of range",
    "wait_group_negative": "panic: sync: negative WaitGroup counter",
    "unlock_unlocked": "fatal error: sync: unlock of unlocked mutex",
    "rw_unlock_unlocked": "fatal error: sync: Unlock of unlocked RWMutex",
    "rw_runlock_unlocked": "fatal error: sync: RUnlock of unlocked RWMutex",
    "ticker_zero": "panic: non-positive interval for NewTicker",
    "thread_close_twice": "panic: close of closed channel",
}
DEADLOCKS = {
    "deadlock_recv": ["chan receive"],
    "deadlock_send": ["chan send"],
    "deadlock_nil_recv": ["chan receive (nil chan)"],
    "deadlock_nil_send": ["chan send (nil chan)"],
    "deadlock_select": ["select"],
    "deadlock_empty_select": ["select (no cases)"],
    "deadlock_mutex": ["sync.Mutex.Lock"],
    "deadlock_rw_mutex_read": ["sync.RWMutex.RLock"],
    "deadlock_rw_mutex_write": ["sync.RWMutex.Lock"],
    "deadlock_wait_group": ["sync.WaitGroup.Wait"],
    "deadlock_cond": ["sync.Cond.Wait"],
    "deadlock_of_several": ["sync.WaitGroup.Wait", "chan receive", "chan receive"],
}


def run(case):
    done = subprocess.run([PROGRAM, case], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def functions(text):
    """What the addresses in the stacks belong to."""
    offsets = re.findall(r"\(\S*goroutines_misuse\+(0x[0-9a-f]+)\)", text)
    done = subprocess.run(["addr2line", "-f", "-C", "-i", "-e", PROGRAM, *offsets],
                          capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


class Misuse(unittest.TestCase):
    def test_panics(self):
        for case, message in PANICS.items():
            with self.subTest(case):
                status, text = run(case)
                self.assertEqual(status, 2, text)
                self.assertEqual(text.splitlines()[0], message)
                if not case.startswith("thread_"):
                    self.assertRegex(text, r"\n\ngoroutine \d+ \[running\]:\n", case)

    def test_deadlocks(self):
        for case, reasons in DEADLOCKS.items():
            with self.subTest(case):
                status, text = run(case)
                self.assertEqual(status, 2, text)
                self.assertEqual(text.splitlines()[0],
                                 "fatal error: all goroutines are asleep - deadlock!")
                headers = [line for line in text.splitlines() if line.startswith("goroutine ")]
                found = sorted(line.split("[")[1].split("]")[0] for line in headers)
                self.assertEqual(found, sorted(reasons), text)
                # Each has its stack: the function that waits is named.
                self.assertIn(case, text + functions(text))


if __name__ == "__main__":
    unittest.main()
