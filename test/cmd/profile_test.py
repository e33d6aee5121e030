#!/usr/bin/env python3
"""Profiles of programs whose allocations are known, read by `go tool pprof`.

usage: profile_test.py BUILD_DIR
"""
import re
import shutil
import unittest

from support import HERE, KNOWN, PYTHON, Case, burrow, clean_environment, line_of, need, pprof, run

MALLOC, NEW = "known_malloc", "known::make_array"
INLINED, MAKER = "known::(anonymous namespace)::innermost", "known::(anonymous namespace)::Maker::operator()"
COUNT = 64
REQUESTS = {MALLOC: 1000, NEW: 2000, INLINED: 3000}


def block(request):
    """The size of the class that a request takes, from the printed table."""
    table = (HERE / "golden/classes.txt").read_text().split("\n\n")[0].splitlines()[1:]
    return min(int(line.split()[1]) for line in table if int(line.split()[1]) >= request)


@need("go", "strip")
class Stripped(Case):
    """Readers look for functions themselves in the files that they have, where not all were found."""

    SOURCE = """
        #include <cstdlib>
        static void* kept[1000];
        __attribute__((noinline)) static void grow() { for (auto& p : kept) p = malloc(3000); }
        int main() { grow(); }"""

    def mapping_flags(self, profile):
        raw = run("go", "tool", "pprof", "-raw", "-symbolize=none", profile,
                  env=clean_environment(HOME=str(self.top))).stdout
        lines = raw.split("\nMappings\n")[1].splitlines()
        paths = [re.search(r" (/\S+)", line) for line in lines]
        return {path[1].rsplit("/", 1)[-1]: "[FN]" in line for path, line in zip(paths, lines) if path}

    def test_the_unstripped_file_of_the_same_build_names_them(self):
        whole = self.compile("srv", self.SOURCE, "-g", compiler="g++-12")
        stripped = self.top / "srv_stripped"
        run("strip", whole, "-o", stripped)
        profile = self.top / "p.pb.gz"
        burrow("run", "--rate", "1", "--profile", profile, "--", stripped)
        self.assertIs(self.mapping_flags(profile)["srv_stripped"], False)
        table = run("go", "tool", "pprof", "-top", "-sample_index=alloc_space", whole, profile,
                    env=clean_environment(HOME=str(self.top))).stdout
        self.assertRegex(table, r"\bgrow\b")

    def test_where_all_were_found_none_is_looked_for(self):
        profile = self.top / "p.pb.gz"
        burrow("run", "--rate", "1", "--profile", profile, "--", KNOWN)
        self.assertIs(self.mapping_flags(profile)["known"], True)


@need("go")
class Profile(Case):
    def profile_of(self, program, *arguments, options=("--rate", "1"), **more):
        path = self.top / "heap.pb.gz"
        more.setdefault("env", clean_environment(PYTHONMALLOC="malloc"))
        done = burrow("run", *options, "--profile", path, "--", program, *arguments, **more)
        self.assertEqual(done.stderr, "")
        return path

    def test_exact_figures_in_all_four_types(self):
        profile = self.profile_of(KNOWN)
        for type_, share, unit in (("alloc_objects", 1, 0), ("alloc_space", 1, 1),
                                   ("inuse_objects", 2, 0), ("inuse_space", 2, 1)):
            with self.subTest(type_):
                rows = {name: (flat, cum) for flat, cum, name in
                        pprof(profile, f"-sample_index={type_}")}
                total = 0
                for name, request in REQUESTS.items():
                    value = COUNT // share * (block(request) if unit else 1)
                    total += value
                    self.assertEqual(rows[name], (value, value), name)
                self.assertEqual(rows[MAKER], (0, rows[INLINED][0]))
                # main has what it calls, and the list of what is kept, which ends before the profile.
                kept = (block(3 * COUNT * 8) if unit else 1) if share == 1 else 0
                self.assertEqual(rows["main"][1], total + kept)

    def test_lines_and_inlined_frames(self):
        rows = pprof(self.profile_of(KNOWN), "-lines", "-sample_index=alloc_objects")
        cum = {name: c for _, c, name in rows}
        source = HERE / "programs/known.cc"
        for name, mark in ((MALLOC, "malloc"), (NEW, "new"), (INLINED, "inlined"), (MAKER, "caller")):
            self.assertEqual(cum.get(f"{name} {source}:{line_of(mark)}"), COUNT, rows)

    def test_allocation_functions_are_dropped(self):
        names = [name for _, _, name in pprof(self.profile_of(KNOWN), "-sample_index=alloc_space")]
        for name in names:
            self.assertNotRegex(name, r"^(malloc|calloc|operator new|burrow::|std::__new_allocator|"
                                      r"std::allocator_traits)")
        self.assertIn("std::vector::reserve", names)  # which calls the last two

    def test_sampled_figures_are_estimates(self):
        """20,000 blocks of 1,000 bytes at 64 KiB: 312 samples, 5.7% off at a standard deviation."""
        count = 20_000
        profile = self.profile_of(KNOWN, count, options=("--rate", "64K"))
        objects = {name: flat for flat, _, name in pprof(profile, "-sample_index=alloc_objects")}
        space = {name: flat for flat, _, name in pprof(profile, "-sample_index=alloc_space")}
        live = {name: flat for flat, _, name in pprof(profile, "-sample_index=inuse_objects")}
        for name, request in REQUESTS.items():
            self.assertAlmostEqual(objects[name] / count, 1, delta=0.35, msg=name)
            self.assertAlmostEqual(space[name] / (count * block(request)), 1, delta=0.35, msg=name)
            self.assertAlmostEqual(live[name] / count, 0.5, delta=0.25, msg=name)

    def test_rate_0_records_nothing(self):
        self.assertEqual(pprof(self.profile_of(KNOWN, options=("--rate", "0"))), [])

    def test_stripped_program(self):
        program = self.top / "stripped"
        shutil.copy(KNOWN, program)
        run("strip", program)
        rows = {name: flat for flat, _, name in
                pprof(self.profile_of(program), "-sample_index=alloc_objects")}
        self.assertEqual(rows[MALLOC], COUNT)
        self.assertEqual(rows[NEW], COUNT)
        self.assertGreaterEqual(rows["[stripped]"], COUNT)  # has no name any more

    def expect_dynamic_names(self, profile):
        # The profile's own names: not all are known, so pprof would look into the files itself.
        rows = {name: flat for flat, _, name in
                pprof(profile, "-sample_index=alloc_objects", "-symbolize=none")}
        self.assertEqual(rows[MALLOC], COUNT)
        self.assertEqual(rows[NEW], COUNT)
        self.assertNotIn(MAKER, rows)

    def test_helper_missing(self):
        env = clean_environment(BURROW_SYMBOLIZER=str(self.top / "none"))
        self.expect_dynamic_names(self.profile_of(KNOWN, env=env))

    def test_helper_that_says_nonsense(self):
        for text in ("exit 1", "echo nonsense", "echo F", "printf 'F x'", "yes | head -c 100000",
                     "kill -9 $$", "printf '.\\n.\\n' | head -c 3; exec cat"):
            helper = self.script("helper", f"#!/bin/sh\n{text}\n")
            env = clean_environment(BURROW_SYMBOLIZER=str(helper))
            with self.subTest(text):
                rows = pprof(self.profile_of(KNOWN, env=env), "-sample_index=alloc_objects")
                self.assertIn((COUNT, COUNT, MALLOC), rows)

    def test_program_deleted_while_it_runs(self):
        program = self.top / "gone"
        shutil.copy(KNOWN, program)
        done = self.profile_of("/bin/sh", "-c", f"exec {program}")
        self.assertIn((COUNT, COUNT, MAKER), [(c, c, n) for _, c, n in pprof(done, "-sample_index=alloc_objects")])
        deleter = self.compile("deleter", f"""
            #include <cstdlib>
            #include <unistd.h>
            static void* volatile kept;
            extern "C" __attribute__((noinline)) void allocate_after() {{ kept = std::malloc(5000); kept = nullptr; }}
            int main(int, char** argv) {{ unlink(argv[0]); allocate_after(); return 0; }}""",
            "-g", "-Wl,--build-id=sha1")
        rows = pprof(self.profile_of(deleter), "-lines", "-sample_index=alloc_objects")
        self.assertIn(f"allocate_after {self.top}/deleter.cc:5", [name for _, _, name in rows])

    def test_program_replaced_while_it_runs(self):
        """Lines of a newer build would be wrong; the old file's are taken from the process."""
        source = """
            #include <cstdio>
            #include <cstdlib>
            static void* volatile kept;
            extern "C" __attribute__((noinline)) void {name}() {{ kept = std::malloc(5000); kept = nullptr; }}
            int main(int argc, char** argv) {{ if (argc > 1) std::rename(argv[1], argv[0]); {name}(); return 0; }}"""
        newer = self.compile("newer", "\n\n" + source.format(name="newer_name"), "-g",
                             "-Wl,--build-id=sha1")
        older = self.compile("older", source.format(name="older_name"), "-g", "-Wl,--build-id=sha1")
        rows = pprof(self.profile_of(older, newer), "-lines", "-sample_index=alloc_objects")
        names = [name for _, _, name in rows]
        self.assertIn(f"older_name {self.top}/older.cc:5", names)

    def test_code_that_no_file_holds(self):
        """Allocations under generated code are counted; the code itself has no name."""
        program = self.compile("jit", """
            #include <sys/mman.h>
            #include <cstdlib>
            #include <cstring>
            static void* volatile kept;
            extern "C" __attribute__((noinline)) void under_generated() { kept = std::malloc(7000); kept = nullptr; }
            int main() {
              // push rbp; mov rbp, rsp; call rdi; pop rbp; ret
              const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
              void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              std::memcpy(page, code, sizeof code);
              for (int i = 0; i < 3; ++i) reinterpret_cast<void (*)(void (*)())>(page)(under_generated);
            }""", "-g", "-fno-omit-frame-pointer")
        profile = self.profile_of(program)
        rows = pprof(profile, "-sample_index=alloc_objects")
        self.assertIn((3, 3, "under_generated"), rows)
        self.assertEqual({name: cum for _, cum, name in rows}.get("<unknown>"), 3)
        self.assertIn("<unknown>", burrow("top", "--by", "alloc_objects", "-n", "0", profile).stdout)

    def test_the_program_changes_its_folder(self):
        burrow("run", "--profile", "here.pb.gz", "--", PYTHON, "-c", "import os; os.chdir('/')",
               cwd=self.top)
        self.assertTrue((self.top / "here.pb.gz").exists())

    def test_children_do_not_write_over_it(self):
        profile = self.profile_of(PYTHON, "-c", f"import subprocess; subprocess.run([{str(KNOWN)!r}])")
        self.assertNotIn(MALLOC, [name for _, _, name in pprof(profile)])

    def test_python(self):
        profile = self.profile_of(PYTHON, "-c", "x = [str(i) * 50 for i in range(20000)]; print(len(x))",
                                  options=("--rate", "4K"), env=clean_environment(PYTHONMALLOC="malloc"))
        rows = pprof(profile, "-sample_index=alloc_space")
        total = sum(flat for flat, _, _ in rows)
        self.assertGreater(total, 20_000 * 200)
        self.assertIn("Py_BytesMain", [name for _, _, name in rows])
        self.assertEqual(burrow("top", profile).stdout.splitlines()[1], "Type: inuse_space")


if __name__ == "__main__":
    unittest.main()
