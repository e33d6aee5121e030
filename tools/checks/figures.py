#!/usr/bin/env python3
"""Each figure of README's table stands in a result that a benchmark wrote, and each ratio is theirs."""
import re
import sys

import common

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def rows(text):
    """The figures' table of README: line number and cells of each row."""
    section = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            section = line.strip() == "## Figures"
        elif section and line.startswith("|") and "---" not in line and "Ratio" not in line:
            yield number, [cell.strip() for cell in line.strip("|").split("|")]


def value(cell):
    """The first number of a cell as it is written, and as a number."""
    found = NUMBER.search(cell)
    return (found[0], float(found[0].replace(",", ""))) if found else (None, 0)


def problems(text, results):
    for number, cells in rows(text):
        (ours, a), (theirs, b) = value(cells[1]), value(cells[2])
        for figure in (ours, theirs):
            if figure != "1" and figure not in results:
                yield number, f"{figure}: in no table of bench/results"
        # The results round figures to three digits after they take the ratio.
        if not b or abs(a / b - float(cells[3])) > max(0.0051, 0.015 * a / b):
            yield number, f"{cells[3]}: not the ratio of {ours} and {theirs}"


def main():
    args = common.arguments(__doc__)
    results = set()
    for path in common.tracked(args.root, "bench/results/*.md"):
        results.update(NUMBER.findall(path.read_text()))
    text = (args.root / "README.md").read_text()
    found = list(problems(text, results))
    for number, what in found:
        print(f"README.md:{number}: {what}")
    print(f"{len(list(rows(text)))} rows")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
