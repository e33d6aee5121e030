#!/usr/bin/env python3
"""Whose profile lies where when programs start others. usage: wrapper_test.py BUILD_DIR"""
import shutil
import unittest

from support import PROGRAMS, Case, burrow, need

PROGRAM = PROGRAMS / "signals"  # "exit": allocates 5 MB in grow(), ends with 3
GROW = "grow"


class Wrappers(Case):
    def setUp(self):
        super().setUp()
        self.profile = self.top / "heap.pb.gz"

    def functions(self, path):
        return burrow("top", "-n", "0", path).stdout

    def files(self):
        return sorted(path.name for path in self.top.iterdir())

    def record(self, *command, name=None, **more):
        return burrow("run", "--rate", "4096", "--profile", name or self.profile, "--", *command,
                      **more)

    def test_the_program_behind_a_wrapper_has_the_name(self):
        script = self.script("start.sh", f"#!/bin/sh\n{PROGRAM} exit\ntrue\n")
        wrappers = [("/bin/sh", "-c", f"{PROGRAM} exit; true"), ("timeout", "60", PROGRAM, "exit"),
                    ("/bin/sh", "-c", f"timeout 60 {PROGRAM} exit; true"), (script,),
                    ("nice", "timeout", "60", "env", PROGRAM, "exit")]
        if shutil.which("bash"):
            wrappers.append(("bash", "-c", f"{PROGRAM} exit; true"))
        for command in wrappers:
            with self.subTest(command):
                self.profile.unlink(missing_ok=True)
                done = self.record(*command, code=None)
                self.assertEqual(done.stderr, "")
                self.assertIn(GROW, self.functions(self.profile))
        self.assertEqual(self.files(), ["heap.pb.gz", "start.sh"])

    def test_the_profile_of_an_earlier_run_does_not_stay(self):
        for _ in range(2):
            self.assertEqual(self.record("timeout", "60", PROGRAM, "exit", code=3).stderr, "")
        self.assertEqual(self.files(), ["heap.pb.gz"])

    def test_the_second_program_lies_beside_and_says_so(self):
        done = self.record("/bin/sh", "-c", f"{PROGRAM} exit; {PROGRAM} exit; true")
        self.one_line(done, str(self.profile), "another program")
        first, second = self.files()
        self.assertRegex(first, r"^heap\.\d+\.pb\.gz$")
        self.assertEqual(second, "heap.pb.gz")
        for name in (first, second):
            self.assertIn(GROW, self.functions(self.top / name))

    def test_a_profile_without_samples_gives_way(self):
        # At a rate of which /bin/true may have a sample, it would have one now and then.
        none = "BURROW_PROFRATE=0 /bin/true"
        command = f"{none}; BURROW_PROFRATE=4096 {PROGRAM} exit; {none}"
        done = burrow("run", "--profile", self.profile, "--", "/bin/sh", "-c", command)
        self.assertEqual(done.stderr, "")
        self.assertIn(GROW, self.functions(self.profile))
        self.assertEqual(self.files(), ["heap.pb.gz"])

    def test_a_program_without_samples_has_a_file_too(self):
        burrow("run", "--profile", self.profile, "--", "/bin/sh", "-c", "/bin/true; true")
        self.assertIn("Type: inuse_space", self.functions(self.profile))

    @need("bash")
    def test_a_shell_that_starts_none_writes_its_own(self):
        self.record("bash", "-c", "true")
        self.assertIn("Type: inuse_space", self.functions(self.profile))

    def test_children_of_the_program_write_nothing(self):
        self.record("/usr/bin/python3", "-c", f"import subprocess; subprocess.run(['{PROGRAM}', 'exit'])")
        self.assertNotIn(GROW, self.functions(self.profile))
        self.assertEqual(self.files(), ["heap.pb.gz"])

    def test_percent_p_gives_each_process_a_file(self):
        done = self.record("/usr/bin/python3", "-c",
                           f"import subprocess, os; p = subprocess.Popen(['{PROGRAM}', 'exit']);"
                           "p.wait(); print(os.getpid(), p.pid)", name=self.top / "100%%.%p.pb.gz")
        parent, child = done.stdout.split()
        self.assertEqual(self.files(), sorted([f"100%.{parent}.pb.gz", f"100%.{child}.pb.gz"]))
        self.assertIn(GROW, self.functions(self.top / f"100%.{child}.pb.gz"))
        self.assertNotIn(GROW, self.functions(self.top / f"100%.{parent}.pb.gz"))

    def test_the_server_is_the_programs_too(self):
        address = self.top / "address"
        script = ("import os, urllib.request as u;"
                  f"print(os.getpid()); print(u.urlopen(open('{address}').read().strip()).read().decode())")
        done = burrow("run", "--http", "127.0.0.1:0", "--", "timeout", "60", "/usr/bin/python3", "-c",
                      script, env=self.environment(BURROW_HTTP_ADDRFILE=str(address)))
        pid, page = done.stdout.split("\n", 1)
        self.assertIn(pid, page)
        self.assertEqual(done.stderr.count("serving"), 1)

    def environment(self, **more):
        from support import clean_environment
        return clean_environment(PYTHONMALLOC="malloc", **more)


if __name__ == "__main__":
    unittest.main()
