#!/usr/bin/env python3
"""`burrow run`: what the program gets, and what is said of programs that cannot be served.

usage: run_test.py BUILD_DIR
"""
import os
import pathlib
import signal
import subprocess
import unittest

from support import BURROW, LIBRARY, PYTHON, Case, burrow, clean_environment, need, run

SHOW = "import os,sys; print(os.getpid(), *[f'{n}={os.environ.get(n)}' for n in sys.argv[1:]], sep='\\n')"


class Environment(Case):
    def shown(self, options, names, env=None):
        out = burrow("run", *options, "--", PYTHON, "-c", SHOW, *names, env=env).stdout.split("\n")
        return out[0], dict(line.split("=", 1) for line in out[1:] if line)

    def test_is_set(self):
        pid, got = self.shown(
            ["--http", "localhost:0", "--rate", "64K", "--memlimit", "1G", "--hardened"],
            ["BURROW_HTTP", "BURROW_PROFILE", "BURROW_PROFRATE", "BURROW_MEMLIMIT", "BURROW_DEBUG",
             "BURROW_OWNER_PID", "LD_PRELOAD"])
        self.assertEqual(got, {"BURROW_HTTP": "localhost:0", "BURROW_PROFILE": "None",
                               "BURROW_PROFRATE": "65536", "BURROW_MEMLIMIT": "1G",
                               "BURROW_DEBUG": "hardened=1", "BURROW_OWNER_PID": pid,
                               "LD_PRELOAD": str(LIBRARY)})

    def test_keeps_what_is_there(self):
        env = clean_environment(LD_PRELOAD="libm.so.6", BURROW_DEBUG="verify=0", BURROW_PROFRATE="9",
                                BURROW_OWNER_PID="1")
        pid, got = self.shown(["--hardened"], ["LD_PRELOAD", "BURROW_DEBUG", "BURROW_PROFRATE",
                                               "BURROW_OWNER_PID"], env)
        self.assertEqual(got, {"LD_PRELOAD": f"{LIBRARY}:libm.so.6", "BURROW_PROFRATE": "9",
                               "BURROW_DEBUG": "hardened=1,verify=0", "BURROW_OWNER_PID": pid})

    def test_preloads_once(self):
        out = burrow("run", "--", BURROW, "run", "--", PYTHON, "-c", SHOW, "LD_PRELOAD").stdout
        self.assertIn(f"LD_PRELOAD={LIBRARY}\n", out)

    def test_paths_become_absolute(self):
        out = burrow("run", "--profile", "./x/../h.pb.gz", "--http", "unix:s.sock", "--", "/bin/sh", "-c",
                     "echo $BURROW_PROFILE $BURROW_HTTP", cwd=self.top).stdout
        self.assertEqual(out, f"{self.top}/h.pb.gz unix:{self.top}/s.sock\n")

    def test_library_is_loaded(self):
        self.assertIn(str(LIBRARY), burrow("run", "--", "/bin/cat", "/proc/self/maps").stdout)

    def test_found_through_a_link_to_the_command(self):
        link = self.top / "burrow"
        link.symlink_to(BURROW)
        self.assertIn(str(LIBRARY), run(link, "run", "--", "/bin/cat", "/proc/self/maps").stdout)

    def test_alone_it_says_what_is_missing(self):
        copy = self.top / "burrow"
        copy.write_bytes(BURROW.read_bytes())
        copy.chmod(0o755)
        self.one_line(run(copy, "run", "--", "true", code=1), "libburrow_malloc.so")

    def test_a_path_that_a_preload_cannot_name(self):
        folder = self.top / "a b"
        folder.mkdir()
        for source in (BURROW, LIBRARY):
            (folder / source.name).write_bytes(source.read_bytes())
        (folder / "burrow").chmod(0o755)
        self.one_line(run(folder / "burrow", "run", "--", "true", code=1), "blanks")


class Linked(Case):
    """A program with Burrow in it needs no second one."""

    TESTS = BURROW.parent / "tests"

    def test_it_serves_itself(self):
        for name in ("gc_other_malloc", "gc_other_malloc_shared"):
            with self.subTest(name=name):
                done = burrow("run", "--http", "localhost:0", "--", self.TESTS / name)
                self.assertIn("lost 0\n", done.stdout)
                self.assertEqual(done.stderr.count("serving"), 1)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_nothing_is_preloaded(self):
        copy = self.top / "program"
        copy.write_bytes((self.TESTS / "gc_other_malloc").read_bytes())
        copy.chmod(0o755)
        subprocess.run(["strip", copy], check=True)
        env = clean_environment(LD_DEBUG="files")
        self.assertNotIn("libburrow_malloc", burrow("run", "--", copy, env=env).stderr)

    def test_an_inherited_preload_gives_way(self):
        env = clean_environment(LD_PRELOAD=str(LIBRARY), BURROW_HTTP="localhost:0")
        for name in ("gc_other_malloc", "gc_other_malloc_shared"):
            with self.subTest(name=name):
                done = run(self.TESTS / name, env=env)
                self.assertIn("lost 0\n", done.stdout)
                self.assertEqual(done.stderr.count("serving"), 1)


class Python(Case):
    SAID = "PYTHONMALLOC=malloc is set"

    def said(self, *options, program=(PYTHON,), env=None):
        done = burrow("run", *options, "--", *program, "-c", SHOW, "PYTHONMALLOC", env=env)
        return self.SAID in done.stderr, done.stdout.split("PYTHONMALLOC=")[1].strip()

    def test_a_profile_has_its_small_objects(self):
        profile = ("--profile", self.top / "h.pb.gz")
        script = self.script("start", f"#!{PYTHON}\n" + SHOW.replace("sys.argv[1:]", "['PYTHONMALLOC']"))
        self.assertEqual(self.said(*profile), (True, "malloc"))
        self.assertEqual(self.said("--http", "127.0.0.1:0"), (True, "malloc"))
        self.assertEqual(self.said(*profile, program=("/usr/bin/env", PYTHON)), (True, "malloc"))
        self.assertEqual(self.said(*profile, program=(script,)), (True, "malloc"))
        self.assertEqual(self.said(), (False, "None"))
        self.assertEqual(self.said(*profile, env=clean_environment(PYTHONMALLOC="pymalloc")),
                         (False, "pymalloc"))


class Becoming(Case):
    def test_exit_codes(self):
        for code in (0, 1, 2, 77):
            self.assertEqual(burrow("run", "--", "/bin/sh", "-c", f"exit {code}", code=code).stderr, "")
        self.one_line(burrow("run", "--", "no-such-program", code=127), "no-such-program", "No such file")
        self.one_line(burrow("run", "--", self.top / "none", code=127), "No such file")
        plain = self.top / "plain"
        plain.write_text("no program")
        self.one_line(burrow("run", "--", plain, code=126), "Permission denied")
        self.one_line(burrow("run", "--", self.top, code=126), "Permission denied")
        lost = self.script("lost", "#!/no/such/interpreter\n")
        self.one_line(burrow("run", "--", lost, code=127), "No such file")

    def test_a_signal_ends_it_as_a_signal(self):
        done = burrow("run", "--", "/bin/sh", "-c", "kill -TERM $$", code=-signal.SIGTERM)
        self.assertEqual(done.stderr, "")

    def test_it_is_the_same_process(self):
        with subprocess.Popen([BURROW, "run", "--", "/bin/cat", "/proc/self/stat"],
                              stdout=subprocess.PIPE, env=clean_environment()) as child:
            self.assertEqual(int(child.stdout.read().split()[0]), child.pid)

    def test_words_reach_the_program(self):
        words = ["-x", "--help", "--", "a b", "", "--http", "run"]
        show = ["-c", "import sys; print(sys.argv[1:])"]
        self.assertEqual(burrow("run", "--", PYTHON, *show, *words).stdout, f"{words}\n")
        self.assertEqual(burrow("run", PYTHON, *show, *words).stdout, f"{words}\n")
        self.assertEqual(burrow("run", "--rate", "1", PYTHON, *show, *words).stdout, f"{words}\n")

    def test_input_and_output_are_the_programs(self):
        self.assertEqual(burrow("run", "--", "/bin/cat", input="text").stdout, "text")

    def test_a_script_without_an_interpreter(self):
        self.assertEqual(burrow("run", "--", self.script("plain", "echo hello\n")).stdout, "hello\n")


class Warnings(Case):
    MAIN = "#include <cstdlib>\nint main(int argc, char**) { return std::malloc(argc) == nullptr; }\n"

    def warned(self, program, *parts):
        done = burrow("run", "--", program)
        self.one_line(done, "warning: ", str(program), *parts)
        return done

    def test_none_without_a_reason(self):
        script = self.script("fine", "#!/bin/sh\nexit 0\n")
        through_env = self.script("env", "#!/usr/bin/env sh\nexit 0\n")
        for program in ("/bin/true", script, through_env, self.compile("fine_program", self.MAIN)):
            self.assertEqual(burrow("run", "--", program).stderr, "")

    def test_static(self):
        self.warned(self.compile("static", self.MAIN, "-static"), "statically")
        self.warned(self.compile("static_pie", self.MAIN, "-static-pie", "-fPIE"), "statically")

    def test_scripts_are_followed(self):
        static = self.compile("static", self.MAIN, "-static")
        self.warned(self.script("script", f"#!{static} -x\n"), f"runs {static}", "statically")
        second = self.script("second", f"#!{self.top}/script\n")
        self.warned(second, f"runs {static}")
        self.warned(self.script("env", f"#!/usr/bin/env {static}\n"), f"runs {static}")

    def test_own_allocator(self):
        source = self.MAIN + """
            static char pool[1 << 20]; static size_t used;
            extern "C" void* malloc(size_t n) { void* p = pool + used; used += (n + 15) / 16 * 16; return p; }
            extern "C" void free(void*) {}"""
        self.warned(self.compile("own", source), "its own allocator", "malloc")

    def test_allocator_libraries(self):
        for library in ("libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"):
            with self.subTest(library):
                program = self.compile("with", self.MAIN, "-Wl,--no-as-needed", f"-l:{library}")
                self.warned(program, "its own allocator", library)

    def test_sanitizers_run_without(self):
        program = self.compile("asan", self.MAIN, "-fsanitize=address")
        self.warned(program, "sanitizer", "without Burrow")

    def test_another_machine(self):
        program = self.top / "foreign"
        header = bytearray(pathlib.Path("/bin/true").read_bytes())
        header[18] = 183  # e_machine: AArch64
        program.write_bytes(header)
        program.chmod(0o755)
        done = burrow("run", "--", program, code=None)
        self.assertIn("another machine", done.stderr)

    @unittest.skipIf(os.getuid() != 0, "a file of another user is needed")
    @need("setpriv")
    def test_setuid(self):
        program = self.top / "setuid"
        program.write_bytes(pathlib.Path("/bin/true").read_bytes())
        program.chmod(0o4755)
        self.top.chmod(0o755)
        done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                   BURROW, "run", "--", program, code=None)
        if "Permission denied" not in done.stderr:  # where others may not enter the build's folder
            self.one_line(done, "gains rights")

    def test_garbage_is_left_to_the_kernel(self):
        for content in (b"", b"\x7fELF", b"\x7fELF" + b"\xff" * 500, b"#!", b"#!\n", b"#! \n"):
            program = self.top / "garbage"
            program.write_bytes(content)
            program.chmod(0o755)
            done = burrow("run", "--", program, code=None, errors="replace")
            self.assertIn(done.returncode, (0, 2, 126, 127), done)  # 2: the shell's


if __name__ == "__main__":
    unittest.main()
