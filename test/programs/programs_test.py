#!/usr/bin/env python3
"""Real programs under the preload: same output, same files, same exit code as without it.

usage: programs_test.py BUILD_DIR [GROUP...]
"""
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = None

# How a program is run: its name and the variables that make it.
PLAIN = {}
SAMPLED = {"BURROW_PROFRATE": "4096"}
HARDENED = {"BURROW_DEBUG": "hardened=1"}
VERIFIED = {"BURROW_DEBUG": "verify=1"}


def tool(*names):
    """The first of these programs that is installed; a missing one fails the test."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise AssertionError(f"not installed: {names} (see tools/packages.txt)")


class Programs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="burrow-programs.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def environment(self, variables):
        env = {key: value for key, value in os.environ.items()
               if not key.startswith("BURROW_") and key != "LD_PRELOAD"}
        env.update(LC_ALL="C.UTF-8", HOME=str(self.folder), PYTHONHASHSEED="0",
                   PYTHONDONTWRITEBYTECODE="1", GIT_CONFIG_NOSYSTEM="1")
        if variables is not None:
            env.update(variables, LD_PRELOAD=str(BUILD / "libburrow_malloc.so"))
        return env

    def run_one(self, command, variables=None, **more):
        """Runs a command; under Burrow when there are variables, even if none is set."""
        return subprocess.run([str(part) for part in command], env=self.environment(variables),
                              capture_output=True, text=True, timeout=240, **more)

    def must(self, command, variables=None, **more):
        done = self.run_one(command, variables, **more)
        self.assertEqual(done.returncode, 0, (command, done.stdout[-1000:], done.stderr[-2000:]))
        return done.stdout

    def same(self, command, ways, code=0, **more):
        """The command's output, which is the same without Burrow and in each way with it."""
        want = self.run_one(command, **more)
        self.assertEqual(want.returncode, code, want.stderr)
        for variables in ways:
            with self.subTest(command=str(command[0]), **variables):
                got = self.run_one(command, variables, **more)
                self.assertEqual((got.returncode, got.stdout, got.stderr),
                                 (code, want.stdout, want.stderr))
        return want.stdout


class Interpreters(Programs):
    def test_python(self):
        self.same([tool("python3"), HERE / "script.py"], [PLAIN, SAMPLED, HARDENED, VERIFIED], code=7)

    def test_python_with_its_own_allocator_off(self):
        # Every object is a malloc then.
        env = dict(PYTHONMALLOC="malloc")
        self.same([tool("python3"), HERE / "script.py"], [dict(SAMPLED, **env)], code=7)

    def test_perl(self):
        self.same([tool("perl"), HERE / "script.pl"], [PLAIN, SAMPLED, HARDENED], code=5)

    def test_node(self):
        self.same([tool("node"), HERE / "script.js"], [PLAIN, SAMPLED], code=9)

    def test_lua(self):
        text = "local t={} for i=1,300000 do t[i%5000]=('x'):rep(i%300)..i end print(#t[77],collectgarbage('count')>0)"
        self.same([tool("lua5.4"), "-e", text], [PLAIN, HARDENED])


class Tools(Programs):
    GIT = ["-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "gc.auto=0",
           "-c", "protocol.file.allow=always"]

    def git(self, variables, *arguments, folder=None):
        dates = dict(GIT_AUTHOR_DATE="@1000000000 +0000", GIT_COMMITTER_DATE="@1000000000 +0000")
        env = dict(self.environment(variables), **dates)
        done = subprocess.run([tool("git"), *self.GIT, *map(str, arguments)], cwd=folder, env=env,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def history(self, variables, name):
        repo = self.folder / name
        self.git(variables, "init", "-q", "-b", "main", repo)
        for i in range(12):
            for part in range(25):
                (repo / f"file{part}.txt").write_text("".join(
                    f"{part} {line} {(line * (i + 1)) % 97}\n" for line in range(200 + part * i)))
            self.git(variables, "add", "-A", folder=repo)
            self.git(variables, "commit", "-q", "-m", f"change {i}", folder=repo)
        self.git(variables, "gc", "-q", folder=repo)
        copy = self.folder / f"{name}.copy"
        self.git(variables, "clone", "-q", "--no-local", repo, copy)
        self.git(variables, "fsck", "--full", folder=copy)
        return (self.git(variables, "log", "--stat", "-p", folder=copy) +
                self.git(variables, "blame", "file7.txt", folder=copy) +
                self.git(variables, "grep", "-c", "7 5", folder=copy))

    def test_git(self):
        want = self.history(None, "plain")
        for number, variables in enumerate((PLAIN, SAMPLED)):
            self.assertEqual(self.history(variables, f"burrow{number}"), want)

    def test_sqlite(self):
        script = """
            create table t (k integer primary key, a text, b real);
            with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
              insert into t select i, hex(i * 7919 % 10007) || '-' || i, i * 0.5 from n;
            create index ta on t (a);
            select count(*), sum(b), max(a) from t where a like '3%';
            select substr(a, 1, 3) p, count(*) c from t group by p order by c desc, p limit 20;
            delete from t where k % 3 = 0; vacuum; pragma integrity_check;
            select json_group_array(a) from (select a from t order by a limit 2000);
            """
        for number, variables in enumerate((PLAIN, SAMPLED, HARDENED, VERIFIED)):
            plain = self.must([tool("sqlite3"), self.folder / f"a{number}.db"], input=script)
            got = self.must([tool("sqlite3"), self.folder / f"b{number}.db"], variables, input=script)
            self.assertEqual(got, plain)

    def test_gdb(self):
        source = self.folder / "small.c"
        source.write_text("int twice(int n) { return 2 * n; }\nint main(void) { return twice(21); }\n")
        program = self.folder / "small"
        self.must([tool("clang-19"), "-g", "-O0", source, "-o", program])
        commands = ["break twice", "run", "backtrace", "finish", "info functions twice", "continue"]
        command = [tool("gdb"), "-nx", "-batch", "-iex", "set debuginfod enabled off",
                   # Its child runs without: what is tested is gdb.
                   "-iex", "set startup-with-shell off", "-iex", "unset environment LD_PRELOAD"]
        for text in commands:
            command += ["-ex", text]

        def shape(text):
            return re.sub(r"0x[0-9a-f]+|process \d+", "X", text)

        want = shape(self.must(command + [program]))
        self.assertIn("$1 = 42", want)
        for variables in (PLAIN, SAMPLED):
            self.assertEqual(shape(self.must(command + [program], variables)), want)

    def test_shell_pipelines_and_late_limits(self):
        self.same([tool("bash"), "-c",
                   "seq 1 50000 | sort -R --random-source=/bin/ls | sort -n | md5sum;"
                   "x=$(for i in $(seq 300); do echo $i; done | wc -l); echo $x;"
                   "ulimit -v 4000000; (echo sub; ls / | wc -l); a=(); for i in {1..9999}; do a+=($i); done;"
                   "echo ${#a[@]}; exit 4"], [PLAIN, SAMPLED], code=4)


class Compilers(Programs):
    SOURCE = """
        #include <algorithm>
        #include <iostream>
        #include <map>
        #include <string>
        #include <vector>
        int main() {
          std::map<std::string, std::vector<int>> words;
          for (int i = 0; i < 1000; ++i) words[std::to_string(i % 37)].push_back(i);
          for (auto& [word, list] : words)
            std::cout << word << std::count(list.begin(), list.end(), 7);
        }
        """

    def object_of(self, compiler, variables, *options):
        source = self.folder / "source.cc"
        source.write_text(self.SOURCE)
        out = self.folder / "out.o"
        out.unlink(missing_ok=True)
        self.must([compiler, "-std=c++20", "-c", source, "-o", out, *options], variables,
                  cwd=self.folder)
        return out.read_bytes()

    def test_clang(self):
        compiler = tool("clang++-19")
        want = self.object_of(compiler, None, "-O2", "-g")
        for variables in (PLAIN, SAMPLED):
            self.assertTrue(self.object_of(compiler, variables, "-O2", "-g") == want)

    def test_gcc(self):
        compiler = tool("g++-12")
        want = self.object_of(compiler, None, "-O1")
        self.assertTrue(self.object_of(compiler, PLAIN, "-O1") == want)

    def test_clang_hardened(self):
        compiler = tool("clang++-19")
        self.SOURCE = "#include <string>\nstd::string f(int n) { return std::string(n, 'x'); }\n"
        self.assertTrue(self.object_of(compiler, HARDENED) == self.object_of(compiler, None))


class Database(Programs):
    def setUp(self):
        super().setUp()
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        self.assertTrue(versions, "not installed: postgresql (see tools/packages.txt)")
        self.bin = versions[-1].parent
        self.as_user = []
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            user = pwd.getpwnam("nobody")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = [tool("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                            "--clear-groups"]
            # It must reach the library through folders that may be root's alone.
            shutil.copy(BUILD / "libburrow_malloc.so", self.folder)

    def environment(self, variables):
        env = super().environment(variables)
        copy = self.folder / "libburrow_malloc.so"
        if variables is not None and copy.exists():
            env["LD_PRELOAD"] = str(copy)
        return env

    def cluster(self, variables, name):
        """Makes a database, works on it, and returns what it answered."""
        data = self.folder / name
        self.must([*self.as_user, self.bin / "initdb", "-D", data, "-A", "trust", "-U", "t", "--no-sync",
                   "--locale=C", "-E", "UTF8"], variables, cwd=self.folder)
        server = subprocess.Popen(
            [*map(str, self.as_user), str(self.bin / "postgres"), "-D", str(data), "-k", str(self.folder),
             "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            env=self.environment(variables), cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        try:
            self.wait_until_ready(server)
            answer = self.work(variables)
            with open(f"/proc/{server.pid}/maps") as maps:
                self.assertEqual("libburrow_malloc" in maps.read(), variables is not None)
        finally:
            server.send_signal(signal.SIGINT)
            errors = server.communicate(timeout=60)[1]
        self.assertEqual(server.returncode, 0, errors)
        self.assertNotIn("PANIC", errors)
        self.assertNotIn("terminated by signal", errors)
        return answer

    def wait_until_ready(self, server):
        for line in server.stderr:
            if "ready to accept connections" in line:
                return
        self.fail("the server ended")

    def work(self, variables):
        at = ["-h", self.folder, "-U", "t"]
        sql = """
            select count(*), sum(abalance) is not null from pgbench_accounts;
            select md5(string_agg(i::text, ',' order by i)) from generate_series(1, 100000) i;
            with w as (select i % 97 k, repeat('x', i % 50) t from generate_series(1, 50000) i)
              select k, count(*), max(t) from w group by k order by k limit 5;
            """
        self.must([*self.as_user, self.bin / "pgbench", *at, "-q", "-i", "-s", "1", "postgres"],
                  variables, cwd=self.folder)
        # A number of transactions, not a time.
        out = self.must([*self.as_user, self.bin / "pgbench", *at, "-c", "4", "-j", "2", "-t", "150",
                         "postgres"], variables, cwd=self.folder)
        self.assertIn("number of transactions actually processed: 600/600", out)
        self.assertIn("number of failed transactions: 0", out)
        return self.must([*self.as_user, self.bin / "psql", *at, "-Atc", sql, "postgres"], variables,
                         cwd=self.folder)

    def test_postgresql(self):
        self.assertEqual(self.cluster(PLAIN, "burrow"), self.cluster(None, "plain"))


class Stress(Programs):
    def stress(self, variables, *options):
        # A number of operations, not a time; --verify fills and checks every block.
        self.must([tool("stress-ng"), *options, "--verify", "--no-rand-seed"], variables, cwd=self.folder)

    def test_malloc(self):
        options = ["--malloc", "2", "--malloc-ops", "12000", "--malloc-bytes", "64M"]
        for variables in (PLAIN, SAMPLED):
            with self.subTest(**variables):
                self.stress(variables, *options)

    def test_malloc_with_threads(self):
        self.stress(PLAIN, "--malloc", "2", "--malloc-pthreads", "4", "--malloc-ops", "8000",
                    "--malloc-bytes", "32M")

    def test_hardened(self):
        self.stress(HARDENED, "--malloc", "1", "--malloc-ops", "600", "--malloc-bytes", "1M")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
