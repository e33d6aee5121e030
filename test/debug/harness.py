"""Runs the subject under the preload and talks to its debug server. See contract_test.py."""
import contextlib
import gzip
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(sys.argv[1]).resolve()
SUBJECT = BUILD / "tests/debug_subject"
PRELOAD = BUILD / "libburrow_malloc.so"
WAIT = 60  # seconds: for a loaded machine; nothing takes that long


def main():
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)


def environment(**more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("BURROW_")}
    return clean | {"LD_PRELOAD": str(PRELOAD)} | more


def wait_for(condition, what):
    """Polls until condition() gives something true, which it returns."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.01)
    raise AssertionError("did not happen: " + what)


class Answer:
    """A response, taken apart without the help of a library that might mend it."""

    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status_line = lines[0]
        self.status = int(lines[0].split()[1]) if lines[0] else 0
        self.headers = dict(line.split(": ", 1) for line in lines[1:])
        assert len(self.headers) == len(lines[1:]), "a header twice: " + head.decode()

    @property
    def text(self):
        return self.body.decode()


class Subject:
    """The program, with its server on a free port unless http says something else."""

    def __init__(self, http="127.0.0.1:0", program=SUBJECT, **settings):
        self.folder = tempfile.TemporaryDirectory()
        self.top = pathlib.Path(self.folder.name)
        self.errors = self.top / "stderr"
        addresses = self.top / "address"
        env = environment(BURROW_HTTP_ADDRFILE=str(addresses), **settings)
        if http is not None:
            env["BURROW_HTTP"] = http.replace("TOP", str(self.top))
        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen([program], env=env, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=errors, text=True)
        self.do("churn 1 1")  # main has begun, so the server has too
        self.url = addresses.read_text().strip() if addresses.exists() else None
        self.port = None
        if self.url and self.url.startswith("http:"):
            self.port = int(self.url.split(":")[-1].split("/")[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            try:
                self.process.wait(WAIT)
            finally:
                self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.folder.cleanup()

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.startswith("ok"), f"{command}: {answer!r} {self.stderr()}"
        return answer[3:].strip()

    def end(self):
        self.process.stdin.close()
        return self.process.wait(WAIT)

    def stderr(self):
        return self.errors.read_text()

    def connect(self):
        if self.port is None:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(WAIT)
            s.connect(self.url.removeprefix("unix:"))
            return s
        return socket.create_connection(("127.0.0.1", self.port), WAIT)

    def raw(self, data):
        with self.connect() as s:
            s.sendall(data)
            return Answer(read_all(s))

    def get(self, path, method="GET", body=b"", headers=""):
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return self.raw(f"{method} {path} HTTP/1.1\r\nHost: localhost:1\r\n{headers}{length}\r\n"
                        .encode() + body)

    def capturing(self):
        """True while a capture with `seconds` is under way; HEAD does not start one."""
        return self.get("/debug/pprof/heap?seconds=1", method="HEAD").status == 503


def read_all(s):
    data = b""
    while piece := s.recv(65536):
        data += piece
    return data


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of each field of a protobuf message; values are numbers or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            assert len(value) == length
        yield key >> 3, value


def numbers(value):
    """A repeated number, packed or not, as signed."""
    if isinstance(value, int):
        raw = [value]
    else:
        raw, at = [], 0
        while at < len(value):
            one, at = varint(value, at)
            raw.append(one)
    return [n - (1 << 64) if n >> 63 else n for n in raw]


class Profile:
    """A profile of pprof's format, read by the letter of profile.proto."""

    def __init__(self, compressed):
        assert compressed[:2] == b"\x1f\x8b", "not gzip"
        message = list(fields(gzip.decompress(compressed)))
        self.strings = [v.decode() for n, v in message if n == 6]
        assert self.strings[0] == ""
        one = {n: v for n, v in message if n in (7, 9, 10, 12, 14)}
        self.types = [self.value_type(v) for n, v in message if n == 1]
        self.period_type = next(self.value_type(v) for n, v in message if n == 11)
        self.drop_frames = self.strings[one.get(7, 0)]
        self.time_ns, self.duration_ns, self.period = (one.get(n, 0) for n in (9, 10, 12))
        self.default_type = self.strings[one.get(14, 0)]
        self.functions = {}
        for _, v in ((n, v) for n, v in message if n == 5):
            f = dict(fields(v))
            self.functions[f[1]] = (self.strings[f.get(2, 0)], self.strings[f.get(4, 0)])
        self.mappings = [dict(fields(v)) for n, v in message if n == 3]
        self.locations = {}
        for _, v in ((n, v) for n, v in message if n == 4):
            location = list(fields(v))
            single = dict(location)
            lines = [dict(fields(line)) for n, line in location if n == 4]
            self.locations[single[1]] = (single[3], [self.functions[line[1]][0] for line in lines],
                                         [line.get(2, 0) for line in lines])
        self.samples = [self.sample(v) for n, v in message if n == 2]

    def value_type(self, data):
        v = dict(fields(data))
        return self.strings[v.get(1, 0)] + "/" + self.strings[v.get(2, 0)]

    def sample(self, data):
        stack, values, labels = [], [], {}
        for n, v in fields(data):
            if n == 1:
                stack += [self.locations[i] for i in numbers(v)]
            elif n == 2:
                values += numbers(v)
            elif n == 3:
                label = dict(fields(v))
                labels[self.strings[label[1]]] = label.get(3, 0)
        return stack, values, labels

    def sum_of(self, function):
        """The values of all samples with the function in their stack."""
        total = [0] * len(self.types)
        for stack, values, _ in self.samples:
            if any(function in names for _, names, _ in stack):
                total = [a + b for a, b in zip(total, values)]
        return total
