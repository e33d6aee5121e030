#!/usr/bin/env python3
"""Installs a build to a prefix of its own and uses it as a stranger would.

usage: install_test.py BUILD_DIR [--command] [--plugin]   (what is part of the build)
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = None
COMMAND = "--command" in sys.argv
PLUGIN = "--plugin" in sys.argv
COMPILERS = [name for name in ("clang++-19", "g++-12") if shutil.which(name)]
# Loops keep pointers into the arrays that they go through: see docs/collected-heap.md.
KEEPS_BASES = {"clang++-19": "-mllvm -disable-lsr", "g++-12": "-fno-ivopts"}
# enabled/point.cc with a function that keeps its argument.
KEEPING_POINT = ('#include "point.h"\nconst Point* kept;\n'
                 "int64_t coordinates(const Point* p) { kept = p; return p->x + p->y; }\n")
FAMILY = ("malloc free calloc realloc aligned_alloc posix_memalign malloc_usable_size mallinfo2 "
          "_Znwm _ZdlPv _ZdlPvm _ZnwmSt11align_val_t __libc_malloc").split()


def run(*command, **more):
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=300, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def configure(source, build, compiler, *options, **more):
    run("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_CXX_COMPILER={compiler}", *options, **more)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.folder.name)
        cls.prefix = cls.top / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.lib = next(cls.prefix.rglob("libburrow.a")).parent

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_consumer(self, program, env=None):
        profile = self.top / (program.name + ".pb.gz")
        self.assertEqual(run(program, profile, env=env), "consumer: all well\n")
        self.assertEqual(profile.read_bytes()[:2], b"\x1f\x8b")

    def test_everything_is_there(self):
        for name in ("libburrow.a", "libburrow.so", "libburrow.so.0", "libburrow_malloc.so",
                     "pkgconfig/burrow.pc", "cmake/Burrow/BurrowConfig.cmake"):
            self.assertTrue((self.lib / name).exists(), name)
        self.assertTrue((self.prefix / "include/burrow/heap.h").exists())

    def exported(self, library):
        lines = run("nm", "-D", "--defined-only", self.lib / library).splitlines()
        return {line.split()[-1].split("@")[0] for line in lines}

    def test_shared_library_exports_its_interface_only(self):
        names = self.exported("libburrow.so")
        for name in FAMILY + ["_ZN6burrow14read_mem_statsEv"]:
            self.assertIn(name, names)
        inside = [name for name in names if name.startswith("_ZN6burrow") and
                  any(f"{len(layer)}{layer}" in name for layer in
                      ("heap", "prof", "shim", "os", "debug")) and "heap_profile" not in name]
        self.assertEqual(inside, [])
        self.assertEqual([name for name in names if name.startswith("_ZNSt")], [])

    def test_preload_exports_malloc_only(self):
        names = self.exported("libburrow_malloc.so")
        for name in FAMILY:
            self.assertIn(name, names)
        self.assertEqual([name for name in names if name.startswith(("_ZN6burrow", "_ZNSt"))], [])

    def test_find_package(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                build = self.top / ("project." + compiler)
                configure(HERE / "project", build, compiler, f"-DCMAKE_PREFIX_PATH={self.prefix}")
                run("cmake", "--build", build)
                for kind in ("burrow", "burrow_shared"):
                    self.assertIn(KEEPS_BASES[compiler], self.commands(build, "consumer_" + kind))
                self.run_consumer(build / "consumer_burrow")
                self.run_consumer(build / "consumer_burrow_shared")
                preload = (build / "preload.txt").read_text()
                self.assertEqual(pathlib.Path(preload).name, "libburrow_malloc.so")
                self.assertTrue(pathlib.Path(preload).exists())

    def commands(self, build, target):
        return run("ninja", "-C", build, "-t", "commands", target)

    def pkg_config(self, *options):
        env = dict(os.environ, PKG_CONFIG_PATH=str(self.lib / "pkgconfig"))
        return run("pkg-config", *options, "burrow", env=env).split()

    def test_pkg_config(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                shared = self.top / f"shared.{compiler}"
                run(compiler, "-std=c++20", HERE / "consumer.cc", "-o", shared,
                    *self.pkg_config("--cflags", "--libs"))
                self.run_consumer(shared, dict(os.environ, LD_LIBRARY_PATH=str(self.lib)))
                static = self.top / f"static.{compiler}"
                flags = self.pkg_config("--static", "--cflags", "--libs")
                archive = [str(self.lib / "libburrow.a") if f == "-lburrow" else f for f in flags]
                run(compiler, "-std=c++20", HERE / "consumer.cc", "-o", static, *archive)
                self.run_consumer(static)

    def test_static_programs(self):
        for compiler in COMPILERS:
            with self.subTest(compiler):
                program = self.top / f"all_static.{compiler}"
                run(compiler, "-std=c++20", "-static", HERE / "consumer.cc", "-o", program,
                    *self.pkg_config("--static", "--cflags", "--libs"))
                self.run_consumer(program)
                program = self.top / f"without_fork.{compiler}"
                run(compiler, "-std=c++20", "-static", HERE / "collected.cc", "-o", program,
                    *self.pkg_config("--static", "--cflags", "--libs"))
                self.assertEqual(run(program), "collected\n")

    def test_add_subdirectory(self):
        """Burrow as a part of another project: the same names; what is built is built elsewhere."""
        for compiler in COMPILERS:
            with self.subTest(compiler):
                build = self.top / ("subproject." + compiler)
                configure(HERE / "subproject", build, compiler, f"-DBURROW_SOURCE={HERE.parents[1]}")
                plan = run("ninja", "-C", build, "-n", "all")
                self.assertIn("libburrow.a", plan)
                self.assertIn("consumer_burrow_shared", plan)
                self.assertNotIn("_test.cc", plan)
                sources = run("ninja", "-C", build, "-t", "targets", "all").splitlines()
                objects = [line.split(":")[0] for line in sources
                           if "consumer_burrow_shared.dir" in line and ".o:" in line]
                self.assertEqual(len(objects), 1)
                run("ninja", "-C", build, *objects)
                flags = run("ninja", "-C", build, "-t", "commands", "consumer_burrow")
                self.assertEqual("-fpass-plugin=" in flags, compiler.startswith("clang"))

    def test_headers_say_what_language_they_need(self):
        """In one clear line, and no others follow from it."""
        includes = [f"#include <burrow/{path.name}>\n"
                    for path in sorted((self.prefix / "include/burrow").glob("*.h"))]
        self.assertGreater(len(includes), 10)
        for compiler in COMPILERS:
            for options in (["-std=c++17"], ["-std=c++98"], ["-x", "c"], ["-x", "c", "-std=c99"]):
                for include in includes:
                    with self.subTest(compiler=compiler, options=options, include=include):
                        source = self.top / "other_language.cc"
                        source.write_text(include + "int i = burrow::nothing;\n")
                        done = subprocess.run([compiler, *options, f"-I{self.prefix / 'include'}",
                                               "-fsyntax-only", source],
                                              capture_output=True, text=True, timeout=60)
                        self.assertEqual(done.returncode, 1)
                        errors = [line for line in done.stderr.splitlines() if " error: " in line]
                        self.assertIn("Burrow needs C++20: compile this as C++, with -std=c++20",
                                      errors[0])
                        self.assertEqual([line for line in errors[1:] if "fatal" not in line], [])
                        self.assertNotIn("nothing", done.stderr)

    @unittest.skipUnless(COMMAND, "no command in this build")
    def test_installed_command_finds_its_library(self):
        script = "import os; print('libburrow_malloc.so' in open('/proc/self/maps').read())"
        out = run(self.prefix / "bin/burrow", "run", "--", "/usr/bin/python3", "-c", script)
        self.assertEqual(out, "True\n")
        maps = run(self.prefix / "bin/burrow", "run", "--", "/bin/cat", "/proc/self/maps")
        self.assertIn(str(self.lib.resolve() / "libburrow_malloc.so"), maps)

    @unittest.skipUnless(COMMAND, "no command in this build")
    def test_installed_command_finds_lines_and_reads_them(self):
        profile = self.top / "ls.pb.gz"
        command = self.prefix / "bin/burrow"
        run(command, "run", "--rate", "1", "--profile", profile, "--", "/bin/ls", "/")
        table = run(command, "top", "--by", "alloc_space", "-n", "0", profile)
        # libc's debug information is a separate package's, which the library's helper finds.
        self.assertRegex(table, r"__libc_start_main_impl +\S+/libc-start\.c:\d+")
        self.assertEqual(run(command, "version").split()[0], "burrow")

    @unittest.skipUnless(PLUGIN, "no plugin in this build")
    def test_burrow_enable(self):
        build = self.top / "enabled"
        source = shutil.copytree(HERE / "enabled", self.top / "enabled_source")
        configure(source, build, "clang++-19", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        said = run("cmake", "--build", build)
        self.assertRegex(said, r"enabled\.cc:\d+:\d+: make<.*Point> does not escape")
        keeps = KEEPS_BASES["clang++-19"]
        self.assertNotIn(keeps, self.commands(build, "enabled"))
        self.assertIn(keeps, self.commands(build, "plain"))
        total = "total 1499998500000, on the heap: "
        self.assertEqual(run(build / "enabled"), total + "nothing\n")
        self.assertEqual(run(build / "plain"), total + "all\n")
        self.assertEqual(run(build / "across"), total + "nothing\n")
        self.assertEqual(run(build / "stranger"), total + "all\n")
        # The function keeps its argument now: who relied on it is compiled again.
        (source / "point.cc").write_text(KEEPING_POINT)
        run("cmake", "--build", build)
        self.assertEqual(run(build / "across"), total + "all\n")

    @unittest.skipUnless(PLUGIN and shutil.which("ccache"), "no plugin in this build, or no ccache")
    def test_burrow_enable_behind_ccache(self):
        """What relies on a library's summaries is not taken from the cache when they change."""
        build = self.top / "cached"
        source = shutil.copytree(HERE / "enabled", self.top / "cached_source")
        env = dict(os.environ, CCACHE_DIR=str(self.top / "cache"))
        configure(source, build, "clang++-19", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache",
                  f"-DCMAKE_PREFIX_PATH={self.prefix}", env=env)
        total = "total 1499998500000, on the heap: "
        reads = (source / "point.cc").read_text()
        for text, heap in ((reads, "nothing\n"), (KEEPING_POINT, "all\n"), (reads, "nothing\n")):
            (source / "point.cc").write_text(text)
            run("cmake", "--build", build, env=env)
            self.assertEqual(run(build / "across"), total + heap)
        stats = run("ccache", "--print-stats", env=env)
        self.assertGreater(int(re.search(r"^direct_cache_hit\s+(\d+)$", stats, re.M)[1]), 0, stats)

    @unittest.skipUnless(COMMAND and PLUGIN, "no command or no plugin in this build")
    def test_installed_compiler(self):
        program = self.top / "compiled"
        run(self.prefix / "bin/burrow", "c++", "-std=c++20", "-O2", HERE / "enabled/enabled.cc",
            "-o", program)
        self.assertEqual(run(program), "total 1499998500000, on the heap: nothing\n")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    sys.argv = [argument for argument in sys.argv if argument not in ("--command", "--plugin")]
    unittest.main()
