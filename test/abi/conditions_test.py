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
            if "burrow" in done.stderr:
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
