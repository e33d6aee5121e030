#!/usr/bin/env python3
"""Slices grow as Go's do: a Go program and Burrow's function give the same capacities.

Usage: slice_growth_test.py PROGRAM, which is slice_growth. Exits with 77 where there is no go.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SIZES = [1, 2, 4, 8, 16, 24, 40, 100]
CAPS = [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 33, 64, 100, 127, 128, 200, 255, 256, 257, 300, 511, 512,
        513, 700, 848, 1000, 1024, 1280, 2000, 3000, 4096, 5000, 10000, 30000]
MORE = [1, 2, 7, 300, 5000]

GO = """package main

import "fmt"

func grow[T any](size int) {
	for _, c := range []int{%(caps)s} {
		for _, more := range []int{%(more)s} {
			s := append(make([]T, c, c), make([]T, more)...)
			fmt.Println(size, c, c+more, cap(s))
		}
	}
}

func main() {
%(calls)s
}
"""


def main():
    go = shutil.which("go")
    if go is None:
        print("no go")
        return 77
    text = GO % {"caps": ", ".join(map(str, CAPS)), "more": ", ".join(map(str, MORE)),
                 "calls": "\n".join(f"\tgrow[[{n}]byte]({n})" for n in SIZES)}
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "grow.go")
        source.write_text(text)
        environment = dict(os.environ, GOCACHE=folder + "/cache", GO111MODULE="off",
                           GOFLAGS="", GOTOOLCHAIN="local")
        theirs = subprocess.run([go, "run", str(source)], env=environment, capture_output=True,
                                text=True, check=True).stdout.splitlines()
    cases = [line.rsplit(" ", 1)[0] for line in theirs]
    ours = subprocess.run([sys.argv[1]], input="\n".join(cases), capture_output=True, text=True,
                          check=True).stdout.splitlines()
    assert len(theirs) == len(SIZES) * len(CAPS) * len(MORE), len(theirs)
    assert len(ours) == len(theirs), (len(ours), len(theirs))
    wrong = [(a, b) for a, b in zip(theirs, ours) if a != b]
    for a, b in wrong[:20]:
        print(f"Go: {a}  Burrow: {b}")
    print(f"{len(theirs)} cases, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
