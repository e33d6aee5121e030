#!/usr/bin/env python3
"""conditions_test.py BUILD: where the heap may find itself: without rights, with hardly any address
space, where memory is not promised beyond what there is, and beside programs that take no preload."""
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
PRELOAD = BUILD / "libburrow_malloc.so"
PROGRAM = BUILD / "tests/abi"
MIB = 1 << 20
NOBODY = 65534


def run(*command, preload=None, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("BURROW_")}
    if preload:
        env["LD_PRELOAD"] = str(preload)
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, **more)


class WithoutRights(unittest.TestCase):
    def test_a_user_who_is_not_root(self):
        with tempfile.TemporaryDirectory() as folder:
            top = pathlib.Path(folder)
            top.chmod(0o755)  # the build's folders may be closed to others
            for kind in "preload", "static":
                shutil.copy(PROGRAM / f"idle_{kind}", top)
            shutil.copy(PRELOAD, top)
            other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
            for kind in "preload", "static":
                with self.subTest(kind):
                    done = run(top / f"idle_{kind}", "thread", cwd="/", **other,
                               preload=top / PRELOAD.name if kind == "preload" else None)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertRegex(done.stdout, r"\Aready \d+\n\Z")


class Reservation(unittest.TestCase):
    REFUSED = ("burrow: fatal: cannot reserve 8 MiB of address space for the heap: "
               "raise RLIMIT_AS (ulimit -v)\n")

    def limited(self, mib):
        size = mib * MIB
        return run(PROGRAM / "idle_static", "nothing",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))

    def test_refused_it_is_one_line_and_otherwise_it_works(self):
        refused = []
        for mib in (*range(4, 24), 32, 48, 64, 256, 4096):
            done = self.limited(mib)
            if done.stderr.startswith("burrow: "):  # not from the loader, which names the path
                refused.append(mib)
                self.assertEqual(done.stderr, self.REFUSED, mib)
                self.assertEqual(done.returncode, -6, mib)
            elif refused:
                # Once the program itself can be loaded and the heap reserved, all is well.
                self.assertEqual((done.returncode, done.stderr), (0, ""), mib)
        self.assertTrue(refused)
        self.assertLess(max(refused), 24)

    def test_what_is_reserved_is_not_charged(self):
        """Under strict overcommit (vm.overcommit_memory=2) only what the kernel counts may be
        refused: mappings with "ac" among their flags."""
        for kind in "preload", "static":
            with self.subTest(kind):
                process = subprocess.Popen(
                    [PROGRAM / f"idle_{kind}", "nothing"], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, text=True,
                    env=os.environ | ({"LD_PRELOAD": str(PRELOAD)} if kind == "preload" else {}))
                with process:
                    self.assertTrue(process.stdout.readline().startswith("ready"))
                    maps = pathlib.Path(f"/proc/{process.pid}/smaps").read_text()
                    process.stdin.close()
                sizes = [int(kib) * 1024 for kib in re.findall(r"(?m)^Size: +(\d+) kB$", maps)]
                flags = re.findall(r"(?m)^VmFlags: (.*)$", maps)
                self.assertEqual(len(sizes), len(flags))
                charged = sum(s for s, f in zip(sizes, flags) if "ac" in f.split())
                self.assertGreater(sum(sizes), 1 << 32)  # the heap's reservation
                self.assertLess(charged, 32 * MIB)


OVERCOMMIT = pathlib.Path("/proc/sys/vm/overcommit_memory")


class StrictOvercommit(unittest.TestCase):
    """vm.overcommit_memory=2: what is mapped to be written is charged, touched or not. The setting is
    the whole machine's, and sanitizers do not start under it, so the tests switch it only where
    BURROW_TEST_OVERCOMMIT=1 asks for that, as root."""

    def setUp(self):
        before = OVERCOMMIT.read_text()
        if before.strip() != "2":
            if os.environ.get("BURROW_TEST_OVERCOMMIT") != "1" or os.geteuid() != 0:
                self.skipTest("vm.overcommit_memory is not 2")
            self.addCleanup(OVERCOMMIT.write_text, before)
            OVERCOMMIT.write_text("2")

    def program(self, *command, kind):
        done = run(PROGRAM / f"overcommit_{kind}", *map(str, command),
                   preload=PRELOAD if kind == "preload" else None)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_refused_beyond_the_limit_and_works_on(self):
        meminfo = pathlib.Path("/proc/meminfo").read_text()
        limit = int(re.search(r"CommitLimit: +(\d+) kB", meminfo)[1]) * 1024
        for kind in "preload", "static":
            with self.subTest(kind):
                self.assertEqual(self.program("beyond", limit, kind=kind), "refused, works on\n")

    def test_a_fork_of_a_large_heap(self):
        for kind in "preload", "static":
            with self.subTest(kind):
                self.assertEqual(self.program("fork", 256 * MIB, kind=kind), "forked, works on\n")

    def test_what_is_freed_stays_charged_and_is_used_again(self):
        """madvise gives pages back, not what was promised for them."""
        for kind in "preload", "static":
            with self.subTest(kind):
                first, full, freed, again = map(int, self.program("charge", 256 * MIB, kind=kind).split())
                self.assertLess(first, 64 * MIB)
                self.assertGreaterEqual(full - first, 256 * MIB)
                self.assertLess(full - first, 320 * MIB)
                self.assertLessEqual(freed, full)
                self.assertLess(again - full, 16 * MIB)


class DeepBind(unittest.TestCase):
    def test_php_opens_its_extensions_so(self):
        """PHP opens every extension with RTLD_DEEPBIND, and they free what PHP allocated."""
        code = 'echo strlen(json_encode(range(1, 10000))), posix_getpid() > 0 ? " works" : "", "\\n";'
        done = run("php", "-r", code, preload=PRELOAD)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "48895 works\n", ""))


class DataLimit(unittest.TestCase):
    def test_little_data_is_enough(self):
        """RLIMIT_DATA counts what is mapped to be written, touched or not."""
        for kind in "preload", "static":
            for mib in 8, 16, 48:
                with self.subTest(kind=kind, mib=mib):
                    limit = mib * MIB
                    done = run("prlimit", f"--data={limit}", PROGRAM / f"misuse_{kind}", "exhaust",
                               preload=PRELOAD if kind == "preload" else None)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertGreater(int(done.stdout.split()[0]), mib / 4)


class Static(unittest.TestCase):
    SOURCE = ("#include <stdio.h>\n#include <stdlib.h>\n"
              "int main(void) { char* p = malloc(100); sprintf(p, \"served\"); puts(p); free(p); }\n")

    def test_a_static_program_is_not_touched(self):
        with tempfile.TemporaryDirectory() as folder:
            source, program = pathlib.Path(folder) / "static.c", pathlib.Path(folder) / "static"
            source.write_text(self.SOURCE)
            subprocess.run(["clang-19", "-static", "-o", program, source], check=True, timeout=60)
            done = run(program, preload=PRELOAD)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "served\n", ""))
            done = run(BUILD / "burrow", "run", "--", program)
            self.assertEqual((done.returncode, done.stdout), (0, "served\n"))
            self.assertRegex(done.stderr, r"\Aburrow: warning: .*statically.*\n\Z")


if __name__ == "__main__":
    unittest.main()
