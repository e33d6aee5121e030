#!/usr/bin/env python3
"""Programs that are linked to a fixed address and take malloc's. usage: fixed_address_test.py BUILD_DIR

The address that they take, and that dlsym gives, is a jump in the program, as in many builds of
Python: the preload must know it for its own malloc all the same.
"""
import unittest

from support import LIBRARY, Case, burrow, clean_environment, need, run

FIXED = ("-no-pie", "-fno-pie", "-fcf-protection=none")
SOURCE = """
    #include <dlfcn.h>
    #include <cstdlib>
    static void* kept[5000];
    [[gnu::noinline]] static void grow() {
      void* (*give)(size_t) = malloc;
      asm("" : "+r"(give));
      for (auto& p : kept) p = give(1000);
    }
    int main(int count, char** arguments) {
      grow();
      if (count > 1) {
        void* library = dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND);
        reinterpret_cast<void (*)(void*)>(dlsym(library, "take"))(kept[0]);
      }
    }"""
LIBRARY_SOURCE = """
    #include <cstdlib>
    extern "C" void take(void* p) { free(p); }"""
OTHER_MALLOC = """
    #include <cstddef>
    alignas(16) static char memory[1 << 26];
    static size_t used;
    extern "C" void* malloc(size_t size) noexcept {
      return memory + __atomic_fetch_add(&used, (size + 31) & ~size_t{15}, __ATOMIC_RELAXED);
    }
    extern "C" void free(void*) noexcept {}
    extern "C" void* calloc(size_t a, size_t b) noexcept { return malloc(a * b); }
    extern "C" void* realloc(void* p, size_t size) noexcept {
      char* to = static_cast<char*>(malloc(size));
      for (size_t i = 0; p != nullptr && i < size; ++i) to[i] = static_cast<char*>(p)[i];
      return to;
    }"""


class FixedAddress(Case):
    def setUp(self):
        super().setUp()
        self.program = self.compile("fixed", SOURCE, "-g", "-fno-omit-frame-pointer", *FIXED)
        self.profile = self.top / "heap.pb.gz"

    @need("readelf")
    def test_the_program_has_a_jump_of_its_own(self):
        symbols = run("readelf", "--dyn-syms", "-W", self.program).stdout
        value = next(line.split()[1] for line in symbols.splitlines() if " malloc@" in line)
        self.assertNotEqual(int(value, 16), 0)

    def test_the_preload_serves_and_writes(self):
        done = burrow("run", "--rate", "4096", "--http", "127.0.0.1:0", "--profile", self.profile, "--",
                      self.program)
        self.one_line(done, "serving http://127.0.0.1:")
        self.assertIn("grow", burrow("top", "-n", "0", self.profile).stdout)

    def test_a_library_that_is_bound_deeply(self):
        library = self.compile("deep.so", LIBRARY_SOURCE, "-shared", "-fPIC")
        self.assertEqual(run(self.program, library, env=clean_environment(LD_PRELOAD=str(LIBRARY))).stderr, "")

    def test_another_malloc_before_the_preload(self):
        other = self.compile("other.so", OTHER_MALLOC, "-shared", "-fPIC", "-fno-builtin")
        for order, writes in (((other, LIBRARY), False), ((LIBRARY, other), True)):
            with self.subTest(order):
                self.profile.unlink(missing_ok=True)
                done = run(self.program, env=clean_environment(
                    LD_PRELOAD=":".join(map(str, order)), BURROW_PROFILE=str(self.profile)))
                self.assertEqual(done.stderr, "")
                self.assertIs(self.profile.exists(), writes)


if __name__ == "__main__":
    unittest.main()
