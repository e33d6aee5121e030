#!/usr/bin/env python3
"""Go's own compiler is the referee: what the corpus says of Go, `go tool compile -m -l` says too.

usage: go_test.py

corpus/go poses the corpus's questions in Go: a function there and the one of the same name in the
C++ file of the same name (with that name and an underscore in front where two files share it) make
the same objects in the same order. Without Go the test is skipped.
"""
import os
import pathlib
import re
import shutil
import unittest

import corpus_test
import support

GO = corpus_test.HERE / "corpus" / "go"
CXX_FUNCTION = re.compile(r"^(?:  )?(?!return|if|for|while|else|struct|explicit)[\w:<>*& ]+?\b(\w+)\([^;]*\{")
GO_FUNCTION = re.compile(r"^func (?:\([^)]*\) )?(\w+)\(")
SITE = re.compile(r"^(?:new|make)\(.*\) (does not escape|escapes to heap)$")
PARAMETER = re.compile(r"^(leaking param( content)?: \w+.*|\w+ does not escape)$")
# So many are asked, or the mirror has lost some.
LEAST_SITES, LEAST_PARAMETERS = 150, 75


def functions(lines, header):
    """The name of the function that each line lies in."""
    name, found = None, {}
    for number, text in enumerate(lines, 1):
        match = header.match(text)
        if match:
            name = match[1]
        found[number] = name
    return found


def gathered(by_line, of_line):
    """{function: (site verdicts in order, sentences on parameters)}"""
    found = {}
    for line in sorted(by_line):
        sites, parameters = found.setdefault(of_line[line], ([], set()))
        sites += by_line[line][0]
        parameters |= set(by_line[line][1])
    return found


def go_says():
    done = support.run("go", "tool", "compile", "-m", "-l", "-o", os.devnull,
                       *sorted(GO.glob("*.go")))
    lines = {}
    for text in (done.stdout + done.stderr).splitlines():
        file, line, _, said = re.match(r"(?:.*/)?([\w.]+):(\d+):(\d+): (.*)$", text).groups()
        sites, parameters = lines.setdefault(file, {}).setdefault(int(line), ([], []))
        if SITE.match(said):
            sites.append(SITE.match(said)[1])
        elif PARAMETER.match(said):
            parameters.append(said)
    return {pathlib.Path(file).stem: gathered(said, functions(
        (GO / file).read_text().splitlines(), GO_FUNCTION)) for file, said in lines.items()}


def corpus_says(stem, level):
    source = corpus_test.HERE / "corpus" / f"{stem}.cc"
    return gathered(corpus_test.expectations(source, level),
                    functions(source.read_text().splitlines(), CXX_FUNCTION))


@unittest.skipUnless(shutil.which("go"), "needs go: apt-get install golang-go")
class Go(unittest.TestCase):
    def test_verdicts(self):
        asked, better, worse, wrong = [0, 0], 0, [], []
        for stem, by_function in go_says().items():
            if stem == "corpus":
                continue
            claimed, ours = corpus_says(stem, "go"), corpus_says(stem, "O2")
            for name, (sites, parameters) in by_function.items():
                cxx = name.removeprefix(f"{stem}_")
                theirs = claimed.get(cxx, ([], set()))
                asked[0] += len(sites)
                asked[1] += len(parameters)
                # Where the corpus has no sentences on parameters it asks for none.
                if sites != theirs[0] or (theirs[1] and parameters != theirs[1]):
                    wrong.append(f"{stem}: {cxx}: Go says {sites} {sorted(parameters)}, "
                                 f"the corpus {theirs[0]} {sorted(theirs[1])}")
                for go, own in zip(sites, ours.get(cxx, ([], set()))[0]):
                    better += (go, own) == ("escapes to heap", "does not escape")
                    if (go, own) == ("does not escape", "escapes to heap"):
                        worse.append(f"{stem}: {cxx}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
        self.assertGreaterEqual(asked[0], LEAST_SITES)
        self.assertGreaterEqual(asked[1], LEAST_PARAMETERS)
        self.assertLessEqual(len(worse), 0.02 * asked[0], worse)
        print(f"{asked[0]} sites and {asked[1]} parameters; of the sites {better} better than Go's, "
              f"{len(worse)} worse {worse}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
