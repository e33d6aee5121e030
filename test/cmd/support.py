"""What the tests of the command share: it, and what it is tried on."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
BURROW = BUILD / "burrow"
LIBRARY = BUILD / "libburrow_malloc.so"
PROGRAMS = BUILD / "tests" / "cmd"
KNOWN = PROGRAMS / "known"
PYTHON = "/usr/bin/python3"
TIMEOUT = 120


def clean_environment(**more):
    """The environment without what may be set for Burrow outside."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("BURROW_") and name not in ("LD_PRELOAD", "DEBUGINFOD_URLS")}
    return {**kept, **more}


def run(*command, code=0, text=True, env=None, **more):
    """Runs a command that must end with `code`."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=text,
                          timeout=TIMEOUT, env=env or clean_environment(), **more)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}, not {code}:\n"
                             f"{done.stdout}\n{done.stderr}")
    return done


def burrow(*arguments, **more):
    return run(BURROW, *arguments, **more)


def line_of(mark, source=HERE / "programs/known.cc"):
    """The number of the line that carries `// line: MARK`."""
    for number, line in enumerate(source.read_text().splitlines(), 1):
        if line.endswith(f"// line: {mark}"):
            return number
    raise AssertionError(f"{source} has no line marked {mark}")


def pprof(profile, *options):
    """The rows of `go tool pprof -top`: [(flat, cum, name)], in bytes or objects."""
    done = run("go", "tool", "pprof", "-top", "-unit=B", "-nodefraction=0", "-edgefraction=0",
               *options, profile, env=clean_environment(HOME=tempfile.gettempdir()))
    return rows(done.stdout)


def rows(table):
    """The rows of a table whose figures carry no unit but B."""
    found = []
    for line in table.splitlines():
        match = re.match(r"\s*(-?\d+)B?\s+(\S+%)\s+(\S+%)\s+(-?\d+)B?\s+(\S+%)\s+(.*)$", line)
        if match:
            name = re.sub(r" \((partial-)?inline\)$", "", match[6])
            found.append((int(match[1]), int(match[4]), name))
    return found


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name).resolve()

    def one_line(self, done, *parts):
        """Standard error is one line with these parts."""
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("burrow: "), done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def script(self, name, text):
        path = self.top / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def compile(self, name, source, *flags, compiler="clang++-19"):
        path = self.top / name
        file = self.top / (name + ".cc")
        file.write_text(source)
        run(compiler, "-O1", file, "-o", path, *flags)
        return path


def need(*tools):
    """Skips a test where a tool is missing that ./dev installs."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return unittest.skipIf(missing, f"not installed: {missing}")
