#!/usr/bin/env python3
"""Each snippet of the guide stands in the program that is made of them, and that program runs.

Usage: guide_test.py GUIDE.md GUIDE.cc PROGRAM
"""
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def lines(text):
    return "\n".join(line.strip() for line in text.strip().splitlines())


def main():
    guide, source, program = sys.argv[1:]
    snippets = BLOCK.findall(pathlib.Path(guide).read_text())
    assert len(snippets) >= 8, f"only {len(snippets)} snippets found in {guide}"
    text = lines(pathlib.Path(source).read_text())
    missing = [snippet for snippet in snippets if lines(snippet) not in text]
    for snippet in missing:
        print(f"not in {source}:\n{snippet}")
    subprocess.run([program], check=True, timeout=100)
    print(f"{len(snippets)} snippets, {len(missing)} missing")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
