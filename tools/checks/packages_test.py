#!/usr/bin/env python3
"""tools/packages.sh asks apt for what is missing, only then, and says so when it cannot."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "packages.sh"
# Stand-ins for the system's commands: `have` lists what is installed, apt's calls are written down.
QUERY = '#!/bin/bash\ngrep -qx "${!#}" "$STATE/have" && printf installed\n'
APT = ('#!/bin/bash\necho "$*" >>"$STATE/calls"\n'
       '[ "$1" = update ] && touch "$STATE/lists" && exit 0\n'
       '[ -e "$STATE/lists" ] || exit 100\n'
       '[ ! -e "$STATE/broken" ]\n')


class Packages(unittest.TestCase):
    def run_script(self, wanted, have, *marks, uid="0"):
        """Runs the script for these lists; its result and the calls of apt-get."""
        with tempfile.TemporaryDirectory() as folder:
            state = pathlib.Path(folder)
            (state / "have").write_text("".join(f"{name}\n" for name in have))
            (state / "list").write_text("".join(f"{name}\n" for name in wanted))
            for mark in marks:
                (state / mark).touch()
            for name, text in (("dpkg-query", QUERY), ("apt-get", APT),
                               ("id", f"#!/bin/bash\necho {uid}\n")):
                (state / name).write_text(text)
                (state / name).chmod(0o755)
            for name in ("bash", "grep", "env", "mktemp", "rm", "tail", "cat", "touch", "dirname"):
                path = next(p for p in (f"/usr/bin/{name}", f"/bin/{name}") if os.path.exists(p))
                (state / name).symlink_to(path)
            done = subprocess.run(["/bin/bash", SCRIPT, state / "list"], capture_output=True,
                                  text=True, env={"PATH": folder, "STATE": folder})
            calls = state / "calls"
            return done, calls.read_text().splitlines() if calls.exists() else []

    def test_nothing_missing_is_silent(self):
        done, calls = self.run_script(["a", "b"], ["b", "a"])
        self.assertEqual((done.returncode, done.stdout, done.stderr, calls), (0, "", "", []))

    def test_only_what_is_missing_is_installed(self):
        done, calls = self.run_script(["a", "b", "c"], ["b"], "lists")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(calls), 1)
        self.assertTrue(calls[0].endswith(" a c"), calls)

    def test_a_fresh_machine_fetches_the_lists_first(self):
        done, calls = self.run_script(["a"], [])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([call.split()[0] for call in calls], ["install", "update", "install"])

    def test_failure_names_the_packages(self):
        done, _ = self.run_script(["a", "b"], ["a"], "broken")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.splitlines()[-1], "dev: apt-get could not install: b")

    def test_without_root_and_sudo_it_says_what_to_do(self):
        done, calls = self.run_script(["a"], [], uid="1000")
        self.assertEqual((done.returncode, calls), (1, []))
        self.assertEqual(done.stderr, "dev: run as root: apt-get install a\n")


if __name__ == "__main__":
    unittest.main()
