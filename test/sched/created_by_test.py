#!/usr/bin/env python3
"""created_by_test.py ROOT BUILD_DIR: a goroutine's trace names the line of the user's that called `go`."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT, BUILD = (pathlib.Path(text).resolve() for text in sys.argv[1:3])
LINK = [BUILD / "libburrow.a", "-ldeflate", "-lhttp_parser", "-lpthread", "-ldl"]
COMPILERS = [name for name in ("clang++-19", "g++-12") if shutil.which(name)]
SOURCE = """
#include <burrow/chan.h>
#include <burrow/go.h>
#include <csignal>
static void worker(burrow::Chan<int> c) { (void)c.recv(); }
[[gnu::noinline]] static void start_worker(burrow::Chan<int> c) {
  burrow::go(worker, c);  // line: go
}
[[gnu::noinline]] static void start_group(burrow::WaitGroup& group, burrow::Chan<int> c) {
  group.go([c] { (void)c.recv(); });  // line: group
}
int main() {
  return burrow::run([] {
    burrow::Chan<int> c;
    burrow::WaitGroup group;
    start_worker(c);
    start_group(group, c);
    burrow::sleep_for(std::chrono::milliseconds(10));
    raise(SIGQUIT);
    burrow::sleep_for(std::chrono::seconds(60));
  });
}
"""


class CreatedBy(unittest.TestCase):
    def test_names_the_users_line(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "source.cc")
            source.write_text(SOURCE)
            lines = {text.split("// line: ")[1]: n for n, text in enumerate(SOURCE.splitlines(), 1) if "// line" in text}
            for compiler in COMPILERS:
                for level in ("-O0", "-O2"):
                    with self.subTest(f"{compiler} {level}"):
                        program = pathlib.Path(folder, "program")
                        subprocess.run([compiler, "-std=c++20", level, "-g", source, f"-I{ROOT}/include", "-o",
                                        program, *LINK], check=True, timeout=250)
                        done = subprocess.run([program], capture_output=True, text=True, timeout=100, check=False,
                                              env=os.environ | {"BURROW_SYMBOLIZER": str(BUILD / "burrow")})
                        made = [part.split("\n\n")[0].splitlines()
                                for part in done.stderr.split("created by goroutine 1 at\n")[1:]]
                        self.assertEqual(
                            [(function.split("(")[0], place.strip()) for function, place in made],
                            [("start_worker", f"{source}:{lines['go']}"),
                             ("start_group", f"{source}:{lines['group']}")], done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
