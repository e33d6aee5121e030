#!/usr/bin/env python3
"""The HTTP contract of net/http/pprof, header by header, and the bounds on requests.

usage: contract_test.py BUILD_DIR
"""
import json
import pathlib
import re
import threading
import time
import unittest

from harness import Profile, Subject, main, read_all, wait_for

TYPES = ["alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes"]
# expvar's memstats, in the order of Go's struct.
MEMSTATS = ("Alloc TotalAlloc Sys Lookups Mallocs Frees HeapAlloc HeapSys HeapIdle HeapInuse "
            "HeapReleased HeapObjects StackInuse StackSys MSpanInuse MSpanSys MCacheInuse MCacheSys "
            "BuckHashSys GCSys OtherSys NextGC LastGC PauseTotalNs PauseNs PauseEnd NumGC "
            "NumForcedGC GCCPUFraction EnableGC DebugGC BySize").split()
METRICS = ("alloc_bytes alloc_bytes_total buck_hash_sys_bytes frees_total gc_cpu_fraction "
           "gc_sys_bytes heap_alloc_bytes heap_idle_bytes heap_inuse_bytes heap_objects "
           "heap_released_bytes heap_sys_bytes last_gc_time_seconds lookups_total mallocs_total "
           "mcache_inuse_bytes mcache_sys_bytes mspan_inuse_bytes mspan_sys_bytes next_gc_bytes "
           "other_sys_bytes stack_inuse_bytes stack_sys_bytes sys_bytes").split()
DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.subject = Subject(BURROW_PROFRATE="4096")
        cls.subject.do("keep 2000 1000")
        cls.subject.do("churn 500 3000")

    @classmethod
    def tearDownClass(cls):
        cls.subject.__exit__()

    def answer(self, path, status=200, **more):
        a = self.subject.get(path, **more)
        self.assertEqual(a.status, status, (path, a.body[:200]))
        self.assertRegex(a.headers.pop("Date"), DATE)
        self.assertEqual(a.headers.pop("Connection"), "close")
        length = a.headers.pop("Content-Length")
        if more.get("method") != "HEAD":
            self.assertEqual(int(length), len(a.body))
        return a

    def error(self, path, status, line, **more):
        a = self.answer(path, status, **more)
        self.assertEqual(a.headers | {"Allow": ""}, {
            "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
            "X-Go-Pprof": "1", "Allow": ""})
        self.assertRegex(a.text, r"\A" + line + r"\n\Z")

    def profile(self, name, query=""):
        a = self.answer(f"/debug/pprof/{name}{query}")
        delta = "-delta" if re.search(r"seconds=\d", query) else ""
        self.assertEqual(a.headers, {
            "Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'attachment; filename="{name}{delta}.pb.gz"'})
        return Profile(a.body)

    def test_prefix_is_redirected(self):
        a = self.answer("/debug/pprof", 301)
        self.assertEqual(a.headers, {"Content-Type": "text/html; charset=utf-8",
                                     "Location": "/debug/pprof/"})
        self.assertEqual(self.answer("/debug/pprof?a=1", 301).headers["Location"],
                         "/debug/pprof/?a=1")
        self.assertEqual(self.answer("/", 302).headers["Location"], "/debug/pprof/")

    def test_index(self):
        a = self.answer("/debug/pprof/")
        self.assertEqual(a.headers, {"Content-Type": "text/html; charset=utf-8",
                                     "X-Content-Type-Options": "nosniff"})
        for name in ("heap", "allocs", "threadcreate"):
            self.assertIn(f'href="{name}?debug=1"', a.text)
        for link in ("/debug/memstats", "/metrics"):
            self.assertIn(f'href="{link}"', a.text)
        self.assertIn("debug_subject", a.text)
        self.assertIn(str(self.subject.process.pid), a.text)
        live = re.search(r"<td>Objects</td><td class=\"n\">(\d+)</td>", a.text)
        self.assertGreaterEqual(int(live[1]), 2000)
        self.assertNotRegex(a.text, r"(src|href)=\"https?:")  # nothing from elsewhere
        self.assertNotIn("{{", a.text)

    def test_every_link_of_the_index_works(self):
        page = self.answer("/debug/pprof/").text
        links = {h if h.startswith("/") else "/debug/pprof/" + h
                 for h in re.findall(r'href="([^"]+)"', page) if not h.startswith("data:")}
        self.assertGreaterEqual(len(links), 8)
        for link in links:
            self.answer(link)

    def check_heap(self, p, default):
        self.assertEqual(p.types, TYPES)
        self.assertEqual((p.period_type, p.period), ("space/bytes", 4096))
        self.assertEqual(p.default_type, default)
        self.assertRegex("malloc", p.drop_frames)
        self.assertRegex("operator new(unsigned long)", p.drop_frames)
        self.assertNotRegex("subject_keep", p.drop_frames)
        self.assertLess(abs(p.time_ns / 1e9 - time.time()), 300)
        self.assertTrue(p.mappings)
        self.assertTrue(p.samples)
        for _, values, labels in p.samples:
            self.assertEqual(list(labels), ["bytes"])
            self.assertEqual(len(values), 4)
            objects, space = values[0], values[1]
            # Scaled apart and cut to whole numbers: bytes per object stay the size's.
            self.assertLessEqual(abs(space - objects * labels["bytes"]), 2 * labels["bytes"])

    def test_heap(self):
        self.check_heap(self.profile("heap"), "")

    def test_a_wrong_size_is_noticed(self):
        """Planted faults: the label `bytes` missing, renamed, or of another size."""
        for fault in ({}, {"size": 1024}, {"bytes": 1000}, {"bytes": 2048}):
            with self.subTest(fault):
                p = self.profile("heap")
                p.samples = [(s, v, fault if labels["bytes"] == 1024 else labels)
                             for s, v, labels in p.samples]
                with self.assertRaises((AssertionError, KeyError)):
                    self.check_heap(p, "")

    def test_allocs(self):
        self.check_heap(self.profile("allocs"), "alloc_space")

    def test_values_are_estimates(self):
        """A sample's value is its count / (1 - exp(-size / rate)), for the sizes' classes."""
        chance = 1 - 2.718281828459045 ** -(1024 / 4096)
        counts = [v[0] for s, v, labels in self.profile("heap").samples
                  if any("subject_keep" in names for _, names, _ in s) and labels["bytes"] == 1024]
        self.assertEqual(len(counts), 1)
        samples = round(counts[0] * chance)
        self.assertEqual(counts[0], int(samples / chance + 1e-9))
        self.assertGreater(samples, 100)

    def test_gc_is_accepted(self):
        self.profile("heap", "?gc=1")

    def test_heap_text(self):
        a = self.answer("/debug/pprof/heap?debug=1")
        self.assertEqual(a.headers, {"Content-Type": "text/plain; charset=utf-8",
                                     "X-Content-Type-Options": "nosniff"})
        sites, figures = a.text.split("\n# runtime.MemStats\n")
        head, *rest = sites.split("\n")
        total = re.fullmatch(r"heap profile: (\d+): (\d+) \[(\d+): (\d+)\] @ heap/8192", head)
        self.assertIsNotNone(total, head)
        sums = [0] * 4
        for line in rest:
            if site := re.fullmatch(r"(\d+): (\d+) \[(\d+): (\d+)\] @( 0x[0-9a-f]+)+", line):
                sums = [a + int(site[i + 1]) for i, a in enumerate(sums)]
            else:
                self.assertRegex(line, r"\A(#\t0x[0-9a-f]+\t.+)?\Z")
        self.assertEqual(sums, [int(g) for g in total.groups()])
        keep = re.search(r"(?m)^#\t(0x[0-9a-f]+)\tsubject_keep\+(0x[0-9a-f]+)\t/.+:\d+$", sites)
        self.assertIsNotNone(keep, sites)
        self.assertEqual(int(keep[1], 16) - int(keep[2], 16), int(self.subject.do("address"), 16))
        for name in ("Alloc", "HeapReleased", "MCache", "PauseNs", "NumGC", "DebugGC", "MaxRSS"):
            self.assertRegex(figures, rf"(?m)^# {name} = \S")
        self.assertTrue(all(line.startswith("# ") for line in figures.splitlines()))

    def test_threadcreate(self):
        p = self.profile("threadcreate")
        self.assertEqual(p.types, ["threadcreate/count"])
        self.assertEqual((p.period_type, p.period), ("threadcreate/count", 1))
        count = sum(v[0] for _, v, _ in p.samples)
        self.assertEqual(count, len(self.threads()))
        text = self.answer("/debug/pprof/threadcreate?debug=1").text
        self.assertEqual(text, f"threadcreate profile: total {count}\n{count} @\n#\t0x0\n\n")

    def threads(self):
        return list(pathlib.Path(f"/proc/{self.subject.process.pid}/task").iterdir())

    def test_symbols(self):
        address = int(self.subject.do("address"), 16)
        self.assertEqual(self.answer("/debug/pprof/symbol").text, "num_symbols: 1\n")
        expected = f"num_symbols: 1\n{address:#x} subject_keep\n"
        a = self.answer(f"/debug/pprof/symbol?{address:#x}")
        self.assertEqual(a.text, expected)
        self.assertEqual(a.headers, {"Content-Type": "text/plain; charset=utf-8",
                                     "X-Content-Type-Options": "nosniff"})
        body = f"{address:#x}+0x1+junk".encode()
        self.assertEqual(self.answer("/debug/pprof/symbol", method="POST", body=body).text, expected)
        self.assertEqual(self.answer(f"/debug/pprof/symbol?{address}").text, expected)

    def test_symbol_round_trip(self):
        """Every address of the heap profile goes in, and names come out."""
        keep = [s for s, _, labels in self.profile("heap").samples if labels["bytes"] == 1024][0]
        body = "+".join(f"{address:#x}" for address, _, _ in keep).encode()
        text = self.answer("/debug/pprof/symbol", method="POST", body=body).text
        self.assertRegex(text, r"(?m)^0x[0-9a-f]+ subject_keep$")
        self.assertRegex(text, r"(?m)^0x[0-9a-f]+ _start$")

    def test_unknown_profiles(self):
        self.error("/debug/pprof/nothing", 404, "Unknown profile")
        self.error("/debug/pprof/heap/x", 404, "Unknown profile")
        self.error("/debug/pprof/profile", 404, "Unknown profile: .* CPU .*")
        self.error("/debug/pprof/trace?seconds=1", 404, "Unknown profile: .* CPU .*")
        self.error("/nothing", 404, "404 page not found.*")

    def test_bad_seconds(self):
        for bad in ("x", "0", "-1", "1.5", "1s", "%20", "99999999999999999999"):
            for name in ("heap", "allocs", "threadcreate"):
                self.error(f"/debug/pprof/{name}?seconds={bad}", 400,
                           'invalid value for "seconds" - must be a positive integer')
        self.error("/debug/pprof/heap?seconds=1&debug=1", 400,
                   "seconds and debug params are incompatible")
        self.error("/debug/pprof/heap?seconds=601", 400, '"seconds" is over the limit of 600.*')

    def test_bad_debug_is_no_debug(self):
        self.profile("heap", "?debug=x")
        self.profile("heap", "?debug=0&seconds=")

    def test_delta(self):
        """What happens between the two snapshots, and nothing before."""
        done = []
        thread = threading.Thread(target=lambda: done.append(self.profile("heap", "?seconds=2")))
        thread.start()
        wait_for(self.subject.capturing, "the capture begins")
        self.subject.do("keep 3000 5000")
        self.subject.do("churn 2000 6000")
        thread.join()
        p = done[0]
        self.assertGreater(p.duration_ns, 1.9e9)
        sizes = {labels["bytes"] for s, _, labels in p.samples
                 if any("subject_keep" in names for _, names, _ in s)}
        self.assertEqual(sizes, {5120})  # of 1024 bytes there were 2000 before
        kept, churned = p.sum_of("subject_keep"), p.sum_of("subject_churn")
        self.assertGreater(kept[2], 2000)
        self.assertGreater(churned[0], 1000)
        self.assertEqual(churned[2:], [0, 0])

    def test_one_capture_at_a_time(self):
        with self.subject.connect() as first:
            first.sendall(b"GET /debug/pprof/heap?seconds=500 HTTP/1.1\r\n\r\n")
            wait_for(self.subject.capturing, "the capture begins")
            self.error("/debug/pprof/allocs?seconds=1", 503, "another capture .* under way.*")
            self.answer("/metrics")  # others are served meanwhile
        # Its client gone, the next one may.
        wait_for(lambda: not self.subject.capturing(), "the capture ends with its client")

    def test_delta_may_be_negative(self):
        with Subject(BURROW_PROFRATE="1") as s:
            s.do("keep 100 1000")
            with s.connect() as c:
                c.sendall(b"GET /debug/pprof/heap?seconds=1 HTTP/1.1\r\n\r\n")
                wait_for(s.capturing, "the capture begins")
                s.do("drop")
                answer = read_all(c).partition(b"\r\n\r\n")[2]
            self.assertEqual(Profile(answer).sum_of("subject_keep"), [0, 0, -100, -102400])

    def test_command_line_is_off(self):
        self.error("/debug/pprof/cmdline", 404, ".*BURROW_HTTP_CMDLINE=1.*")
        with Subject(BURROW_HTTP_CMDLINE="1") as s:
            a = s.get("/debug/pprof/cmdline")
            self.assertEqual((a.status, a.headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
            self.assertEqual(a.text, s.process.args[0].as_posix())

    def test_memstats(self):
        a = self.answer("/debug/memstats")
        self.assertEqual(a.headers["Content-Type"], "application/json; charset=utf-8")
        stats = json.loads(a.text)
        self.assertEqual(list(stats), MEMSTATS)
        self.assertEqual(len(stats["PauseNs"]), 256)
        self.assertGreaterEqual(stats["HeapObjects"], 2000)
        self.assertEqual(stats["HeapSys"], stats["HeapIdle"] + stats["HeapInuse"])
        self.assertEqual(stats["Sys"], sum(stats[n] for n in (
            "HeapSys", "StackSys", "MSpanSys", "MCacheSys", "BuckHashSys", "GCSys", "OtherSys")))
        self.assertGreater(stats["BuckHashSys"], 0)
        line = next(c for c in stats["BySize"] if c["Size"] == 1024)
        self.assertGreaterEqual(line["Mallocs"] - line["Frees"], 2000)
        self.assertEqual(list(line), ["Size", "Mallocs", "Frees"])

    def test_metrics(self):
        a = self.answer("/metrics")
        self.assertEqual(a.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertTrue(a.text.endswith("\n"))
        lines = a.text.split("\n")[:-1]
        names = []
        for help_, type_, sample in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
            name, value = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*) (\d+(?:\.\d+)?)", sample).groups()
            self.assertRegex(help_, rf"\A# HELP {name} \S[^\\]*\Z")
            kind = "counter" if name.endswith("_total") else "gauge"
            self.assertEqual(type_, f"# TYPE {name} {kind}")
            names.append(name)
            if name == "go_memstats_heap_objects":
                self.assertGreaterEqual(int(value), 2000)
        self.assertEqual(names, ["go_memstats_" + m for m in METRICS] + ["go_threads"])

    def test_methods(self):
        whole = self.answer("/debug/pprof/symbol")
        head = self.answer("/debug/pprof/symbol", method="HEAD")
        self.assertEqual((head.body, head.headers), (b"", whole.headers))
        a = self.answer("/metrics", 405, method="DELETE")
        self.assertEqual(a.headers["Allow"], "GET, HEAD, POST")

    def test_foreign_hosts_are_turned_away(self):
        a = self.subject.raw(b"GET /metrics HTTP/1.1\r\nHost: evil.example:80\r\n\r\n")
        self.assertEqual(a.status, 403)
        self.assertEqual(a.headers["X-Go-Pprof"], "1")
        for host in (b"localhost", b"127.0.0.1:1", b"[::1]:1"):
            a = self.subject.raw(b"GET /metrics HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
            self.assertEqual(a.status, 200)

    def test_malformed_and_oversize(self):
        for data, status in (
                (b"rubbish\r\n\r\n", 400),
                (b"GET /%zz HTTP/1.1\r\n\r\n", 400),
                (b"GET /?" + b"q" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
                (b"GET / HTTP/1.1\r\nA: " + b"a" * 17000, 431),
                (b"POST /debug/pprof/symbol HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", 413),
                (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + b"x" * 1100000,
                 413)):
            a = self.subject.raw(data)
            self.assertEqual(a.status, status, data[:60])
            self.assertEqual(a.headers["X-Go-Pprof"], "1")

    def test_escaped_path_and_expectation(self):
        self.assertEqual(self.subject.get("/debug/%70prof/symbol").status, 200)
        with self.subject.connect() as s:
            s.sendall(b"POST /debug/pprof/symbol HTTP/1.1\r\nExpect: 100-continue\r\n"
                      b"Content-Length: 3\r\n\r\n")
            self.assertEqual(s.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.sendall(b"0x1")
            self.assertTrue(read_all(s).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_server_does_not_sample_itself(self):
        with Subject(BURROW_PROFRATE="1") as s:
            for _ in range(3):
                s.get("/debug/pprof/heap?debug=1")
            text = s.get("/debug/pprof/allocs?debug=1").text
            self.assertIn("main", text)
            self.assertNotIn("burrow::debug", text)


if __name__ == "__main__":
    main()
