#!/usr/bin/env python3
"""Each check passes a tree that is right and fails one that is wrong, saying where."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ESSAY = "".join(f"// {part}. It is so.\n" for part in
                ("What", "How", "Invariants", "Locks", "Rejected"))


class Checks(unittest.TestCase):
    def check(self, name, files):
        """Runs a check over a tree of these files; its exit code and what it said."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text.replace("@ROOT@", folder))
            subprocess.run(["git", "init", "-q", folder], check=True)
            done = subprocess.run([sys.executable, "-B", HERE / f"{name}.py", "--root", folder],
                                  capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

    def passes(self, name, files):
        code, said = self.check(name, files)
        self.assertEqual(code, 0, said)
        return said

    def fails(self, name, files, where):
        code, said = self.check(name, files)
        self.assertEqual(code, 1, said)
        self.assertIn(where, said)

    def test_format(self):
        style = {".clang-format": (ROOT / ".clang-format").read_text()}
        self.passes("format", {**style, "a.cc": "int f() {\n  return 1;\n}\n"})
        self.fails("format", {**style, "a.cc": "int f( ){ return 1;}\n"}, "a.cc:1")

    def test_layers(self):
        layers = {"tools/layers.txt": "base:\nheap: base\n"}
        self.passes("layers", {**layers, "src/heap/a.h": '#include "base/b.h"\n'})
        self.fails("layers", {**layers, "src/base/b.h": '#include "heap/a.h"\n'}, "src/base/b.h:1")
        self.fails("layers", {**layers, "src/other/b.h": "\n"}, "no layer other")
        self.fails("layers", {"tools/layers.txt": "heap: base\nbase:\n"}, "not below it")

    def test_macros(self):
        self.passes("macros", {"src/base/a.h": "#define CHECK(x) x\n#define BURROW_X(y) y\n",
                               "src/base/a_test.cc": "#define EXPECT_A(x) x\n",
                               "src/os/b.cc": "#if defined(__linux__)\n#endif\n"})
        self.fails("macros", {"src/base/a.h": "\n#define MAX(a, b) a\n"}, "src/base/a.h:2")
        self.fails("macros", {"src/base/a.h": "#define EXPECT_A(x) x\n"}, "src/base/a.h:1")
        self.fails("macros", {"src/heap/a.cc": "#ifdef __x86_64__\n#endif\n"}, "src/heap/a.cc:1")

    def test_locks(self):
        ranks = ("constexpr OverFork over_fork(LockRank rank) { switch (rank) { case LockRank::kA:\n"
                 "return OverFork::kForgotten; case LockRank::kB: return OverFork::kTaken; } }\n")
        taken = "Mutex g_lock{LockRank::kB};\n"
        visit = "auto p = [](auto visit) { visit(g_lock); };\n"
        self.passes("locks", {"src/base/mutex.h": ranks, "src/x/a.cc": "Mutex g_a{LockRank::kA};\n"})
        self.passes("locks", {"src/base/mutex.h": ranks, "src/x/a.cc": taken + visit})
        self.passes("locks", {"src/base/mutex.h": ranks,
                              "src/x/a.cc": taken + "RankedMutex& b_lock() {\n  return g_lock;\n}\n",
                              "src/x/fork.cc": "auto p = [](auto visit) { visit(x.b_lock()); };\n"})
        self.fails("locks", {"src/base/mutex.h": ranks, "src/x/a.cc": taken}, "src/x/a.cc:1: g_lock")
        self.fails("locks", {"src/base/mutex.h": ranks, "src/x/a.cc": "Mutex g_c{LockRank::kC};\n"},
                   "src/x/a.cc:1: g_c")
        # Another file's lock of the same name does not count.
        self.fails("locks", {"src/base/mutex.h": ranks, "src/x/a.cc": taken, "src/x/b.cc": visit},
                   "src/x/a.cc:1: g_lock")
        self.fails("locks", {"src/base/mutex.h": ranks, "src/x/a.cc": "pthread_atfork(a, b, c);\n"},
                   "src/x/a.cc:1: pthread_atfork")

    def test_sizes(self):
        said = self.passes("sizes", {"a.cc": "\n" * 800, "b.cc": "\n" * 400})
        self.assertIn("question: a.cc", said)
        self.assertNotIn("b.cc", said)
        self.fails("sizes", {"a.cc": "\n" * 801}, "a.cc: 801 lines")

    def test_essays(self):
        layers = {"tools/layers.txt": "base:\n"}
        code = "#pragma once\nint known;  // see `known`\n"
        self.passes("essays", {**layers, "src/base/a.h": ESSAY + code})
        self.fails("essays", {**layers, "src/base/a.h": code}, "src/base: no header opens")
        self.fails("essays", {**layers, "src/base/a.h": ESSAY.replace("// Locks", "// Keys") + code},
                   "src/base: no header opens")
        self.fails("essays", {**layers, "src/base/a.h": ESSAY + code + "// `gone` is no more\n"},
                   "src/base/a.h: `gone`")
        self.fails("essays", {**layers, "src/base/a.h": ESSAY + code,
                              "docs/glossary.md": "| `known` |\n| `later` | coming |\n| `lost` |\n"},
                   "docs/glossary.md: `lost`")
        reads = 'auto a = env("BURROW_A"); auto b = debug_option("b");\n'
        page = "| `BURROW_A` | x |\n| `b=1` | x |\n{}\n## Addresses\n| `c=1` | x |\n"
        self.passes("essays", {"tools/layers.txt": "", "src/base/a.cc": reads,
                               "docs/debug-vars.md": page.format("")})
        self.fails("essays", {"tools/layers.txt": "", "src/base/a.cc": reads,
                              "docs/debug-vars.md": page.format("| `BURROW_D` | x |")},
                   "BURROW_D is in docs/debug-vars.md alone")
        self.fails("essays", {"tools/layers.txt": "", "src/base/a.cc": reads + 'debug_option("e")',
                              "docs/debug-vars.md": page.format("")}, "e= is in the code alone")

    def test_figures(self):
        results = {"bench/results/a.md": "| row | 1,200 | 2.5 |\n"}
        table = "## Figures\n\n| What | Burrow | Beside | Ratio |\n|---|---:|---:|---:|\n"
        said = self.passes("figures", {**results, "README.md": table + "| x | 2.5 ns | 1,200 ns (y) | 0.00 |\n"})
        self.assertIn("1 rows", said)
        self.fails("figures", {**results, "README.md": table + "| x | 2.6 | 1,200 | 0.00 |\n"}, "README.md:5: 2.6")
        self.fails("figures", {**results, "README.md": table + "| x | 1,200 | 2.5 | 1.00 |\n"}, "not the ratio")

    def test_links(self):
        self.passes("links", {"a.md": "# A b!\n[x](b.md#two-words) [y](#a-b) [z](https://a.b/c)\n"
                                      "`src/a.h`\n| `src/later.h` | coming |\n",
                              "b.md": "## Two words\n", "src/a.h": ""})
        self.fails("links", {"a.md": "\n[x](b.md)\n"}, "a.md:2: b.md")
        self.fails("links", {"a.md": "[x](b.md#no)\n", "b.md": "# Yes\n"}, "no such heading")
        self.fails("links", {"a.md": "see `src/gone.h`\n"}, "a.md:1: src/gone.h")

    def test_scripts(self):
        good = "#!/bin/bash\nif true; then echo yes; fi\n"
        self.passes("scripts", {"a.sh": good, "b": good, "c.py": "x = 1\n"})
        self.fails("scripts", {"a.sh": "if true; then\n"}, "a.sh")
        self.fails("scripts", {"b": "#!/bin/bash\ncd $1; rm -rf \"$2/\"*; [ $x = ] \n"}, "In ")
        self.fails("scripts", {"c.py": "\nx = = 1\n"}, "c.py:2")

    def test_headers(self):
        self.passes("headers", {"src/base/a.h": "#pragma once\n#include <cstddef>\nstd::size_t f();\n",
                                "include/burrow/b.h": "#pragma once\n"})
        self.fails("headers", {"src/base/a.h": "#pragma once\nstd::size_t f();\n"}, "src/base/a.h:2")
        self.fails("headers", {"src/base/a.h": "#pragma once\n",
                               "include/burrow/b.h": '#include "base/a.h"\n'}, "burrow/b.h:1")

    def tidy_tree(self, source):
        return {".clang-tidy": (ROOT / ".clang-tidy").read_text(), "src/base/a.cc": source,
                ".gitignore": "/build/\n",
                "build/release/compile_commands.json": json.dumps([{
                    "directory": "@ROOT@", "file": "@ROOT@/src/base/a.cc",
                    "command": "clang++-19 -std=c++20 -c @ROOT@/src/base/a.cc"}])}

    def test_tidy(self):
        said = self.passes("tidy", self.tidy_tree("int good_name() {\n  return 1;\n}\n"))
        self.assertIn("1 sources", said)
        self.fails("tidy", self.tidy_tree("int BadName() {\n  return 1;\n}\n"),
                   "readability-identifier-naming")
        long = "void f(int* p) {\n" + "  *p += 1;\n" * 71 + "}\n"
        self.fails("tidy", self.tidy_tree(long), "readability-function-size")
        tree = self.tidy_tree('#include <vector>\n#include "base/a.h"\n')
        tree["src/base/a.h"] = "inline int BadName() {\n  return 1;\n}\n"
        tree["build/release/compile_commands.json"] = tree[
            "build/release/compile_commands.json"].replace("-c", "-I @ROOT@/src -c")
        self.fails("tidy", tree, "a.h:1:12: error: invalid case style for function 'BadName'")

    def test_tidy_keeps_to_own_code(self):
        sys.path.insert(0, str(HERE))
        import tidy
        with tempfile.TemporaryDirectory() as folder:
            library = tidy.own_code(pathlib.Path(folder))
            source = pathlib.Path(folder) / "a.cc"
            source.write_text("#include <vector>\n")

            def found(*more):
                command = [tidy.TIDY, "--checks=-*,burrow-own,readability-identifier-naming",
                           f"--config-file={ROOT / '.clang-tidy'}", *more, str(source), "--"]
                said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
                return int(re.search(r"(\d+) warnings generated", said)[1])

            # What is left are macros, which are found before the check's turn.
            self.assertLess(found(f"--load={library}"), found() / 2)

    def test_clean_results_are_remembered_and_unclean_ones_are_not(self):
        sys.path.insert(0, str(HERE))
        import common
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "src").mkdir()
            source, header = root / "src/a.cc", root / "src/b.h"
            source.write_text('#include "b.h"\n')
            header.write_text("int a;\n")
            first = common.stamp(root / "cache", source, root, "x")
            self.assertEqual(first, common.stamp(root / "cache", source, root, "x"))
            self.assertNotEqual(first, common.stamp(root / "cache", source, root, "y"))
            header.write_text("int b;\n")
            self.assertNotEqual(first, common.stamp(root / "cache", source, root, "x"))


if __name__ == "__main__":
    unittest.main()
