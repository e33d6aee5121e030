#!/usr/bin/env python3
"""`burrow c++` is a compiler driver like any, and says what it decided.

usage: driver_test.py BURROW
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BURROW = None

MAIN = """#include <cstdio>
#include <memory>
int* keep(int* p);
volatile int seen;
[[gnu::noinline]] static void look(const int* p) { seen = *p; }
int own(int n) {
  auto p = std::make_unique<int>(n); look(p.get());
  return *p + 1;
}
int main(int argc, char**) {
  int* kept = keep(new int(argc));
  std::printf("%d\\n", own(*kept));
  return 7;
}
"""
OTHER = "int* keep(int* p) { return p; }\n"

ACROSS = """#include <burrow/make.h>
#include <cstdio>
struct Node { long value; Node* next; };
long read(const Node* n);
extern int allocations;
int main() {
  Node* n = burrow::make<Node>();
  n->value = 5;
  long value = read(n);
  std::printf("%d %ld\\n", allocations, value);
}
"""
ACROSS_RUNTIME = """#include <burrow/make.h>
#include <cstdlib>
int allocations;
unsigned char burrow_gc_marking;
void burrow_gc_shade(void*) {}
void* burrow_gc_new(size_t bytes, const burrow::internal::TypeInfo*) {
  ++allocations;
  return calloc(1, bytes);
}
"""
ACROSS_OTHER = """struct Node { long value; Node* next; };
[[gnu::noinline]] long read(const Node* n) { return n->next ? n->next->value : n->value; }
"""


class Driver(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        (self.folder / "main.cc").write_text(MAIN)
        (self.folder / "other.cc").write_text(OTHER)

    def tearDown(self):
        self.temporary.cleanup()

    def burrow(self, *arguments, code=0):
        done = subprocess.run([BURROW, "c++", *arguments], cwd=self.folder, capture_output=True,
                              text=True, timeout=200)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def program(self, name="a.out"):
        done = subprocess.run([self.folder / name], capture_output=True, text=True, timeout=60)
        return done.stdout, done.returncode

    def test_compiles_and_links(self):
        for level in ("-O0", "-O1", "-O2", "-O3"):
            done = self.burrow(level, "main.cc", "other.cc", "-o", "program")
            self.assertEqual(done.stderr, "")
            self.assertEqual(self.program("program"), ("2\n", 7))

    def test_objects_then_link(self):
        self.burrow("-O2", "-c", "main.cc")
        self.burrow("-O2", "-c", "other.cc", "-o", "other.o")
        self.assertEqual(self.burrow("main.o", "other.o").stderr, "")
        self.assertEqual(self.program(), ("2\n", 7))

    def test_lto(self):
        self.burrow("-O2", "-flto", "--elide-new", "main.cc", "other.cc")
        self.assertEqual(self.program(), ("2\n", 7))

    def test_lto_knows_functions_of_other_files(self):
        (self.folder / "a.cc").write_text(ACROSS)
        (self.folder / "b.cc").write_text(ACROSS_OTHER)
        (self.folder / "runtime.cc").write_text(ACROSS_RUNTIME)
        self.burrow(f"-I{HERE / 'include'}", "-c", "runtime.cc")
        for options, allocations in ((["-O2"], "1"), (["-O2", "-flto"], "0")):
            self.burrow(*options, f"-I{HERE / 'include'}", "a.cc", "b.cc", "runtime.o",
                        "-o", "across")
            self.assertEqual(self.program("across"), (f"{allocations} 5\n", 0), options)

    def across(self, *options, other=ACROSS_OTHER):
        """Compiles b.cc, then a.cc with b.o's summaries."""
        include = f"-I{HERE / 'include'}"
        (self.folder / "a.cc").write_text(ACROSS)
        (self.folder / "b.cc").write_text(other)
        (self.folder / "runtime.cc").write_text(ACROSS_RUNTIME)
        self.burrow(*options, include, "-c", "b.cc")
        self.burrow(*options, include, "-c", "runtime.cc")
        return self.burrow(*options, include, "--summaries=b.o", "-c", "a.cc")

    def test_summaries_of_other_objects(self):
        for options in (["-O0"], ["-O2"], ["-O2", "-fsanitize=address"]):
            self.assertEqual(self.across(*options).stderr, "")
            self.burrow(*options, "a.o", "b.o", "runtime.o", "-o", "across")
            self.assertEqual(self.program("across"), ("0 5\n", 0), options)

    def test_summaries_of_archives(self):
        self.across("-O2")
        subprocess.run(["ar", "rcs", "libb.a", "runtime.o", "b.o"], cwd=self.folder, check=True)
        self.burrow("-O2", f"-I{HERE / 'include'}", "--summaries=libb.a", "-c", "a.cc")
        self.burrow("a.o", "libb.a", "-Wl,--gc-sections", "-o", "across")
        self.assertEqual(self.program("across"), ("0 5\n", 0))
        sections = subprocess.run(["readelf", "-SW", "across"], cwd=self.folder, check=True,
                                  capture_output=True, text=True).stdout
        self.assertNotIn(".burrow.escape", sections)

    def test_an_object_that_says_something_else_now_is_not_linked(self):
        self.across("-O2")
        leaks = ACROSS_OTHER.replace("[[gnu", "const Node* kept;\n[[gnu").replace(
            "return", "kept = n; return")
        (self.folder / "b.cc").write_text(leaks)
        self.burrow("-O2", "-c", "b.cc")
        said = self.burrow("a.o", "b.o", "runtime.o", code=1).stderr
        self.assertIn("burrow_summaries_changed.compile_again_what_relied_on.b.cc", said)
        self.across("-O2", other=leaks)
        self.burrow("a.o", "b.o", "runtime.o", "-o", "across")
        self.assertEqual(self.program("across"), ("1 5\n", 0))

    def test_an_object_that_says_the_same_is_linked(self):
        self.across("-O2")
        (self.folder / "b.cc").write_text(ACROSS_OTHER.replace(": n->value", ": n->value + 1"))
        self.burrow("-O2", "-c", "b.cc")
        self.burrow("a.o", "b.o", "runtime.o", "-o", "across")
        self.assertEqual(self.program("across"), ("0 6\n", 0))

    def test_without_a_summary_arguments_escape(self):
        include = f"-I{HERE / 'include'}"
        self.across("-O2")
        (self.folder / "text").write_text("no object")
        done = self.burrow("-O2", include, "--summaries=text", "-c", "a.cc")
        self.assertIn("warning: burrow: no object file or archive", done.stderr)
        for options in (["--summaries=missing.o"], ["--summaries=b.o", "-fPIC"],
                        ["--summaries=plain.o"]):
            subprocess.run(["clang++-19", "-c", "b.cc", "-o", "plain.o"], cwd=self.folder, check=True)
            self.burrow("-O2", include, *options, "-c", "a.cc")
            self.burrow("a.o", "b.o", "runtime.o", "-o", "across")
            self.assertEqual(self.program("across"), ("1 5\n", 0), options)

    def test_what_the_linker_may_replace_has_no_summary_for_others(self):
        self.across("-O2", other=ACROSS_OTHER.replace("[[gnu::noinline]]", "[[gnu::weak]]"))
        self.burrow("a.o", "b.o", "runtime.o", "-o", "across")
        self.assertEqual(self.program("across"), ("1 5\n", 0))

    def test_an_object_depends_on_the_summaries_that_it_relies_on(self):
        self.across("-O2", "-MD")
        self.assertIn(" b.o", (self.folder / "a.d").read_text())

    def test_response_file(self):
        (self.folder / "args").write_text("-O2 main.cc other.cc -o from_file\n")
        self.burrow("@args")
        self.assertEqual(self.program("from_file"), ("2\n", 7))

    def test_exit_codes(self):
        (self.folder / "bad.cc").write_text("int main() { return }\n")
        self.assertIn("error:", self.burrow("-c", "bad.cc", code=1).stderr)
        self.burrow("-c", "missing.cc", code=1)
        self.burrow("--no-such-option", "main.cc", code=1)

    def test_is_clang_otherwise(self):
        self.assertIn("clang version 19", self.burrow("--version").stdout)
        self.assertIn("int own(int n)", self.burrow("-E", "-P", "main.cc").stdout)

    def test_says_what_lives_where(self):
        said = self.burrow("-m", "-O2", "-c", "main.cc").stderr.splitlines()
        self.assertIn("main.cc:7:12: make_unique<int> does not escape", said)
        self.assertIn("main.cc:11:20: new escapes to heap", said)
        self.assertEqual(said, sorted(said, key=lambda line: [int(n) for n in line.split(":")[1:3]]))

    def test_says_what_was_moved(self):
        said = self.burrow("-m", "--elide-new", "-O2", "-c", "main.cc").stderr
        self.assertIn("main.cc:7:12: moved to stack: make_unique<int>\n", said)

    def test_says_by_which_flow(self):
        said = self.burrow("-m=2", "-O2", "-c", "main.cc").stderr
        self.assertRegex(said, r"main.cc:11:20:   flow: \{heap\} = .*keep\(int\*\) \(main.cc:11:15\)")

    def test_says_it_for_programs(self):
        said = self.burrow("-m=json", "-O2", "-c", "main.cc").stderr
        found = [json.loads(line) for line in said.splitlines()]
        new = next(one for one in found if one["line"] == 11 and one["what"] == "new")
        self.assertEqual((new["file"], new["column"], new["decision"]),
                         ("main.cc", 20, "new escapes to heap"))
        self.assertTrue(new["flow"])

    def test_remarks(self):
        said = self.burrow("-O2", "-c", "main.cc", "-Rpass=burrow-escape",
                           "-Rpass-missed=burrow-escape").stderr
        self.assertIn("main.cc:11:20: remark: new escapes to heap", said)
        self.burrow("-O2", "-c", "main.cc", "-fsave-optimization-record", "-o", "main.o")
        self.assertIn("burrow-escape", (self.folder / "main.opt.yaml").read_text())


if __name__ == "__main__":
    BURROW = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
