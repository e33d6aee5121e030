#!/usr/bin/env python3
"""The real reader: `go tool pprof` over HTTP, from a file, of a stripped program, of a delta.

usage: pprof_test.py BUILD_DIR

The program's allocations are known. A block of s bytes is sampled with chance p = 1 - exp(-s/rate),
independently of others, and counts 1/p: the estimate of n blocks has standard deviation
sqrt(n (1 - p) / p). The bound is six of them: a right sampler fails once in 10^9 runs.
"""
import math
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import unittest

from harness import SUBJECT, WAIT, Subject, main, wait_for

RATE = 8192
UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def bound(count, size):
    p = 1 - math.exp(-size / RATE)
    return 6 * math.sqrt(count * (1 - p) / p) + 1


class Pprof(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.folder.name)
        cls.env = {k: v for k, v in os.environ.items() if not k.startswith(("GO", "BURROW_"))} | {
            "HOME": str(cls.top), "PPROF_TMPDIR": str(cls.top), "GOCACHE": str(cls.top / "cache"),
            "GOPATH": str(cls.top / "go"), "GOFLAGS": "-mod=mod", "GOENV": "off",
            "GOTOOLCHAIN": "local", "PPROF_BINARY_PATH": str(cls.top)}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def pprof(self, *arguments):
        done = subprocess.run(["go", "tool", "pprof", *map(str, arguments)], env=self.env,
                              cwd=self.top, capture_output=True, text=True, timeout=2 * WAIT,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def top_of(self, *arguments):
        """{function: (flat, cum)} in the profile's smallest unit, in pprof's order, and the type."""
        text = self.pprof("-top", "-unit=B", "-nodecount=50", *arguments)
        table = {}
        for line in text.splitlines():
            if row := re.fullmatch(r"\s*(-?\d+)B?\s+\S+\s+\S+\s+(-?\d+)B?\s+\S+\s+(.+)", line):
                table[row[3].removesuffix(" (inline)")] = (int(row[1]), int(row[2]))
        self.assertTrue(table, text)
        return table, re.search(r"(?m)^Type: (\S+)$", text)[1]

    def allocate(self, subject):
        subject.do("keep 20000 2048")
        subject.do("churn 50000 512")

    def check_known(self, url):
        """The two functions at the top, with their figures."""
        table, kind = self.top_of(url)
        self.assertEqual(kind, "inuse_space")
        self.assertEqual(next(iter(table)), "subject_keep")
        self.assertLess(abs(table["subject_keep"][0] / 2048 - 20000), bound(20000, 2048))
        self.assertEqual(table.get("subject_churn", (0, 0))[0], 0)
        table, _ = self.top_of("-sample_index=alloc_objects", url)
        self.assertEqual(list(table)[:2], ["subject_churn", "subject_keep"])
        self.assertLess(abs(table["subject_churn"][0] - 50000), bound(50000, 512))
        self.assertLess(abs(table["subject_keep"][0] - 20000), bound(20000, 2048))

    def test_live(self):
        with Subject(BURROW_PROFRATE=str(RATE)) as s:
            self.allocate(s)
            self.check_known(s.url + "heap")
            table, kind = self.top_of(s.url + "allocs")
            self.assertEqual(kind, "alloc_space")
            self.assertEqual(list(table)[0], "subject_keep")
            self.assertLess(abs(table["subject_churn"][0] / 512 - 50000), bound(50000, 512))
            # pprof asks without a path as well.
            self.assertIn("subject_keep", self.pprof("-top", s.url.split("/debug")[0] + "/debug/pprof/heap"))

    def test_threadcreate_is_readable(self):
        with Subject() as s:
            s.do("threads 3")
            self.assertIn("Type: threadcreate", self.pprof("-top", s.url + "threadcreate"))

    def test_tree_leads_to_main(self):
        with Subject(BURROW_PROFRATE=str(RATE)) as s:
            self.allocate(s)
            text = self.pprof("-traces", "-sample_index=inuse_space", s.url + "heap")
            self.assertRegex(text, r"subject_keep\n(.*\n)*?\s+main\n")
            # What allocates is not shown: drop_frames.
            self.assertNotRegex(text, r"(?m)^[^:]*\bmalloc$")

    def test_delta(self):
        with Subject(BURROW_PROFRATE=str(RATE)) as s:
            self.allocate(s)
            result = []
            thread = threading.Thread(target=lambda: result.append(
                self.top_of("-seconds=3", "-sample_index=inuse_objects", s.url + "heap")[0]))
            thread.start()
            wait_for(s.capturing, "pprof's capture begins")
            s.do("keep 9000 3000")
            thread.join()
            self.assertLess(abs(result[0]["subject_keep"][0] - 9000), bound(9000, 3072))

    def test_stripped_program_and_file(self):
        stripped = self.top / "stripped"
        subprocess.run(["strip", "-o", stripped, SUBJECT], check=True)
        profile = self.top / "saved.pb.gz"
        with Subject(program=stripped, BURROW_PROFRATE=str(RATE)) as s:
            self.allocate(s)
            self.check_known(s.url + "heap")
            profile.write_bytes(s.get("/debug/pprof/heap").body)
        stripped.unlink()  # the reader needs no binary
        self.check_known(profile)

    def test_every_allocation_is_recorded_at_rate_1(self):
        with Subject(BURROW_PROFRATE="1") as s:
            s.do("keep 1234 100")
            s.do("churn 4321 100")
            table, _ = self.top_of("-sample_index=alloc_objects", s.url + "heap")
            self.assertEqual(table["subject_churn"][0], 4321 + 1)  # and the harness's one
            table, _ = self.top_of("-sample_index=inuse_space", s.url + "heap")
            self.assertEqual(table["subject_keep"][0], 1234 * 112)


if __name__ == "__main__":
    main()
