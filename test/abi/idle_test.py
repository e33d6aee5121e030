#!/usr/bin/env python3
"""idle_test.py BUILD: a program that falls idle gives its memory back, and has a thread of ours for
it only where it has threads itself."""
import os
import pathlib
import subprocess
import sys
import time
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
IDLE = BUILD / "tests/abi"
PRELOAD = BUILD / "libburrow_malloc.so"
THREAD = "burrow-scavenge"


def threads(pid):
    """Names of the process's threads."""
    names = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended meanwhile
    return names


def masks(pid):
    """Names of the process's threads with the signals that they block."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines())
            found.append((status["Name"], int(status["SigBlk"], 16)))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended meanwhile
    return found


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def wait_until(condition, seconds=60):
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


# MiB that are resident with 200 MB in pieces of 200 kB, and without.
INTERPRETED = """
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * 4 // 1024

pieces = [b'x' * 200000 for _ in range(1000)]
full = resident()
del pieces
print(full, resident())
"""


class Idle(unittest.TestCase):
    def start(self, what, kind="preload", **environment):
        env = {**os.environ, **environment}
        if kind == "preload":
            env["LD_PRELOAD"] = str(PRELOAD)
        process = subprocess.Popen([IDLE / f"idle_{kind}", what], env=env, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        return process

    def expect(self, process, word):
        """Waits for the word, and returns the number of the process that wrote it."""
        line = process.stdout.readline().split()
        self.assertEqual(line[:1], [word])
        return int(line[1])

    def expect_end(self, process):
        process.stdin.write("\n")
        process.stdin.flush()
        self.assertEqual(process.wait(60), 0)

    def expect_shrinks(self, pid):
        small = wait_until(lambda: resident_kib(pid) < 20 * 1024)
        self.assertTrue(small, f"{resident_kib(pid)} KiB are resident")

    def test_with_a_thread(self):
        process = self.start("thread")
        pid = self.expect(process, "ready")
        self.assertIn(THREAD, threads(pid))
        self.expect_shrinks(pid)
        self.expect_end(process)

    def test_alone_there_is_no_other_thread(self):
        process = self.start("alone")
        pid = self.expect(process, "ready")
        self.assertEqual(len(threads(pid)), 1)
        self.expect_end(process)

    def test_alone_a_free_gives_back_at_once(self):
        for kind in "preload", "static", "shared":
            with self.subTest(kind):
                process = self.start("alone", kind)
                pid = self.expect(process, "ready")
                self.assertEqual(len(threads(pid)), 1)
                self.assertLess(resident_kib(pid), 20 * 1024)
                self.expect_end(process)

    def test_an_interpreter_gives_back_at_once(self):
        done = subprocess.run([sys.executable, "-c", INTERPRETED], text=True, capture_output=True,
                              check=True, env={**os.environ, "LD_PRELOAD": str(PRELOAD)})
        full, freed = map(int, done.stdout.split())
        self.assertGreater(full, 200)
        self.assertLess(freed, 40)

    def test_what_goes_back_and_forth_is_not_faulted_in_each_time(self):
        process = self.start("churn", BURROW_PROFRATE="0")
        said, _ = process.communicate("\n", timeout=60)
        faults = [int(line.split(": ")[1]) for line in said.splitlines() if " bytes: " in line]
        self.assertEqual(len(faults), 4, said)
        # The least that is touched is 256 pages of the kernel's in each of 40 rounds.
        self.assertLess(max(faults), 2560, said)

    def test_alone_by_the_option_in_each_library(self):
        for kind in "preload", "static", "shared":
            with self.subTest(kind):
                process = self.start("alone", kind, BURROW_DEBUG="scavenger=1")
                pid = self.expect(process, "ready")
                self.assertIn(THREAD, threads(pid))
                self.expect_shrinks(pid)
                self.expect_end(process)

    def test_never_by_the_option(self):
        process = self.start("thread", BURROW_DEBUG="scavenger=0")
        pid = self.expect(process, "ready")
        self.assertNotIn(THREAD, threads(pid))
        self.expect_end(process)

    def test_among_signals(self):
        process = self.start("signals")
        pid = self.expect(process, "ready")
        blocked = [mask for name, mask in masks(pid) if name == THREAD]
        # All but KILL and STOP, and glibc's two of its own.
        self.assertEqual([mask | 1 << 8 | 1 << 18 | 3 << 31 for mask in blocked], [(1 << 64) - 1])
        self.expect_shrinks(pid)
        self.expect_end(process)

    def test_child_of_fork(self):
        process = self.start("fork")
        child = self.expect(process, "child")
        self.assertEqual(len(threads(child)), 1)
        process.stdin.write("\n")
        process.stdin.flush()
        self.assertEqual(self.expect(process, "used"), child)
        self.assertIn(THREAD, threads(child))
        self.expect_shrinks(child)
        self.expect_end(process)

    def test_exec(self):
        process = self.start("exec")
        pid = self.expect(process, "ready")
        self.expect_shrinks(pid)
        self.expect_end(process)

    def test_first_thread_may_leave(self):
        process = self.start("leave")
        said, _ = process.communicate(timeout=60)
        self.assertEqual(said, "handlers ran\n")
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
