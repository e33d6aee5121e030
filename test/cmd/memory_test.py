#!/usr/bin/env python3
"""What a profile costs the program that it is of. usage: memory_test.py BUILD_DIR"""
import pathlib
import re
import subprocess
import unittest
import urllib.request

from support import BURROW, PROGRAMS, TIMEOUT, Case, clean_environment

STACKS = 30_000
BYTES_A_STACK = 500


class Memory(Case):
    def status(self, name):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) * 1024

    def fetch(self, what):
        with urllib.request.urlopen(self.url + what, timeout=TIMEOUT) as answer:
            size = 0
            while part := answer.read(1 << 20):
                size += len(part)
            return size

    def setUp(self):
        super().setUp()
        address = self.top / "address"
        self.process = subprocess.Popen(
            [BURROW, "run", "--rate", "1", "--http", "127.0.0.1:0", "--", PROGRAMS / "stacks", str(STACKS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=clean_environment(BURROW_HTTP_ADDRFILE=str(address)))
        self.addCleanup(self.process.communicate)
        self.addCleanup(self.process.kill)
        self.assertEqual(self.process.stdout.readline(), "ready\n")
        self.url = address.read_text().strip()
        self.fetch("threadcreate")  # the server's own beginnings

    def test_a_fetch_takes_a_few_bytes_a_stack(self):
        for what in ("heap", "allocs", "heap?seconds=1", "", "heap?debug=1"):
            with self.subTest(what):
                pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")  # the peak anew
                before = self.status("VmRSS")
                size = self.fetch(what)
                if what == "heap?debug=1":
                    self.assertGreater(size, STACKS * 20 * 20)  # every frame has its line
                self.assertLess((self.status("VmHWM") - before) / STACKS, BYTES_A_STACK)


if __name__ == "__main__":
    unittest.main()
