#!/usr/bin/env python3
"""Links between our documents lead somewhere, and files that they name in backticks exist.

A line that says "coming" may name what is not there yet.
"""
import re
import sys

import common

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:\./dev|(?:src|include|cmd|docs|tools|test|bench|cmake|examples|\.ci)/)[\w./-]*)`")


def anchors(text):
    """The anchors that a web view makes of the headings."""
    result = set()
    for heading in re.findall(r"^#+\s+(.*)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        result.add(plain.strip().replace(" ", "-"))
    return result


def problems(path, root):
    text = path.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            there = (path.parent / file).resolve() if file else path
            if not there.exists():
                yield number, f"{target}: no such file"
            elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text()):
                yield number, f"{target}: no such heading"
        for name in PATH.findall(line):
            if "coming" not in line and not (root / name).exists():
                yield number, f"{name}: no such file"


def main():
    args = common.arguments(__doc__)
    files = common.tracked(args.root, "*.md")
    bad = 0
    for path in files:
        for number, text in problems(path, args.root):
            bad = 1
            print(f"{path.relative_to(args.root)}:{number}: {text}")
    print(f"{len(files)} documents")
    sys.exit(bad)


if __name__ == "__main__":
    main()
