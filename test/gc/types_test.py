#!/usr/bin/env python3
"""What the collector assumes of types whose layout may be misread: as the headers find it with each
compiler, and as the plugin does. Faults that are planted in the headers are noticed.

usage: types_test.py INCLUDE COMPILER...
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE / "types.cc"
INCLUDE, COMPILERS = None, []

NONE, RAW = "0", "1"


def exact(*words):
    return " ".join(["2", *map(str, words)])


# By the headers, and by the plugin where that sees more. Raw is never wrong, only slow; the others
# are promises.
TYPES = {
    "Bytes": [RAW], "StdBytes": [RAW], "Chars": [RAW], "Rows": [RAW], "Wrapped": [RAW],
    "Inherited": [RAW], "PrivateBytes": [RAW], "TypedefBytes": [RAW], "Slot": [RAW],
    "OldStorage": [RAW], "AlignedWords": [RAW], "UnionWords": [RAW], "Room": [RAW],
    "ShortText": [exact(1)], "Flags": [RAW, exact(8)], "Numbers": [NONE], "Told": [NONE],
    "HoldsTold": [exact(8)],
    "NoAddress": [exact(0)], "AlignedMember": [exact(3)], "TailPadding": [exact(0, 4)],
    "Packed": [RAW], "PackedPtr": [RAW], "UsesTail": [RAW, exact(2)],
    "AnonymousUnion": [RAW, NONE], "AnonymousPointer": [RAW], "BitFields": [RAW, exact(1)],
    "BitNumbers": [NONE], "NoElements": [RAW], "Reference": [RAW],
    "Address": [exact(1), RAW], "HoldsTagged": [RAW], "AtomicAddress": [RAW], "Wide": [RAW],
    "Vector": [RAW], "Floats": [RAW, NONE], "Codes": [RAW, exact(2)],
    "Constant": [exact(0, 1, 2)], "Volatile": [RAW, exact(1)],
    "Boxed<int>": [exact(1)], "HoldsBoxed": [RAW, exact(2, 3)], "Unknown": [RAW],
    "HoldsUnknown": [RAW], "OneUnknown": [RAW], "Library": [RAW, exact(0, 4, 6, 7)],
    "Standard": [RAW],
    "std::byte": [RAW], "unsigned char": [NONE], "std::array<std::byte, 8>": [RAW],
    "unsigned char[8]": [RAW], "std::any": [RAW], "std::function<void()>": [RAW],
    "std::variant<int, double>": [RAW, NONE], "std::variant<int, int*>": [RAW],
    "std::optional<long>": [RAW, NONE], "std::mutex": [RAW], "std::string": [RAW],
    "std::complex<double>": [RAW, NONE], "lambda": [RAW],
}

# Each takes a rule out of the headers.
FAULTS = {
    "storage": ("type_map.h", "SaidUnknown<T> || Storage<T>", "SaidUnknown<T>"),
    "offsets": ("fields.h", "if (address == static_cast<const volatile void*>(bytes + at))",
                "if (at + sizeof(M) >= sizeof(void*))"),
    "unknown": ("type_map.h", "SaidUnknown<T> || Storage<T>", "Storage<T>"),
    "wide": ("type_map.h", "&& sizeof(T) <= sizeof(void*));", ");"),
    "byte": ("type_map.h", "std::is_same_v<std::remove_cv_t<T>, std::byte> && ", "false && "),
}


def maps(compiler, include, *options):
    """The kinds and words by the names of types; None where it does not compile."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "types"
        built = subprocess.run(
            [compiler, "-std=gnu++20", "-w", f"-I{include}", *map(str, options), str(SOURCE), "-o",
             str(program), "-Wl,--unresolved-symbols=ignore-all"], capture_output=True, text=True,
            timeout=300)
        if built.returncode != 0:
            return None, built.stderr[-3000:]
        said = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True)
    found = {}
    for line in said.stdout.splitlines():
        name, *_ = [name for name in sorted(TYPES, key=len, reverse=True)
                    if line.startswith(name + " ")] or [line]
        found[name] = line[len(name) + 1:]
    return found, ""


def by_headers():
    return {name: maps[0] for name, maps in TYPES.items()}


def by_plugin():
    return {name: maps[-1] for name, maps in TYPES.items()}


PACKED = HERE / "packed.cc"
REFUSALS = ("T is packed, and the collector does not see pointers that are not aligned",
            "BURROW_FIELDS: T::p is not aligned, and the collector does not see pointers there")


def packed_cases():
    """What packed.cc expects, by the number of the case."""
    found = re.findall(r"^#(?:el)?if CASE == (\d+) +// (.*)$", PACKED.read_text(), re.M)
    return {number: says for number, says in found}


def compile_packed(compiler, include, number, *options):
    """The errors and warnings, one line each."""
    done = subprocess.run([compiler, "-std=gnu++20", f"-I{include}", f"-DCASE={number}", "-c", PACKED, "-o",
                           "/dev/null", *map(str, options)], capture_output=True, text=True, timeout=100)
    return [line for line in done.stderr.splitlines() if "error: " in line or "warning: " in line]


RANDOM = HERE.parent.parent / "plugin/test/random_types.py"


class Types(unittest.TestCase):
    maxDiff = None

    def test_headers(self):
        for compiler in COMPILERS:
            found, errors = maps(compiler, INCLUDE)
            self.assertEqual(found, by_headers(), f"{compiler}\n{errors}")

    def test_random_types(self):
        sys.path.insert(0, str(RANDOM.parent))
        import random_types
        for seed, compiler in enumerate(COMPILERS):
            with tempfile.TemporaryDirectory() as folder:
                source = pathlib.Path(folder) / "types.cc"
                source.write_text(random_types.program(100 + seed))
                program = pathlib.Path(folder) / "types"
                subprocess.run([compiler, "-std=c++20", "-w", f"-I{INCLUDE}", source, "-o", program,
                                "-Wl,--unresolved-symbols=ignore-all"], check=True, timeout=300)
                done = subprocess.run([program], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout), (0, ""), compiler)

    def test_packed_types_with_pointers_are_refused(self):
        cases = packed_cases()
        self.assertEqual(len(cases), 12)
        for compiler in COMPILERS:
            for number, says in cases.items():
                with self.subTest(compiler=compiler, number=number):
                    said = compile_packed(compiler, INCLUDE, number, "-fsyntax-only")
                    if says.startswith("refused"):
                        self.assertTrue(any(text in said[0] for text in REFUSALS), said)
                    else:
                        self.assertEqual(said, [])

    def test_fault_in_the_check_of_packed_types_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "include"
            shutil.copytree(INCLUDE, copy)
            for name, check in (("type_map.h", "alignof(T) >= alignof(void*) || "),
                                ("field_macros.h", "offset % alignof(void*) == 0 || ")):
                header = copy / "burrow/internal" / name
                self.assertEqual(header.read_text().count(check), 1)
                header.write_text(header.read_text().replace(check, "true || "))
            for number, says in packed_cases().items():
                if says.startswith("refused"):
                    self.assertEqual(compile_packed(COMPILERS[0], copy, number, "-fsyntax-only"), [],
                                     number)

    def test_faults_are_found(self):
        for fault, (name, rule, without) in FAULTS.items():
            with tempfile.TemporaryDirectory() as folder:
                copy = pathlib.Path(folder) / "include"
                shutil.copytree(INCLUDE, copy)
                header = copy / "burrow/internal" / name
                text = header.read_text()
                self.assertEqual(text.count(rule), 1, fault)
                header.write_text(text.replace(rule, without))
                found, errors = maps(COMPILERS[0], copy)
                self.assertIsNotNone(found, f"{fault}\n{errors}")
                self.assertNotEqual(found, by_headers(), fault)


if __name__ == "__main__":
    INCLUDE = pathlib.Path(sys.argv[1]).resolve()
    COMPILERS = sys.argv[2:]
    del sys.argv[1:]
    unittest.main(verbosity=2)
