#!/usr/bin/env python3
"""The server and the process around it: children, ports, sockets, daemons, bad clients.

usage: process_test.py BUILD_DIR
"""
import collections
import os
import pathlib
import re
import socket
import stat
import subprocess
import threading
import time
import unittest

from harness import BUILD, WAIT, Profile, Subject, environment, main, read_all, wait_for


def sockets_of(pid):
    """The inodes of the sockets that a process holds."""
    held = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            held.add(os.readlink(fd))
        except FileNotFoundError:
            pass
    return {h for h in held if h.startswith("socket:")}


def threads_of(pid):
    """The names of a process's threads."""
    names = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return names


class Start(unittest.TestCase):
    def test_off_unless_asked_for(self):
        with Subject(http=None) as s:
            self.assertIsNone(s.url)
            self.assertEqual(s.stderr(), "")
            self.assertEqual(sockets_of(s.process.pid), set())
            self.assertEqual(len(os.listdir(f"/proc/{s.process.pid}/task")), 1)

    def test_says_where(self):
        with Subject() as s:
            self.assertEqual(s.stderr(), f"burrow: serving {s.url}\n")
            self.assertRegex(s.url, r"\Ahttp://127\.0\.0\.1:\d+/debug/pprof/\Z")
            self.assertEqual(s.get("/metrics").status, 200)

    def test_localhost_is_loopback_only(self):
        with Subject(http="localhost:0") as s:
            self.assertNotIn("warning", s.stderr())
            table = pathlib.Path(f"/proc/{s.process.pid}/net/tcp").read_text()
            self.assertRegex(table, rf"0100007F:{s.port:04X} 00000000:0000 0A")

    def test_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("this machine has no IPv6")
        with Subject(http="[::1]:0") as s:
            self.assertRegex(s.url, r"\Ahttp://\[::1\]:\d+/")
            with socket.create_connection(("::1", s.port), WAIT) as c:
                c.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                self.assertTrue(read_all(c).startswith(b"HTTP/1.1 200"))

    def test_all_interfaces_bring_a_warning(self):
        for http in (":0", "0.0.0.0:0"):
            with Subject(http=http) as s:
                warning, serving = s.stderr().splitlines()
                self.assertRegex(warning, r"burrow: warning: other machines .*localhost")
                self.assertIn(s.url, serving)
                # By any name: who opens it to others means it.
                self.assertEqual(s.raw(b"GET /metrics HTTP/1.1\r\nHost: a.example\r\n\r\n").status, 200)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with Subject(http=f"127.0.0.1:{port}") as s:
                self.assertEqual(s.stderr(), f"burrow: cannot serve on 127.0.0.1:{port}: Address already "
                                             "in use; the program goes on without its debug server\n")
                s.do("keep 10 10")
                self.assertEqual(s.end(), 0)

    def test_bad_addresses(self):
        for http in ("6060", "localhost:x", "example.org:80", "unix:", "unix:/" + "p" * 200):
            with Subject(http=http) as s:
                self.assertRegex(s.stderr(), r'\Aburrow: cannot serve on "[^\n]+": [^\n]+; write for example '
                                             r"[^\n]+; the program goes on [^\n]+\n\Z")
                self.assertEqual(s.end(), 0)

    def test_port_is_free_again_at_once(self):
        with Subject() as s:
            port = s.port
            s.get("/metrics")
        with Subject(http=f"127.0.0.1:{port}") as s:
            self.assertEqual(s.port, port, s.stderr())


class UnixSocket(unittest.TestCase):
    def test_serves_privately_and_tidies_up(self):
        with Subject(http="unix:TOP/s") as s:
            path = s.top / "s"
            self.assertEqual(s.url, f"unix:{path}")
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            # There is no network to guard against: any Host will do.
            self.assertEqual(s.raw(b"GET /metrics HTTP/1.1\r\nHost: x.example\r\n\r\n").status, 200)
            Profile(s.get("/debug/pprof/heap").body)
            self.assertEqual(s.end(), 0)
            self.assertFalse(path.exists())

    def test_killed_server_leaves_a_file_that_the_next_replaces(self):
        with Subject(http="unix:TOP/s") as s:
            path = s.top / "s"
            s.process.kill()
            s.process.wait()
            self.assertTrue(path.exists())
            with Subject(http=f"unix:{path}") as t:
                self.assertEqual(t.get("/metrics").status, 200)
                with Subject(http=f"unix:{path}") as u:  # one in use is left alone
                    self.assertIn("Address already in use", u.stderr())
                self.assertEqual(t.get("/metrics").status, 200)


class Children(unittest.TestCase):
    def test_forked_child_holds_no_socket(self):
        with Subject() as s:
            with s.connect() as waiting:
                s.get("/metrics")  # the connection before it has been accepted
                child = int(s.do("fork"))
                # The parent may be back from fork before the child has closed them.
                wait_for(lambda: not sockets_of(child), "the child closes the sockets")
                waiting.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                self.assertIn(b"go_threads", read_all(waiting))  # ends: nobody else has it open
            self.assertEqual(s.get("/metrics").status, 200)
            self.assertEqual(s.do("reap"), "0")

    def test_port_is_released_while_a_child_lives(self):
        with Subject() as s:
            child = int(s.do("fork"))
            wait_for(lambda: not sockets_of(child), "the child closes the sockets")
            port = s.port
            s.process.kill()
            s.process.wait()
            os.kill(child, 0)
            socket.create_server(("127.0.0.1", port)).close()
            s.process.stdin.close()

    def test_executed_children_do_not_serve(self):
        env = environment(BURROW_HTTP="127.0.0.1:0")
        # The shells, which pass on what they are asked to serve, are asked by a program that does.
        script = "for i in 1 2 3; do sh -c 'sleep 0; true' | cat; done; (true); echo $(echo done)"
        parent = f"import subprocess; subprocess.run(['bash', '-c', {script!r}], check=True)"
        done = subprocess.run(["/usr/bin/python3", "-c", parent], env=env, capture_output=True, text=True,
                              timeout=WAIT)
        self.assertEqual(done.stdout, "done\n")
        self.assertRegex(done.stderr, r"\Aburrow: serving http://[^\n]+\n\Z")

    def test_each_program_of_a_shell_serves(self):
        """Which of them is the one that is meant is not known; the shell itself is not."""
        env = environment(BURROW_HTTP="127.0.0.1:0")
        done = subprocess.run(["bash", "-c", "/bin/true; (true); timeout 60 /bin/true; echo $(echo done)"],
                              env=env, capture_output=True, text=True, timeout=WAIT)
        self.assertEqual(done.stdout, "done\n")
        self.assertRegex(done.stderr, r"\A(burrow: serving http://[^\n]+\n){2}\Z")

    def test_owner_is_who_was_named(self):
        """As `burrow run` does it: the number is known before exec, which keeps it."""
        env = environment(BURROW_HTTP="127.0.0.1:0", BURROW_OWNER_PID="1")
        done = subprocess.run(["true"], env=env, capture_output=True, text=True, timeout=WAIT)
        self.assertEqual(done.stderr, "")
        del env["LD_PRELOAD"]
        preload = environment()["LD_PRELOAD"]
        script = (f"BURROW_OWNER_PID=$$ LD_PRELOAD={preload} exec /usr/bin/python3 -c "
                  "'import os; os.execv(\"/bin/true\", [\"true\"])'")
        done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True,
                              timeout=WAIT)
        # Twice, as exec keeps the number.
        self.assertEqual(len(re.findall(r"(?m)^burrow: serving http", done.stderr)), 2, done.stderr)


class Run(unittest.TestCase):
    @unittest.skipUnless((BUILD / "burrow").exists(), "the command is not built")
    def test_the_command_hands_the_address_on(self):
        """`burrow run` becomes the program, which serves; its children do not."""
        env = environment()
        del env["LD_PRELOAD"]
        script = "sh -c true; cat /dev/null; echo done"
        done = subprocess.run([BUILD / "burrow", "run", "--http", "127.0.0.1:0", "--", "sh", "-c",
                               script], env=env, capture_output=True, text=True, timeout=WAIT)
        self.assertEqual(done.stdout, "done\n")
        self.assertRegex(done.stderr, r"\Aburrow: serving http://127.0.0.1:\d+/[^\n]+\n\Z")


class Unnoticed(unittest.TestCase):
    def test_signals_and_descriptors(self):
        with Subject(http=None) as plain, Subject() as s:
            for command in ("sigpipe", "fds"):
                self.assertEqual(s.do(command), plain.do(command))
            self.assertEqual(s.do("sigpipe"), "default")
            for task in pathlib.Path(f"/proc/{s.process.pid}/task").iterdir():
                if int(task.name) == s.process.pid:
                    continue
                self.assertIn((task / "comm").read_text(), ("burrow-debug\n", "burrow-scavenge\n"))
                blocked = re.search(r"SigBlk:\s+(\w+)", (task / "status").read_text())[1]
                # All but KILL and STOP, and glibc's two of its own.
                self.assertEqual(int(blocked, 16) | 1 << 8 | 1 << 18 | 3 << 31, (1 << 64) - 1)

    def test_client_that_leaves_while_it_is_written_to(self):
        with Subject(BURROW_PROFRATE="1") as s:
            s.do("keep 2000 64")
            for _ in range(30):
                with s.connect() as c:
                    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    c.sendall(b"GET /debug/memstats HTTP/1.1\r\n\r\n")
            self.assertEqual(s.get("/metrics").status, 200)
            self.assertEqual(s.end(), 0)

    def test_program_at_its_memory_limit(self):
        """The server says so, and does not end the program; with memory again it serves."""
        with Subject(BURROW_MEMLIMIT="24M") as s:
            s.do("keep 40 512000")
            a = s.get("/debug/pprof/heap")
            self.assertEqual((a.status, a.text), (503, "the program is out of memory\n"))
            s.do("drop")
            self.assertEqual(s.get("/debug/pprof/heap").status, 200)
            self.assertEqual(s.end(), 0)

    def test_program_that_takes_all_memory_again_and_again(self):
        """Under RLIMIT_AS memory runs out between the server's look and its answer's end: answers are
        whole, refused, or not given, and the program lives on."""
        with Subject(BURROW_PROFRATE="4096") as s:
            s.do("gorge 400")
            seen = collections.Counter()
            end = time.monotonic() + WAIT
            while seen.total() < 300 or not (seen["refused"] and seen["answered"]):
                self.assertLess(time.monotonic(), end, seen)
                path = ("/debug/pprof/heap", "/debug/pprof/allocs?debug=1", "/debug/pprof/")[seen.total() % 3]
                try:
                    a = s.get(path)
                except ConnectionError:
                    seen["refused"] += 1
                    continue
                if not a.status_line:  # closed: there was no memory for the connection
                    seen["refused"] += 1
                    continue
                self.assertIn(a.status, (200, 503), path)
                if a.status == 503:
                    self.assertEqual(a.headers["X-Go-Pprof"], "1")
                    self.assertEqual(a.headers["Content-Type"], "text/plain; charset=utf-8")
                self.assertEqual(len(a.body), int(a.headers["Content-Length"]))
                seen["answered" if a.status == 200 else "refused"] += 1
            self.assertNotEqual(s.do("join"), "0")  # how often memory was out
            self.assertEqual(s.get("/debug/pprof/heap").status, 200)
            self.assertEqual(s.end(), 0)

    def test_program_that_changes_its_user(self):
        with Subject() as s:
            s.do("setuid")
            self.assertEqual(s.get("/metrics").status, 200)

    def test_daemon_goes_on_without_the_server(self):
        with Subject() as s:
            port = s.port
            daemon = int(s.do("daemon"))
            s.process.wait(WAIT)
            self.assertNotEqual(daemon, s.process.pid)
            wait_for(lambda: not sockets_of(daemon), "the daemon closes the sockets")
            s.do("keep 100 100")
            socket.create_server(("127.0.0.1", port)).close()  # nobody holds the port
            s.process.stdin.close()
            wait_for(lambda: not pathlib.Path(f"/proc/{daemon}").exists() or
                     "Z" in pathlib.Path(f"/proc/{daemon}/stat").read_text().split()[2],
                     "the daemon ends")

    def test_program_that_closes_all_descriptors(self):
        with Subject() as s:
            s.do("closefrom")
            try:
                s.raw(b"GET /metrics HTTP/1.1\r\n\r\n")
            except (OSError, IndexError, ValueError):
                pass
            wait_for(lambda: "burrow-debug" not in threads_of(s.process.pid), "the server's thread ends")
            s.do("keep 100 100")
            self.assertEqual(s.end(), 0)


class Clients(unittest.TestCase):
    def test_many_while_threads_allocate(self):
        with Subject(BURROW_PROFRATE="16384") as s:
            s.do("threads 4")
            failures = []

            def client(number):
                paths = ("/debug/pprof/heap", "/debug/pprof/allocs?debug=1", "/metrics",
                         "/debug/memstats", "/debug/pprof/")
                for i in range(12):
                    a = s.get(paths[(number + i) % len(paths)])
                    if a.status != 200 or len(a.body) != int(a.headers["Content-Length"]):
                        failures.append((number, i, a.status_line))

            clients = [threading.Thread(target=client, args=(n,)) for n in range(12)]
            for c in clients:
                c.start()
            for c in clients:
                c.join()
            self.assertEqual(failures, [])
            p = Profile(s.get("/debug/pprof/heap").body)
            self.assertGreater(p.sum_of("subject_churn")[0], 0)
            s.do("join")
            self.assertEqual(s.end(), 0)

    def test_slow_clients_do_not_hold_the_server(self):
        """More slow ones than there are places; others are served meanwhile, and the slow ones end."""
        with Subject() as s:
            slow = [s.connect()]
            slow[0].sendall(b"GET /metr")
            # It is answered after that was read; with bytes unread, or sent later, the kernel would
            # reset the connection that gives way instead of ending it.
            self.assertEqual(s.get("/metrics").status, 200)
            slow += [s.connect() for _ in range(79)]
            for c in slow[1:]:
                c.sendall(b"GET /metr")
            start = time.monotonic()
            for _ in range(5):
                self.assertEqual(s.get("/metrics").status, 200)
            # The oldest gave way.
            self.assertEqual(slow[0].recv(1), b"")
            # The youngest is told that its time is over: after 10 s, whatever it drips.
            last = slow[-1]
            last.settimeout(0.5)
            answer = b""
            while not answer:
                try:
                    last.sendall(b"x")
                    answer = last.recv(1000)
                except TimeoutError:
                    self.assertLess(time.monotonic() - start, WAIT)
            self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer)
            for c in slow:
                c.close()
            self.assertEqual(s.end(), 0)

    def test_client_that_does_not_read(self):
        with Subject(BURROW_PROFRATE="1") as s:
            with s.connect() as lazy:
                lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                lazy.sendall(b"GET /debug/pprof/heap?debug=1 HTTP/1.1\r\n\r\n")
                self.assertEqual(s.get("/metrics").status, 200)

    def test_second_request_on_a_connection_is_not_answered(self):
        with Subject() as s, s.connect() as c:
            c.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 2)
            self.assertEqual(read_all(c).count(b"HTTP/1.1 200"), 1)


if __name__ == "__main__":
    main()
