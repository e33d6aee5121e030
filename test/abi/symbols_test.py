#!/usr/bin/env python3
"""The libraries export the whole family of malloc, and need little of a running program.

usage: symbols_test.py BUILD_DIR
"""
import itertools
import pathlib
import re
import subprocess
import sys
import unittest

BUILD = None
FUNCTIONS = """
    malloc free calloc realloc reallocarray aligned_alloc posix_memalign memalign valloc pvalloc cfree
    malloc_usable_size malloc_trim malloc_info malloc_stats mallinfo mallinfo2 mallopt
    free_sized free_aligned_sized
    __libc_malloc __libc_free __libc_calloc __libc_realloc __libc_reallocarray __libc_memalign
    __libc_valloc __libc_pvalloc __libc_mallinfo __libc_mallopt __posix_memalign
    dlopen setrlimit setrlimit64 prlimit prlimit64 __register_atfork
    """.split()
# operator new and new[], delete and delete[]: each with what C++20 lets follow.
NEW = ["_Zn" + kind + "m" + tail for kind, tail in itertools.product(
    "wa", ["", "RKSt9nothrow_t", "St11align_val_t", "St11align_val_tRKSt9nothrow_t"])]
DELETE = ["_Zd" + kind + "Pv" + tail for kind, tail in itertools.product(
    "la", ["", "m", "RKSt9nothrow_t", "St11align_val_t", "mSt11align_val_t",
           "St11align_val_tRKSt9nothrow_t"])]


def output(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=True, timeout=120).stdout


class Symbols(unittest.TestCase):
    def defined(self, *arguments):
        lines = output("nm", "--defined-only", *arguments).splitlines()
        return {line.split()[-1].split("@")[0] for line in lines if len(line.split()) == 3}

    def test_the_preload_exports_the_family_and_nothing_else(self):
        self.assertEqual(self.defined("-D", BUILD / "libburrow_malloc.so"),
                         set(FUNCTIONS + NEW + DELETE + ["__register_atfork", "pthread_create"]))

    def test_the_libraries_have_it_too(self):
        for library in (["-D", BUILD / "libburrow.so"], ["-g", BUILD / "libburrow.a"]):
            names = self.defined(*library)
            self.assertEqual(set(FUNCTIONS + NEW + DELETE) - names, set(), library)

    def visible(self, *arguments):
        """Symbols that other objects may bind to."""
        lines = (line.split() for line in output("readelf", "-sW", *arguments).splitlines())
        return {f[7].split("@")[0] for f in lines if len(f) >= 8 and f[4] in ("GLOBAL", "WEAK")
                and f[5] in ("DEFAULT", "PROTECTED") and f[6] != "UND"}

    def test_the_shared_library_exports_all_that_the_archive_has(self):
        # Of C++: the public functions. Instances of the standard library's templates are everybody's.
        ours = {name for name in self.visible(BUILD / "libburrow.a")
                if not re.match(r"_ZT[IVS]?|_Z(G|N?K?S|TH|TW)|_ZN9__gnu_cxx|_ZNKSt|_ZNSt|DW\.|__clang", name)
                and "St" not in name[:8]}
        self.assertIn("pthread_sigmask", ours)
        self.assertTrue(any(name.startswith("_ZN6burrow") for name in ours))
        self.assertEqual(ours - self.visible("--dyn-syms", BUILD / "libburrow.so"), set())

    def test_nothing_is_left_of_what_glibc_replaces(self):
        # A function of glibc's malloc that we lacked would work on blocks that are not glibc's.
        libc = re.search(r"=> (\S*libc\.so\.6)", output("ldd", BUILD / "libburrow_malloc.so"))[1]
        names = self.defined("-D", libc)
        family = {name for name in names if re.fullmatch(
            r"(__libc_|__posix_)?(malloc|free|calloc|realloc|reallocarray|cfree|memalign|valloc|"
            r"pvalloc|posix_memalign|aligned_alloc|mallinfo2?|mallopt|malloc_\w+)", name)}
        self.assertGreater(len(family), 15)
        self.assertEqual(family - set(FUNCTIONS) - {"__libc_freeres"}, set())

    def test_static_tls_is_small_enough_for_dlopen(self):
        # glibc keeps 1664 bytes for libraries that are opened late, for all of them together.
        headers = output("readelf", "-lW", BUILD / "libburrow_malloc.so")
        tls = re.search(r"^\s*TLS\s+\S+\s+\S+\s+\S+\s+\S+\s+(0x[0-9a-f]+)", headers, re.MULTILINE)
        self.assertLessEqual(int(tls[1], 16), 256)

    def test_the_preload_needs_the_c_library_only(self):
        needed = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-dW", BUILD / "libburrow_malloc.so"))
        self.assertEqual(set(needed) - {"libc.so.6", "ld-linux-x86-64.so.2"}, set())


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
