#!/usr/bin/env python3
"""`burrow c++` is a compiler driver like any, and says what it decided.

usage: driver_test.py BURROW
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

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
        (self.folder / "cut.o").write_bytes((self.folder / "b.o").read_bytes()[:700])
        for name, old, new in (("damaged.o", b";0.3>r", b";0.2>r"), ("older.o", b"-escape 3 ", b"-escape 2 ")):
            whole = (self.folder / "b.o").read_bytes()
            self.assertIn(old, whole)
            (self.folder / name).write_bytes(whole.replace(old, new))
        subprocess.run(["clang++-19", "-c", "b.cc", "-o", "plain.o"], cwd=self.folder, check=True)
        for options, says in (
                (["--summaries=missing.o"], "missing.o cannot be read: No such file or directory"),
                (["--summaries=."], "cannot be read: Is a directory"),
                (["--summaries=text"], "text is no object file or archive"),
                (["--summaries=cut.o"], "cut.o is no object file or archive"),
                (["--summaries=plain.o"], "plain.o has no summaries: compile it with the plugin, too"),
                (["--summaries=damaged.o"], "damaged.o has damaged summaries, which do not count"),
                (["--summaries=older.o"], "of another version of the plugin, which do not count"),
                (["--summaries=b.o", "-fPIC"], "no effect with -fPIC")):
            done = self.burrow("-O2", include, *options, "-c", "a.cc")
            self.assertRegex(done.stderr, r"^warning: burrow: --summaries")
            self.assertIn(says, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)  # and clang's count
            self.burrow("a.o", "b.o", "runtime.o", "-o", "across")
            self.assertEqual(self.program("across"), ("1 5\n", 0), options)

    def test_what_the_linker_may_replace_has_no_summary_for_others(self):
        self.across("-O2", other=ACROSS_OTHER.replace("[[gnu::noinline]]", "[[gnu::weak]]"))
        self.burrow("a.o", "b.o", "runtime.o", "-o", "across")
        self.assertEqual(self.program("across"), ("1 5\n", 0))

    def test_an_object_depends_on_the_summaries_that_it_relies_on(self):
        self.across("-O2", "-MD")
        self.assertIn(" b.o", (self.folder / "a.d").read_text())

    def test_summaries_are_an_input_for_ccache(self):
        """ccache in front of the compiler: what relied on a function is compiled again when it changes."""
        links = self.folder / "ccache_links"
        links.mkdir()
        (links / "clang++-19").symlink_to(shutil.which("ccache"))
        environment = {"PATH": f"{links}:{os.environ['PATH']}", "CCACHE_DIR": str(self.folder / "cache")}
        leaks = ACROSS_OTHER.replace("[[gnu", "const Node* kept;\n[[gnu").replace(
            "return", "kept = n; return")
        for other, prints in ((ACROSS_OTHER, "0 5\n"), (ACROSS_OTHER, "0 5\n"), (leaks, "1 5\n")):
            with unittest.mock.patch.dict(os.environ, environment):
                self.across("-O2", other=other)
            self.burrow("a.o", "b.o", "runtime.o", "-o", "across")
            self.assertEqual(self.program("across"), (prints, 0))
        stats = subprocess.run(["ccache", "--print-stats"], env={**os.environ, **environment},
                               capture_output=True, text=True, check=True).stdout
        hits = re.search(r"^direct_cache_hit\s+(\d+)$", stats, re.M)
        self.assertGreaterEqual(int(hits[1]), 2, stats)

    def test_objects_for_lto_carry_no_summaries(self):
        for options, carries in ((["-O2"], True), (["-O2", "-flto"], False), (["-O2", "-flto=thin"], False)):
            self.burrow(*options, "-S", "-emit-llvm", "other.cc", "-o", "other.ll")
            text = (self.folder / "other.ll").read_text()
            self.assertEqual(".burrow.escape" in text, carries, options)

    def test_two_copies_of_the_plugin(self):
        """One line, no crash."""
        copy = shutil.copy(BURROW.parent / "burrow-plugin.so", self.folder / "copy.so")
        own = BURROW.parent / "burrow-plugin.so"
        for options in ([f"-fplugin={copy}"], [f"-fpass-plugin={copy}"]):
            done = self.burrow("-c", "main.cc", *options, code=1)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(f"two copies of the plugin are loaded, {own} and {copy}", done.stderr)
            self.assertFalse((self.folder / "main.o").exists())
        self.burrow("-c", "main.cc", f"-fplugin={own}", f"-fpass-plugin={own}")
        (self.folder / "link.so").symlink_to(own)
        self.burrow("-c", "main.cc", "-fplugin=./link.so")

    def test_is_cxx20_unless_told_otherwise(self):
        (self.folder / "version.cc").write_text("#include <cstdio>\nint main() { printf(\"%ld\", __cplusplus); }\n")
        for options, version in (([], "202002"), (["-std=c++23"], "202302"), (["--std=c++17"], "201703"),
                                 (["-std=gnu++20"], "202002")):
            self.assertEqual(self.burrow(*options, "version.cc", "-o", "version").stderr, "")
            self.assertEqual(self.program("version")[0], version)
        (self.folder / "c.c").write_text("int class;\nint main(void) { return class; }\n")
        self.assertEqual(self.burrow("-x", "c", "c.c", "-o", "c").stderr, "")
        self.assertEqual(self.program("c"), ("", 0))

    def test_precompiled_headers(self):
        (self.folder / "pre.h").write_text(
            "#pragma once\n#include <burrow/gc.h>\n#include <cstdio>\n"
            "struct Pre { long a = 3; Pre* next = nullptr; };\n")
        (self.folder / "use.cc").write_text(
            "int main() { auto* p = burrow::make<Pre>(); std::printf(\"%ld\\n\", p->a); }\n")
        for level in ("-O0", "-O2"):
            self.assertEqual(self.burrow(level, "-x", "c++-header", "pre.h", "-o", "pre.pch").stderr, "")
            said = self.burrow(level, "-m", "-include-pch", "pre.pch", "use.cc").stderr
            self.assertEqual(said, "use.cc:1:24: make<Pre> does not escape\n")
            self.assertEqual(self.program(), ("3\n", 0))
        self.burrow("pre.h")
        self.assertTrue(list(self.folder.glob("pre.h.*ch")))

    def test_puns_in_precompiled_headers(self):
        """What is read of a header late, for code, is no less looked at: a union of pointers and numbers."""
        (self.folder / "pre.h").write_text(
            "#pragma once\n#include <burrow/make.h>\nextern int allocations;\nextern void* kept;\n"
            "inline void keep(void* p) {\n  union U { void* p; struct { int low, high; } n; } u, v;\n"
            "  u.p = p; v.n.low = u.n.low; v.n.high = u.n.high; kept = v.p; }\n")
        (self.folder / "use.cc").write_text(
            "#include <cstdio>\nint allocations; void* kept;\n"
            "int main() { keep(burrow::make<long>()); std::printf(\"%d\\n\", allocations); }\n")
        (self.folder / "runtime.cc").write_text(ACROSS_RUNTIME.replace("int allocations", "extern int allocations"))
        include = f"-I{HERE / 'include'}"
        self.burrow(include, "-O0", "-x", "c++-header", "pre.h", "-o", "pre.pch")
        self.burrow(include, "-O0", "-include-pch", "pre.pch", "use.cc", "runtime.cc")
        self.assertEqual(self.program(), ("1\n", 0))

    def test_links_to_the_command_by_a_compilers_name(self):
        for name in ("clang++", "c++", "clang++-19"):
            link = self.folder / name
            link.symlink_to(BURROW)
            path = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
            done = subprocess.run([link, "-m", "-O2", "-c", "main.cc"], cwd=self.folder, text=True,
                                  capture_output=True, timeout=100, env={**os.environ, **path})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("make_unique<int> does not escape", done.stderr)

    def test_is_what_cmake_takes_for_a_compiler(self):
        (self.folder / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(Wrapped LANGUAGES CXX)\n"
            "add_executable(wrapped main.cc other.cc)\n")
        (self.folder / "clang++").symlink_to(BURROW)
        for compiler in (f"{self.folder}/clang++", f"{BURROW};c++"):
            build = self.folder / compiler[-3:]
            for command in (["cmake", "-G", "Ninja", "-S", ".", "-B", build, f"-DCMAKE_CXX_COMPILER={compiler}"],
                            ["cmake", "--build", build, "-v"]):
                done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=100)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(self.program(build / "wrapped"), ("2\n", 7))

    def test_ways_in_which_build_tools_call_compilers(self):
        self.burrow("-m", "-save-temps", "main.cc", "other.cc", "-o", "kept")
        self.assertEqual(self.program("kept"), ("2\n", 7))
        self.assertTrue((self.folder / "main.s").exists())
        self.burrow("-m", "--barriers", "-c", "main.s", "-o", "main.o")
        self.burrow("-O2", "-S", "-emit-llvm", "main.cc")
        self.burrow("-O2", "main.ll", "other.cc")
        self.assertEqual(self.program(), ("2\n", 7))
        self.burrow("-c", "main.cc", "other.cc")
        self.burrow("-r", "main.o", "other.o", "-o", "both.o")
        self.burrow("both.o")
        self.assertEqual(self.program(), ("2\n", 7))
        self.burrow("-c", "main.cc", "-o", "/dev/null")
        self.assertEqual(self.burrow("-fsyntax-only", "-m", "main.cc").stderr, "")
        done = self.burrow("-c", "main.cc", "-o", "no/such/folder.o", code=1)
        self.assertRegex(done.stderr, r"^error: unable to open output file 'no/such/folder.o'")
        self.burrow("-static", "main.cc", "other.cc")
        self.assertEqual(self.program(), ("2\n", 7))

    def test_many_sites_and_variables_in_a_loop(self):
        """Asked once for the loop. When each site asked for itself, this took ten minutes and more."""
        body = "".join(f"N v{i}; N* p{i} = burrow::make<N>(); v{i}.next = p{i}; n += v{i}.next->v;\n"
                       for i in range(1600))
        (self.folder / "many.cc").write_text(
            "#include <burrow/make.h>\nstruct N { N* next; long v; };\n"
            f"long f(long n) {{ for (long k = 0; k < 9; ++k) {{ {body} }} return n; }}\n")
        self.burrow(f"-I{HERE / 'include'}", "-O0", "-c", "many.cc")

    def test_own_options_that_are_wrong(self):
        for options, says in ((["-m=3"], "c++: -m=3: write -m, -m=2 or -m=json"),
                              (["--summaries="], "c++: --summaries: name an object or an archive")):
            done = self.burrow(*options, "-c", "main.cc", code=2)
            self.assertEqual(done.stderr.splitlines()[1:], [])
            self.assertIn(says, done.stderr)

    def test_own_options_in_response_files(self):
        (self.folder / "args").write_text("-O2 -m -c\n'main.cc'\n")
        self.assertIn("does not escape", self.burrow("@args").stderr)

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
