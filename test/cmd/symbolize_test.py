#!/usr/bin/env python3
"""`burrow symbolize`: functions and lines of addresses. usage: symbolize_test.py BUILD_DIR"""
import pathlib
import random
import re
import shutil
import unittest

from support import KNOWN, Case, burrow, line_of, run

COMPILERS = [name for name in ("clang++-19", "g++-12") if shutil.which(name)]
SOURCE = pathlib.Path(__file__).resolve().parent / "programs/known.cc"


def build_id(path):
    out = run("readelf", "-n", path).stdout
    return re.search(r"Build ID: (\w+)", out)[1]


def symbols(path):
    """{name: (address, size)} of a program's functions."""
    out = run("readelf", "-sW", path).stdout
    found = {}
    for line in out.splitlines():
        parts = line.split()
        if len(parts) == 8 and parts[3] == "FUNC" and parts[6] != "UND":
            name = parts[7].split(".")[0]  # clones are named f.constprop.0
            found[name] = (int(parts[1], 16), int(parts[2], 0))
    return found


def calls_in(path, name):
    """The addresses behind the calls of a function, less 1, as profiles have them."""
    address, size = symbols(path)[name]
    out = run("objdump", "-d", f"--start-address={address}", f"--stop-address={address + size}",
              path).stdout
    lines = [line.split("\t") for line in out.splitlines() if line.count("\t") >= 2]
    return [int(parts[0].strip(": "), 16) + len(parts[1].split()) - 1
            for parts in lines if parts[2].startswith("call")]


def ask(path, addresses, id_=None, **more):
    """For each address a list of (function, file, line, symbol)."""
    return [[frame[:4] for frame in frames] for frames in ask_all(path, addresses, id_, **more)]


def ask_all(path, addresses, id_=None, **more):
    """For each address a list of (function, file, line, symbol, offset)."""
    question = f"M {path}\n" + (f"B {id_}\n" if id_ else "")
    question += "".join(f"A {address:x}\n" for address in addresses)
    out = burrow("symbolize", input=question, **more).stdout
    answers = out.split(".\n")
    assert answers[-1] == "", out
    return [[tuple(line[2:].split("\t")) for line in answer.splitlines()]
            for answer in answers[:-1]]


MALLOC, NEW = "known_malloc", "_ZN5known10make_arrayIlEEPT_m"
MAKER = "_ZNK5known12_GLOBAL__N_15MakerclEm"


class Symbolize(Case):
    def variant(self, compiler, *flags):
        path = self.top / f"known.{compiler}"
        run(compiler, "-std=c++20", "-O2", "-g", "-rdynamic", SOURCE, "-o", path, *flags)
        return path

    def expect_known(self, path, **more):
        name = str(SOURCE)
        with self.subTest(path):
            (frame,) = ask(path, calls_in(path, MALLOC)[:1], **more)[0]
            self.assertEqual(frame, ("known_malloc", name, str(line_of("malloc")), "known_malloc"))
            (frame,) = ask(path, calls_in(path, NEW)[:1], **more)[0]
            self.assertEqual(frame, ("known::make_array", name, str(line_of("new")), NEW))
            inner, outer = ask(path, calls_in(path, MAKER)[:1], **more)[0]
            self.assertEqual(inner[:3], ("known::(anonymous namespace)::innermost", name,
                                         str(line_of("inlined"))))
            self.assertEqual(outer, ("known::(anonymous namespace)::Maker::operator()", name,
                                     str(line_of("caller")), MAKER))

    def test_both_compilers_and_all_formats(self):
        for compiler in COMPILERS:
            for flags in (["-gdwarf-5"], ["-gdwarf-4"], ["-no-pie", "-fno-pie"], ["-gz"],
                          ["-gsplit-dwarf"]):
                self.expect_known(self.variant(compiler, *flags))

    def test_offsets_are_from_where_the_code_begins(self):
        for compiler in COMPILERS:
            for flags in (["-gdwarf-5"], ["-no-pie", "-fno-pie"], ["-g0"]):
                path = self.variant(compiler, *flags)
                for name in (MALLOC, NEW, MAKER):
                    address = calls_in(path, name)[0]
                    with self.subTest(compiler=compiler, flags=flags, name=name):
                        frames = ask_all(path, [address])[0]
                        self.assertEqual(len(frames),
                                         2 if name == MAKER and flags != ["-g0"] else 1)
                        for frame in frames:
                            self.assertEqual(int(frame[4]), address - symbols(path)[name][0])

    def test_relative_folder_of_build(self):
        path = self.top / "relative"
        (self.top / "known.cc").write_text(SOURCE.read_text())
        run("g++-12", "-std=c++20", "-O2", "-g", "known.cc", "-o", path, cwd=self.top)
        (frame,) = ask(path, calls_in(path, MALLOC)[:1])[0]
        self.assertEqual(frame[1], f"{self.top}/known.cc")

    def test_symbols_alone(self):
        path = self.variant(COMPILERS[0], "-g0")
        addresses = [calls_in(path, name)[0] for name in (MALLOC, MAKER)]
        self.assertEqual(ask(path, addresses), [[("known_malloc", "", "0", "known_malloc")],
                         [("known::(anonymous namespace)::Maker::operator()", "", "0", MAKER)]])
        run("strip", path)  # leaves the dynamic symbols
        self.assertEqual(ask(path, addresses), [[("known_malloc", "", "0", "known_malloc")], []])

    def test_separate_file_by_debuglink(self):
        path = self.variant(COMPILERS[0], "-Wl,--build-id=none")
        calls = {name: calls_in(path, name) for name in (MALLOC, MAKER)}
        debug = self.top / ".debug" / "known.debug"
        debug.parent.mkdir()
        run("objcopy", "--only-keep-debug", path, debug)
        run("objcopy", "--strip-all", f"--add-gnu-debuglink={debug}", path)
        answers = ask(path, [calls[MALLOC][0], calls[MAKER][0]])
        self.assertEqual(answers[0][0][2], str(line_of("malloc")))
        self.assertEqual(len(answers[1]), 2)
        # Another file of that name is not taken: its checksum differs.
        debug.write_bytes(debug.read_bytes() + b"x")
        self.assertEqual(ask(path, calls[MAKER][:1]), [[]])

    def test_replaced_and_deleted_files_are_noticed(self):
        path = self.variant(COMPILERS[0], "-Wl,--build-id=sha1")
        address = calls_in(path, MALLOC)[0]
        self.assertEqual(len(ask(path, [address], build_id(path))[0]), 1)
        self.assertEqual(ask(path, [address], "00112233445566778899aabbccddeeff00112233"), [[]])
        self.assertEqual(ask(f"{path} (deleted)", [address], build_id(path)), [[]])

    def test_addresses_that_are_nowhere(self):
        for address in (0, 1, 2**64 - 1, 2**47):
            self.assertEqual(ask(KNOWN, [address]), [[]])
        self.assertEqual(ask("/no/such/file", [16, 17]), [[], []])
        self.assertEqual(ask("/dev/zero", [16]), [[]])
        self.assertEqual(ask(self.top, [16]), [[]])

    def test_questions_that_are_none(self):
        self.assertEqual(burrow("symbolize", input="").stdout, "")
        self.assertEqual(burrow("symbolize", input="A 10\n").stdout, ".\n")
        self.assertEqual(burrow("symbolize", input="A zz\nA 10\nA").stdout, ".\n.\n")
        noise = random.Random(1).randbytes(100_000)
        burrow("symbolize", input=noise, text=False)

    def test_damaged_files_end(self):
        """Whatever happens to a file, each address is answered, and those of others are not lost."""
        path = self.variant(COMPILERS[0])
        good = path.read_bytes()
        address = calls_in(path, MAKER)[0]
        rng = random.Random(20)
        broken = self.top / "broken"
        for round_ in range(60):
            data = bytearray(good)
            for _ in range(rng.choice((1, 10, 1000))):
                data[rng.randrange(len(data))] = rng.randrange(256)
            broken.write_bytes(data[:rng.randrange(len(data))] if round_ % 5 == 0 else data)
            question = f"M {broken}\nA {address:x}\nA 1000\nM {path}\nA {address:x}\n"
            done = burrow("symbolize", input=question, errors="replace")
            answers = done.stdout.split(".\n")
            self.assertEqual(len(answers), 4, f"round {round_}: {done.stdout}")
            self.assertIn("Maker::operator()", answers[2])


if __name__ == "__main__":
    unittest.main()
