#!/usr/bin/env python3
"""Does what README.md and docs/*.md show, as a reader would: every command and every piece of code, from an
installed prefix, with g++ and with clang++. What cannot be done here is in EXCUSED, with the reason; a block that
is in neither list fails.

usage: docs_test.py ROOT BUILD_DIR
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMPILERS = [name for name in ("clang++-19", "g++-12") if shutil.which(name)]
TIMEOUT = 280
# Documents whose pieces of C++ are one program: GUIDE -> that program, which has all of them (guide_test).
WHOLE = {"docs/collected-heap.md": "test/gc/guide.cc"}
# What pieces that are no whole program take as given.
GIVEN = """#include <burrow/chan.h>
#include <burrow/gc.h>
#include <burrow/go.h>
#include <burrow/slice.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>
"""
EXCUSED = {
    r"\./dev (demo|test)\b": "builds everything and runs every test, this one too",
    r"cmake --preset release": "the build that this test installs",
    r"cmake --install build/release": "done by this test, to a prefix of its own",
    r"build/release/tests/": "is run by ctest itself",
    r"list\.cc:|keep the pointer itself": "what the compiler says of a file that is not shown",
    r"\./dev test": "runs every test, this one too",
}
SERVER = r"""
#include <burrow/heap.h>
#include <chrono>
#include <string>
#include <thread>
#include <vector>
static std::vector<std::string> g_sessions;
void remember(int i) { g_sessions.emplace_back(5000, static_cast<char>(i)); }
int main(int argc, char** argv) {
  for (int i = 0; i < 2000; ++i) { remember(i); }
  bool stay = argc < 2;
  for (int i = 0; stay && i < 6000; ++i) { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }
  (void)argv;
  (void)burrow::read_mem_stats;
}
"""

def run(*command, code=0, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=TIMEOUT,
                          check=False, **more)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def fenced(path, language):
    """(line, code) of each block of a language."""
    text = path.read_text()
    for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text[:match.start()].count("\n") + 2, match[1]


def commands(path):
    """(line, text) of each line of the blocks that are set in by four, which are for the shell."""
    inside = False
    previous = ""
    text = re.sub(r"^```.*?^```$", lambda m: "\n" * m[0].count("\n"), path.read_text(),
                  flags=re.MULTILINE | re.DOTALL)
    for number, line in enumerate(text.splitlines(), 1):
        inside = line.startswith("    ") and (inside or previous == "")
        if inside:
            yield number, line[4:]
        previous = line.strip()


class Prefix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.folder.name)
        cls.prefix = cls.top / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.lib = next(cls.prefix.rglob("libburrow.a")).parent
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            cls.port = s.getsockname()[1]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BURROW_") and k != "LD_PRELOAD"}
        # As the prefix were /usr/local, after ldconfig.
        cls.env = kept | {"PATH": f"{cls.prefix}/bin:{kept['PATH']}", "HOME": str(cls.top),
                          "LD_LIBRARY_PATH": str(cls.lib), "PKG_CONFIG_PATH": f"{cls.lib}/pkgconfig",
                          "CMAKE_PREFIX_PATH": str(cls.prefix), "CMAKE_GENERATOR": "Ninja"}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def adapt(self, text):
        """Only what a test must not take: the one port, and the machine's own prefix."""
        text = text.replace("localhost:6060", f"localhost:{self.port}")
        return text.replace("/usr/local/lib", str(self.lib))


class Code(Prefix):
    def flags(self):
        """As `$(pkg-config --static --cflags --libs burrow)`, of the archive."""
        flags = run("pkg-config", "--static", "--cflags", "--libs", "burrow", env=self.env).split()
        return [str(self.lib / "libburrow.a") if f == "-lburrow" else f for f in flags]

    def build(self, compiler, source, *flags):
        program = self.top / "program"
        file = self.top / "program.cc"
        file.write_text(source)
        run(compiler, "-std=c++20", "-Wall", "-Wextra", file, "-o", program, *flags, *self.flags(), env=self.env)
        return program

    def test_every_piece_of_cpp_compiles_and_every_program_runs(self):
        found = 0
        for page in PAGES:
            name = str(page.relative_to(ROOT))
            if name in WHOLE:
                for compiler in COMPILERS:
                    with self.subTest(f"{WHOLE[name]}, {compiler}"):
                        run(self.build(compiler, (ROOT / WHOLE[name]).read_text()), env=self.env)
                continue
            for line, code in fenced(page, "cpp"):
                found += 1
                whole = "int main(" in code
                body = "\n".join(x for x in code.splitlines() if not x.startswith("#include"))
                includes = "\n".join(x for x in code.splitlines() if x.startswith("#include"))
                source = code if whole else f"{GIVEN}{includes}\nvoid f() {{\n{body}\n}}\nint main() {{}}\n"
                for compiler in COMPILERS:
                    with self.subTest(f"{name}:{line}, {compiler}"):
                        program = self.build(compiler, source, *([] if whole else ["-Wno-unused"]))
                        run(program, env=self.env)
        self.assertGreaterEqual(found, 10)

    def test_every_piece_of_cmake_builds(self):
        found = 0
        for page in PAGES:
            for line, code in fenced(page, "cmake"):
                for compiler in COMPILERS:
                    found += 1
                    with self.subTest(f"{page.name}:{line}, {compiler}"):
                        source = self.top / f"cmake_{compiler}_{line}"
                        source.mkdir()
                        (source / "server.cc").write_text(SERVER)
                        (source / "CMakeLists.txt").write_text(
                            "cmake_minimum_required(VERSION 3.20)\nproject(server LANGUAGES CXX)\n"
                            f"add_executable(server server.cc)\n{code}")
                        run("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_CXX_COMPILER={compiler}",
                            env=self.env)
                        run("cmake", "--build", source / "build", env=self.env)
                        run(source / "build/server", "x", env=self.env)
        self.assertGreaterEqual(found, 1)

    def test_no_block_is_passed_over(self):
        for page in PAGES:
            languages = set(re.findall(r"^```(\w*)\n", page.read_text(), re.MULTILINE)) - {""}
            self.assertLessEqual(languages, {"cpp", "cmake", "text"}, page)


class Commands(Prefix):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.work = cls.top / "work"
        cls.work.mkdir()
        (cls.work / "server.cc").write_text(SERVER)
        page = ROOT / "docs/escape-analysis.md"
        (cls.work / "main.cc").write_text(next(code for _, code in fenced(page, "cpp")))
        (cls.work / "script.py").write_text("kept = [str(i) * 50 for i in range(100000)]\n")

    def shell(self, text, code=0):
        return run("bash", "-c", self.adapt(text), code=code, cwd=self.work, env=self.env)

    def start(self, text, ready):
        """Starts what does not end by itself, and waits for a line that matches."""
        log = self.work / "log"
        with open(log, "w") as out:
            # pylint: disable=consider-using-with
            process = subprocess.Popen(["bash", "-c", "exec " + self.adapt(text)], cwd=self.work, env=self.env,
                                       stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        self.addCleanup(lambda: (os.killpg(process.pid, signal.SIGKILL), process.wait()))
        end = time.monotonic() + TIMEOUT
        while not re.search(ready, log.read_text()):
            self.assertIsNone(process.poll(), f"{text} ended: {log.read_text()}")
            self.assertLess(time.monotonic(), end, text + log.read_text())
            time.sleep(0.05)

    def do(self, command, shown):
        """Does one command; `shown` are the lines that follow it on the page."""
        if command.startswith("burrow run --http"):
            self.start(command, "serving")
        elif command.startswith("go tool pprof -http="):
            self.start(command.replace("-http=", "-no_browser -http="), "Serving web UI")
        elif command.startswith("burrow c++ -m"):
            said = self.shell(command).splitlines()
            self.assertEqual(said, shown[:len(said)])
        else:
            return self.shell(command)
        return ""

    def test_every_command_works(self):
        self.shell("c++ -std=c++20 server.cc -o server $(pkg-config --cflags --libs burrow)")
        missing = [tool for tool in ("go", "python3") if shutil.which(tool) is None]
        self.assertEqual(missing, [], "the pages name them")
        done = 0
        for page in PAGES:
            lines = list(commands(page))
            for at, (number, line) in enumerate(lines):
                command = line.split("  #")[0].strip()
                if not command or re.match(r"\S+\.cc:\d+:\d+: ", command) or line.startswith(" "):
                    continue  # what a command prints
                if any(re.match(pattern, command) for pattern in EXCUSED):
                    continue
                with self.subTest(f"{page.name}:{number}: {command}"):
                    self.do(command, [text for _, text in lines[at + 1:]])
                done += 1
        self.assertGreaterEqual(done, 9)

    def test_commands_within_sentences(self):
        """Those that are whole; each must still be on a page."""
        text = " ".join(page.read_text() for page in PAGES)
        for command in ("c++ -std=c++20 server.cc $(pkg-config --cflags --libs burrow)", "--profile heap.%p.pb.gz"):
            with self.subTest(command):
                self.assertIn(f"`{command}`", text)
                if command.startswith("--"):
                    command = f"burrow run {command} -- true"
                self.shell(command)


class Names(Prefix):
    """What the pages say of names that the libraries export."""

    def test_every_function_that_is_replaced_is_named(self):
        table = (ROOT / "docs/debug-vars.md").read_text().split("## Functions that Burrow replaces")[1]
        table = table.split("\n## ")[0]
        named = set(re.findall(r"`(\w+)`", table))
        exported = set()
        for library, options in (("libburrow_malloc.so", ["-D"]), ("libburrow.so", ["-D"]), ("libburrow.a", [])):
            out = run("nm", *options, "--defined-only", self.lib / library)
            exported |= {line.split()[2].split("@")[0] for line in out.splitlines()
                         if re.match(r"\w+ [TWV] (?!_Z|burrow_|__libc_|__posix_|DW\.|__clang)", line)}
        exported = {name for name in exported if not name.startswith(("http_", "libdeflate_"))}
        self.assertEqual(exported - named, set())
        self.assertEqual(named - exported, set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
