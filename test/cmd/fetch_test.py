#!/usr/bin/env python3
"""`burrow fetch` and `burrow top URL` with servers good and bad. usage: fetch_test.py BUILD_DIR"""
import http.server
import os
import pathlib
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import unittest

from support import BURROW, KNOWN, Case, burrow, clean_environment

GO_ERROR = {"Content-Type": "text/plain; charset=utf-8", "X-Go-Pprof": "1"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    profile = b""

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def do_GET(self):
        path = self.path.split("?")[0]
        self.server.paths.append(self.path)
        if path == "/debug/pprof/heap":
            self.answer(200, self.profile, {"Content-Type": "application/octet-stream"})
        elif path == "/moved":
            self.answer(301, b"", {"Location": "/debug/pprof/heap"})
        elif path == "/loop":
            self.answer(302, b"", {"Location": "/loop"})
        elif path == "/to_file":
            self.answer(302, b"", {"Location": "file:///etc/passwd"})
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(self.profile), 100):
                part = self.profile[at:at + 100]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        elif path == "/cut":
            self.answer(200, self.profile[:50], length=len(self.profile))
        elif path == "/refuse":
            self.answer(400, b"could not enable\x1b[31m it\nnow\n", GO_ERROR)
        elif path == "/page":
            self.answer(500, b"<html>" * 1000, {"Content-Type": "text/html"})
        elif path == "/never":
            self.server.stop.wait(60)
        else:
            self.answer(404, b"Unknown profile\n", GO_ERROR)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET

    def __init__(self, address):
        self.paths = []
        self.stop = threading.Event()
        super().__init__(address, Handler)


class UnixServer(Server):
    address_family = socket.AF_UNIX

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)


class Fetch(Case):
    @classmethod
    def setUpClass(cls):
        with tempfile.NamedTemporaryFile(suffix=".pb.gz") as file:
            burrow("run", "--rate", "1", "--profile", file.name, "--", KNOWN)
            Handler.profile = pathlib.Path(file.name).read_bytes()

    def setUp(self):
        super().setUp()
        self.server = Server(("127.0.0.1", 0))
        self.start(self.server)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.out = self.top / "out.pb.gz"

    def start(self, server):
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()

        def end():
            server.stop.set()
            server.shutdown()
            thread.join()
            server.server_close()
        self.addCleanup(end)

    def fetch(self, source, *options, code=0, **more):
        done = burrow("fetch", source, "-o", self.out, *options, code=code, **more)
        if code == 0:
            self.assertEqual((done.stdout, done.stderr), ("", ""))
            self.assertEqual(self.out.read_bytes(), Handler.profile)
        else:
            self.one_line(done, source)
        self.assertEqual(os.listdir(self.top), [self.out.name] if self.out.exists() else [])
        return done.stderr

    def test_to_a_file(self):
        for path in ("", "/", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/chunked",
                     "/moved", "/debug/pprof/heap?seconds=1"):
            self.fetch(self.url + path)
        self.fetch(self.url.removeprefix("http://"))
        self.assertIn("/debug/pprof/heap?seconds=1", self.server.paths)

    def test_over_a_file_that_is_there(self):
        self.out.write_text("old")
        self.fetch(self.url)
        umask = os.umask(0)
        os.umask(umask)
        self.assertEqual(self.out.stat().st_mode & 0o777, 0o666 & ~umask)

    def test_to_standard_output_and_to_what_is_no_file(self):
        done = burrow("fetch", self.url, "-o", "-", text=False)
        self.assertEqual(done.stdout, Handler.profile)
        self.assertEqual(burrow("fetch", self.url, "-o", "/dev/null").stderr, "")
        self.assertFalse(os.path.isfile("/dev/null"))

    def test_a_unix_socket(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = UnixServer(f"{folder.name}/s")
        self.start(server)
        self.fetch(f"unix:{folder.name}/s")
        self.fetch(f"unix:{folder.name}/s:/moved")
        self.assertEqual(server.paths, ["/debug/pprof/heap", "/moved", "/debug/pprof/heap"])

    def test_top(self):
        self.out.write_bytes(Handler.profile)
        expected = burrow("top", self.out, "-n", "5").stdout
        self.assertEqual(burrow("top", self.url, "-n", "5").stdout, expected)
        self.one_line(burrow("top", self.url + "/none", code=1), "404", "Unknown profile")

    def test_the_servers_own_message(self):
        self.assertIn("404 Not Found - Unknown profile\n", self.fetch(self.url + "/none", code=1))
        text = self.fetch(self.url + "/refuse", code=1)
        self.assertIn("400 Bad Request - could not enable [31m it now\n", text)
        text = self.fetch(self.url + "/page", code=1)
        self.assertTrue(text.endswith("500 Internal Server Error\n"), text)

    def test_failures_leave_what_was_there(self):
        self.out.write_bytes(b"old")
        for path in ("/cut", "/loop", "/to_file", "/none"):
            self.fetch(self.url + path, code=1)
            self.assertEqual(self.out.read_bytes(), b"old")

    def test_it_does_not_wait_for_ever(self):
        self.assertIn("timed out", self.fetch(self.url + "/never", "--timeout", "1", code=1))

    def test_nobody_there(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # and does not listen
            self.fetch(f"http://127.0.0.1:{unused.getsockname()[1]}", code=1)
        self.fetch(f"unix:{self.top}/none", code=1)

    def test_a_server_of_another_kind(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def talk():
            with listener.accept()[0] as peer:
                peer.recv(1000)
                peer.sendall(b"SSH-2.0-OpenSSH\r\n")
        thread = threading.Thread(target=talk)
        thread.start()
        self.fetch(f"http://127.0.0.1:{listener.getsockname()[1]}", code=1)
        thread.join()

    def test_proxies_are_for_other_machines(self):
        env = clean_environment(http_proxy="http://127.0.0.1:1")
        self.fetch(self.url, env=env)

    def test_interrupted(self):
        process = subprocess.Popen([BURROW, "fetch", self.url + "/never", "-o", self.out],
                                   env=clean_environment())
        while not self.server.paths:
            self.server.stop.wait(0.01)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.assertEqual(os.listdir(self.top), [])

    def test_a_folder_that_is_not_there(self):
        done = burrow("fetch", self.url, "-o", self.top / "no" / "file", code=1)
        self.one_line(done, "No such file or directory")

    def test_wrong_arguments(self):
        for arguments in ([self.url], ["-o", "x"], [self.url, "-o"], ["nothing", "-o", "x"],
                          ["ftp://h/x", "-o", "x"], [self.url, "-o", "x", "--timeout", "0"],
                          [self.url, "-o", "x", "y"]):
            self.one_line(burrow("fetch", *arguments, code=2, cwd=self.top))
        self.assertEqual(os.listdir(self.top), [])


if __name__ == "__main__":
    unittest.main()
