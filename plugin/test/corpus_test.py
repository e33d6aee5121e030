#!/usr/bin/env python3
"""Compiles the corpus at each level and compares the plugin's -m with what the lines expect.

usage: corpus_test.py PLUGIN [unittest arguments]

A line of the corpus says what is decided on it, in any order:
    // -m: does not escape; escapes to heap         one for each allocation site of the line
    // -m: leaking param: p; q does not escape      all sentences on the parameters, or none
and, in brackets, where a level or Go (with -l) says otherwise:
    // -m: does not escape [O0: escapes to heap] [go: escapes to heap]
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PLUGIN = None
LEVELS = ("O0", "O1", "O2", "O3", "Os")
SITE = {"does not escape", "escapes to heap", "moved to stack"}
LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<text>.*)$")
EXPECTED = re.compile(r"// -m: (?P<all>[^\[]*)(?P<other>(\[[^\]]*\]\s*)*)")


def flags(level, *more):
    return ["clang++-19", "-std=c++20", f"-{level}", f"-fplugin={PLUGIN}", f"-fpass-plugin={PLUGIN}",
            "-gline-tables-only", "-fno-discard-value-names",
            "-Xclang", "-fsanitize-address-use-after-scope", "-Wall", *more]


def headers(source):
    """The library's own for what uses them; elsewhere the stand-ins that need no library."""
    if source.parent.name == "headers":
        return [f"-I{HERE.parents[1] / 'include'}", "-D__BURROW_PLUGIN__"]
    return [f"-I{HERE / 'include'}"]


def compiled(source, level, *more):
    done = subprocess.run([*flags(level, *more), *headers(source), "-c", str(source), "-o", os.devnull],
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{source} at {level}:\n{done.stderr}")
    return done.stderr


def decisions(source, level, *more):
    """{line: (site verdicts, sentences on parameters)} as the plugin prints them."""
    found = {}
    first = source.read_text().splitlines()[0]
    own = first.split("flags: ")[1].split() if "flags: " in first else []
    for text in compiled(source, level, "-mllvm", "-burrow-m=1", *own, *more).splitlines():
        match = LINE.match(text)
        if not match or pathlib.Path(match["file"]).name != source.name:
            continue
        sites, params = found.setdefault(int(match["line"]), ([], []))
        verdict = re.match(r"(?:new|malloc|make\S*(?: ?\S*>)?|func literal|Any<.*>|Slice\{\.\.\.\}) (does not escape|escapes to heap)$",
                           match["text"])
        if verdict:
            sites.append(verdict[1])
        elif match["text"].startswith("moved to stack: "):
            sites.append("moved to stack")
        else:
            params.append(match["text"])
    return found


def expectations(source, level):
    expected = {}
    for number, text in enumerate(source.read_text().splitlines(), 1):
        match = EXPECTED.search(text)
        if not match:
            continue
        wanted = match["all"]
        for other in re.findall(r"\[([^\]]*)\]", match["other"]):
            names, _, instead = other.partition(":")
            if level in names.split(","):
                wanted = instead
        parts = [part.strip() for part in wanted.split(";") if part.strip()]
        expected[number] = ([part for part in parts if part in SITE],
                            [part for part in parts if part not in SITE])
    return expected


def differences(source, level, *more):
    """What is said and not expected, or expected and not said, one text a line."""
    found, expected = decisions(source, level, *more), expectations(source, level)
    for number in sorted(found.keys() | expected.keys()):
        sites, params = found.get(number, ([], []))
        want_sites, want_params = expected.get(number, ([], []))
        if sorted(sites) != sorted(want_sites) or (
                want_params and sorted(params) != sorted(want_params)):
            yield (f"{source.name}:{number} at -{level}: "
                   f"got {'; '.join(sites + params)}, want {'; '.join(want_sites + want_params)}")


def sources():
    return sorted((HERE / "corpus").glob("*.cc")) + sorted((HERE / "headers").glob("*.cc"))


class Corpus(unittest.TestCase):
    def test_decisions(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [pool.submit(lambda s, l: list(differences(s, l)), source, level)
                    for source in sources() for level in LEVELS]
            wrong = [text for job in jobs for text in job.result()]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_size(self):
        """The corpus is as large as it is said to be, and nearly always agrees with Go."""
        sites = params = worse = 0
        for source in sources():
            for number, text in enumerate(source.read_text().splitlines(), 1):
                match = EXPECTED.search(text)
                if not match:
                    continue
                at, of = expectations(source, "O2")[number]
                sites += len(at)
                params += len({re.sub(r"leaking param(?: content)?: (\S+).*|(\S+) does not escape",
                                      r"\1\2", sentence) for sentence in of})
                go = expectations(source, "go")[number][0]
                worse += go.count("does not escape") > at.count("does not escape")
        print(f"{sites} sites, {params} parameters, {worse} worse than Go", file=sys.stderr)
        self.assertGreaterEqual(sites, MIN_SITES)
        self.assertGreaterEqual(params, MIN_PARAMS)
        self.assertLessEqual(worse, MAX_WORSE)


MIN_SITES, MIN_PARAMS, MAX_WORSE = 320, 125, 6

if __name__ == "__main__":
    PLUGIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
