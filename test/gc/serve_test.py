#!/usr/bin/env python3
"""serve_test.py PROGRAM: the debug server shows the collected heap, and collects when asked to."""
import json
import os
import re
import subprocess
import sys
import unittest
import urllib.request

PATIENCE = 60
HELD = 2000 * 16384
# The first objects of a thread may come before its first sample.
SAMPLED = HELD * 95 // 100


def get(base, path):
    with urllib.request.urlopen(base + path, timeout=PATIENCE) as answer:
        return answer.read().decode()


def memstats(base):
    return json.loads(get(base, "/debug/memstats"))


def in_use(base, query):
    """Objects and bytes in use at the site, from the text of the heap profile."""
    text = get(base, f"/debug/pprof/heap?debug=1{query}")
    total = re.match(r"heap profile: (\d+): (\d+) \[", text)
    return int(total[1]), int(total[2])


class Serve(unittest.TestCase):
    def test_collects_when_asked(self):
        env = dict(os.environ, BURROW_PROFRATE="1")
        with subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=env) as p:
            url = p.stdout.readline().strip()
            base = url[:url.index("/debug")] if "/debug" in url else url.rstrip("/")
            held = memstats(base)
            self.assertGreaterEqual(held["HeapAlloc"], HELD)
            self.assertGreater(held["GCSys"], 0)
            self.assertFalse(held["EnableGC"])
            self.assertGreaterEqual(in_use(base, "&gc=1")[1], SAMPLED, "what is held stays")
            p.stdin.write("\n")
            p.stdin.flush()
            self.assertEqual(p.stdout.readline(), "dropped\n")
            self.assertGreaterEqual(in_use(base, "")[1], SAMPLED, "nothing was asked for")
            before = memstats(base)
            self.assertLess(in_use(base, "&gc=1")[1], HELD // 10)
            after = memstats(base)
            p.communicate("\n", timeout=PATIENCE)
        self.assertEqual(p.returncode, 0)
        self.assertEqual((before["NumGC"], after["NumGC"]), (1, 2))
        self.assertEqual(after["NumForcedGC"], 2)
        self.assertLess(after["HeapAlloc"], before["HeapAlloc"] - HELD * 9 // 10)
        self.assertGreater(after["Frees"], before["Frees"] + 1800)
        self.assertEqual(sum(map(bool, after["PauseNs"])), 2)
        self.assertEqual(after["PauseTotalNs"], sum(after["PauseNs"]))
        self.assertGreater(after["PauseEnd"][1], after["PauseEnd"][0])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
