#!/usr/bin/env python3
"""Pointer maps, write barriers, zeroed values: what programs compiled with the plugin find.

usage: maps_test.py PLUGIN
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import random_types
from support import run

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "test/gc"))
import types_test  # noqa: E402
PLUGIN = None
MORE = []  # options, of faults_test.py

NOSCAN, RAW, EXACT = "0", "1", "2"
# Only what is a Ptr<T> throughout, or no pointer at all, needs no help of who stores to it.
WITHOUT_BARRIERS = {
    "Private": [EXACT, "0", "2"], "PrivateNumbers": [NOSCAN], "Derived": [EXACT, "1", "3"],
    # Virtual1 at 0, Virtual2 at 16, d at 32, the shared Base at 40, each behind a vptr.
    "Diamond": [EXACT, "1", "3", "4", "6"], "Nested": [EXACT, "1", "3", "4", "6"],
    "Three": [EXACT, "1", "3", "4", "6", "8", "10", "11", "13", "15", "17", "18", "20"],
    "Plain": [RAW], "Self": [RAW], "WithUnion": [RAW], "WithNumbers": [EXACT, "1"],
    "Storage": [RAW], "Text": [RAW], "Code": [EXACT, "2"], "Told": [RAW], "HoldsTold": [RAW],
    "Bits": [EXACT, "1"], "string": [RAW], "vector": [RAW], "function": [RAW],
    "optional<Ptr>": [RAW], "optional<long>": [NOSCAN], "variant": [NOSCAN],
    "array": [EXACT, "0", "2", "3", "5"], "lambda": [EXACT, "0"], "lambda&": [RAW],
    "lambda*": [RAW],
}
WITH_BARRIERS = {**WITHOUT_BARRIERS, "Plain": [EXACT, "0", "1"], "Self": [EXACT, "0"],
                 "lambda&": [EXACT, "0"], "lambda*": [EXACT, "0"]}

BARRIERS = """
#include <burrow/make.h>
#include <cstdio>
#include <cstring>
#include <initializer_list>
unsigned char burrow_gc_marking;
int shaded[8], objects[8];
void burrow_gc_shade(void* value) {
  for (int n = 0; n < 8; ++n) shaded[n] += value == &objects[n];
}
void* burrow_gc_new(size_t, const burrow::internal::TypeInfo*) { return nullptr; }
struct Pair { int* a; int* b; };
struct Long { long n; int* a[5]; };
union Both { long n; int* p; };
[[gnu::noinline]] void store(Pair* to, int* p) { to->a = p; }
[[gnu::noinline]] void copy(Pair* to, const Pair* from) { *to = *from; }
[[gnu::noinline]] void copy_bytes(void* to, const void* from, size_t n) { memcpy(to, from, n); }
[[gnu::noinline]] void copy_union(Both* to, Both from) { *to = from; }
[[gnu::noinline]] void swap(int** to, int* p) { __atomic_exchange_n(to, p, __ATOMIC_SEQ_CST); }
[[gnu::noinline]] int* local(int* p) { int* volatile v = p; return v; }
[[gnu::noinline]] void number(long* to, long n) { *to = n; }
template <class T> T* opaque(T* p) { asm volatile("" : "+r"(p) : : "memory"); return p; }
int main(int argc, char**) {
  Pair* pair = opaque(new Pair{}), *other = opaque(new Pair{&objects[1], &objects[2]});
  Long* one = opaque(new Long{}), *two = opaque(new Long{});
  two->a[4] = opaque(&objects[3]);
  Both* both = opaque(new Both{});
  Both value; value.p = opaque(&objects[4]);
  int* slot = nullptr;
  for (unsigned char marking : {0, 1}) {
    burrow_gc_marking = marking;
    store(pair, opaque(&objects[0]));
    copy(pair, other);
    copy_bytes(one, two, sizeof *one);
    copy_union(both, value);
    swap(opaque(&slot), opaque(&objects[5]));
    local(opaque(&objects[6]));
    number(&one->n, argc);
    for (int& n : shaded) { printf("%d", n); n = 0; }
    puts("");
  }
}
"""


class Maps(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def library(self):
        """What the library has of barriers, compiled as it is: without the plugin."""
        made = self.folder / "copy.o"
        if not made.exists():
            run("clang++-19", "-std=c++20", "-O2", f"-I{ROOT / 'include'}", "-c",
                ROOT / "src/gc/copy.cc", "-o", made)
        return made

    def built(self, source, *options):
        done = run("clang++-19", "-std=c++20", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}",
                   f"-I{HERE / 'include'}", f"-I{ROOT / 'include'}", "-Wno-invalid-offsetof",
                   *options, *MORE, source, self.library(), "-o", self.folder / "program")
        return run(self.folder / "program").stdout, done.stderr

    def maps(self, *options):
        said, _ = self.built(HERE / "maps.cc", *options)
        found = {}
        for line in said.splitlines():
            name, kind, *words = line.split()
            found[name] = [kind, *words] if kind == EXACT else [kind]
        return found

    def test_maps(self):
        for level in ("-O0", "-O2"):
            self.assertEqual(self.maps(level), WITHOUT_BARRIERS)

    def test_maps_with_barriers(self):
        self.assertEqual(self.maps("-O2", "-mllvm", "-burrow-barriers"), WITH_BARRIERS)

    def test_types_whose_layout_may_be_misread(self):
        plugin = (f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}", "-D__BURROW_PLUGIN__", *MORE)
        for level in ("-O0", "-O2"):
            found, errors = types_test.maps("clang++-19", ROOT / "include", level, *plugin)
            self.assertEqual(found, types_test.by_plugin(), errors)

    def test_pointers_that_are_not_aligned(self):
        """Those that the headers cannot see; the headers' own check is taken out of the way here."""
        include = self.folder / "include"
        shutil.copytree(ROOT / "include", include)
        header = include / "burrow/internal/type_map.h"
        check = "alignof(T) >= alignof(void*) || "
        self.assertEqual(header.read_text().count(check), 1)
        header.write_text(header.read_text().replace(check, "true || "))
        plugin = (f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}", "-D__BURROW_PLUGIN__", *MORE)
        for number, says in types_test.packed_cases().items():
            said = types_test.compile_packed("clang++-19", include, number, *plugin)
            if "warned" in says:
                member = says.split("warned: ")[1]
                self.assertEqual(len(said), 1, (number, said))
                self.assertRegex(said[0], rf"^warning: \S+:\d+:\d+: the pointer in {member} of T is not aligned, "
                                          r"and the collector does not see it there: .*backend-plugin")
            elif says.startswith("fine"):
                self.assertEqual(said, [], number)

    def test_random_types(self):
        for seed, options in ((1, ("-mllvm", "-burrow-barriers")), (2, ())):
            source = self.folder / "types.cc"
            source.write_text(random_types.program(seed))
            run("clang++-19", "-std=c++20", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}", "-w",
                f"-I{ROOT / 'include'}", "-D__BURROW_PLUGIN__", *options, *MORE, source, "-o",
                self.folder / "types", "-Wl,--unresolved-symbols=ignore-all")
            done = subprocess.run([self.folder / "types"], capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual((done.returncode, done.stdout), (0, ""), seed)

    def test_marking_may_begin_at_any_moment(self):
        for level in ("-O0", "-O1", "-O2", "-O3"):
            program = self.folder / "window"
            run("clang++-19", "-std=c++20", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}",
                f"-I{ROOT / 'include'}", "-D__BURROW_PLUGIN__", "-DPLAIN", level, "-mllvm",
                "-burrow-barriers", *MORE, ROOT / "test/gc/window.cc", self.library(), "-o",
                program,
                "-Wl,--unresolved-symbols=ignore-all")
            done = subprocess.run([program], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (0, ""), level)

    def test_says_what_is_not_exact(self):
        _, said = self.built(HERE / "maps.cc", "-O1", "-mllvm", "-burrow-m=2")
        self.assertIn("Plain has no exact pointer map: p is a plain pointer", said)
        self.assertIn("Storage has no exact pointer map: bytes is storage for other objects", said)
        self.assertNotIn("Private has no", said)

    def test_barriers(self):
        source = self.folder / "barriers.cc"
        source.write_text(BARRIERS)
        for level in ("-O0", "-O1", "-O2", "-O3"):
            said, _ = self.built(source, level, "-mllvm", "-burrow-barriers")
            quiet, marking = said.split()
            self.assertEqual(quiet, "00000000", level)
            self.assertEqual(marking, "11111100", level)

    def test_values_of_moved_objects_are_zero(self):
        for level in ("-O0", "-O1", "-O2", "-O3"):
            said, _ = self.built(HERE / "padding.cc", level)
            self.assertEqual({line.split()[1] for line in said.splitlines()}, {"zero"}, said)

    def test_no_barriers_unless_asked(self):
        source = self.folder / "barriers.cc"
        source.write_text(BARRIERS)
        self.assertEqual(self.built(source, "-O2")[0].split(), ["00000000", "00000000"])


if __name__ == "__main__":
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
