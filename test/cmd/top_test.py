#!/usr/bin/env python3
"""`burrow top` beside `go tool pprof -top`: the same rows. usage: top_test.py BUILD_DIR"""
import gzip
import itertools
import re
import unittest

from support import KNOWN, PYTHON, Case, burrow, clean_environment, need, run

TYPES = ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
ROW = re.compile(r"\s*(\S+)\s+(\S+%)\s+(\S+%)\s+(\S+)\s+(\S+%)\s+(.*)$")


def pprof_rows(profile, *options):
    out = run("go", "tool", "pprof", "-top", *options, profile,
              env=clean_environment(HOME=str(profile.parent)), cwd="/").stdout
    rows = []
    for line in out.split("flat%", 1)[1].splitlines()[1:]:
        *figures, name = ROW.match(line).groups()
        rows.append((*figures, re.sub(r" \((partial-)?inline\)$", "", name)))
    return rows


def burrow_rows(profile, *options, lines=False):
    out = burrow("top", *options, profile).stdout
    rows = []
    for line in out.split("cum%", 1)[1].splitlines()[1:]:
        *figures, text = ROW.match(line).groups()
        name, _, place = text.rstrip().partition("  ")
        rows.append((*figures, f"{name} {place.strip()}" if lines and place else name))
    return rows


@need("go")
class Top(Case):
    def setUp(self):
        super().setUp()
        self.profile = self.top / "heap.pb.gz"

    def record(self, *command, rate="1", **env):
        burrow("run", "--rate", rate, "--profile", self.profile, "--", *command,
               env=clean_environment(**env))

    def expect_agreement(self):
        for type_, lines in itertools.product(TYPES, (False, True)):
            with self.subTest(type=type_, lines=lines):
                # What has no function here pprof would look for in the files.
                theirs = ["-nodefraction=0", "-symbolize=none", f"-sample_index={type_}"] + ["-lines"] * lines
                ours = ["-n", "0", "--by", type_] + ["--lines"] * lines
                hidden = r"-hide=^(std|__gnu_cxx)::"
                self.assertEqual(burrow_rows(self.profile, *ours, lines=lines),
                                 pprof_rows(self.profile, hidden, *theirs))
                ours.append("--std")
                expected = pprof_rows(self.profile, *theirs)
                self.assertGreater(len(expected), 2)
                self.assertEqual(burrow_rows(self.profile, *ours, lines=lines), expected)
                if type_ == "alloc_space":
                    self.assertEqual(burrow_rows(self.profile, *ours, "--unit", "kB", lines=lines),
                                     pprof_rows(self.profile, *theirs, "-unit=kB"))
                    self.assertEqual(burrow_rows(self.profile, *ours, "--cum", lines=lines),
                                     pprof_rows(self.profile, *theirs, "-cum"))

    def test_cplusplus(self):
        self.record(KNOWN)
        self.expect_agreement()

    def test_python(self):
        self.record(PYTHON, "-c", "import json; x = [json.dumps([i] * 9) for i in range(3000)]",
                    rate="512", PYTHONMALLOC="malloc")
        self.expect_agreement()

    def test_cplusplus_program_with_templates(self):
        program = self.compile("templates", """
            #include <functional>
            #include <map>
            #include <memory>
            #include <string>
            #include <vector>
            namespace { template <class T> struct Box { std::map<T, std::vector<std::string>> m;
              void operator()(T t) { m[t].emplace_back(100, 'x'); } operator bool() { return true; } }; }
            int main() {
              Box<int> box;
              std::function<void(int)> f = [&](int i) { box(i); };
              for (int i = 0; i < 500; ++i) f(i);
              auto p = std::make_shared<std::string>(200, 'y');
              return box && p ? 0 : 1;
            }""", "-g", "-std=c++20")
        self.record(program)
        self.expect_agreement()

    def test_what_std_allocates_is_its_callers(self):
        program = self.compile("leak", """
            #include <string>
            #include <thread>
            #include <unordered_map>
            #include <vector>
            struct Session { std::string user; std::vector<char> scratch; };
            static std::unordered_map<int, Session> sessions;
            __attribute__((noinline)) std::vector<char> parse_body(int n) { return std::vector<char>(n, 'x'); }
            __attribute__((noinline)) void remember_session(int id) {
              sessions.emplace(id, Session{std::string(300, 'u'), parse_body(3000)});
            }
            int main() { std::thread([] { for (int i = 0; i < 500; ++i) remember_session(i); }).join(); }
            """, "-g", "-std=c++20", "-O0", compiler="g++-12")
        self.record(program)
        names = [row[-1] for row in burrow_rows(self.profile, "--by", "alloc_space")]
        self.assertEqual(names[:2], ["parse_body", "remember_session"])
        self.assertEqual([name for name in names if name.startswith("std::")], [])
        self.assertTrue(burrow_rows(self.profile, "--std", "--by", "alloc_space")[0][-1].startswith("std::"))

    def test_a_wrong_type_is_said_before_a_server_is_asked(self):
        done = burrow("top", "--by", "inuse", "localhost:1", code=2)
        self.one_line(done, "--by inuse", "inuse_space")

    def test_defaults(self):
        self.record(KNOWN)
        first = burrow("top", self.profile).stdout
        self.assertIn("\nType: inuse_space\n", first)
        self.assertEqual(first, burrow("top", self.profile, "--by", "inuse_space", "-n", "20").stdout)
        self.assertEqual(len(burrow_rows(self.profile, "-n", "3")), 3)

    def test_plain_protobuf_and_more_than_one_gzip_member(self):
        self.record(KNOWN)
        expected = burrow("top", self.profile).stdout
        data = gzip.decompress(self.profile.read_bytes())
        plain = self.top / "plain.pb"
        plain.write_bytes(data)
        self.assertEqual(burrow("top", plain).stdout, expected)
        plain.write_bytes(gzip.compress(data[:1000]) + gzip.compress(data[1000:]))
        self.assertEqual(burrow("top", plain).stdout, expected)

    def test_a_profile_of_go(self):
        (self.top / "main.go").write_text("""package main
            import ("os"; "runtime"; "runtime/pprof")
            var kept [][]byte
            type T[P any] struct{ p P }
            func (t *T[P]) fill(n int) { for i := 0; i < n; i++ { kept = append(kept, make([]byte, 1024)) } }
            func main() {
              runtime.MemProfileRate = 1
              t := &T[int]{}
              t.fill(100)
              runtime.GC()
              pprof.Lookup("allocs").WriteTo(os.Stdout, 0)
            }""")
        env = clean_environment(HOME=str(self.top), GOFLAGS="-mod=mod", GO111MODULE="off",
                                GOCACHE=str(self.top / "cache"))
        run("go", "build", "-o", self.top / "program", self.top / "main.go", env=env)
        self.profile.write_bytes(run(self.top / "program", text=False).stdout)
        self.expect_agreement()
        self.assertIn("Type: alloc_space", burrow("top", self.profile).stdout)

    def test_what_is_no_profile(self):
        for content in (b"", b"text\n", b"\x1f\x8b", gzip.compress(b"text"), b"\x00" * 1000):
            self.profile.write_bytes(content)
            done = burrow("top", self.profile, code=1)
            self.one_line(done, str(self.profile))
        self.record(KNOWN)
        whole = self.profile.read_bytes()
        self.profile.write_bytes(whole[:len(whole) // 2])
        self.one_line(burrow("top", self.profile, code=1), "damaged")
        self.one_line(burrow("top", self.top / "none", code=1), "no file")
        self.one_line(burrow("top", self.top, code=1), str(self.top))

    def test_wrong_arguments(self):
        self.record(KNOWN)
        self.one_line(burrow("top", "--by", "space", self.profile, code=2), "inuse_space")
        self.one_line(burrow("top", "--unit", "ms", self.profile, code=2), "bytes")


if __name__ == "__main__":
    unittest.main()
