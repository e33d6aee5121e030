#!/usr/bin/env python3
"""Each layer has its essay; names in backticks in headers and in the glossary exist in the code."""
import re
import sys

import common

PARTS = ("What", "How", "Invariants", "Locks", "Rejected")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
# Words of shell commands and of other projects that may stand in backticks.
FOREIGN = {"go", "tool", "pprof", "http", "https", "LD_PRELOAD"}


def opening(text):
    """The comment that a file starts with."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.lstrip("/ "))
    return "\n".join(lines)


def layers_without_essay(root):
    for line in (root / "tools/layers.txt").read_text().splitlines():
        layer = line.split("#")[0].split(":")[0].strip()
        headers = common.tracked(root, f"src/{layer}/*.h") if layer else []
        if headers and not any(
                all(re.search(rf"^{part}\b", opening(path.read_text()), re.MULTILINE)
                    for part in PARTS) for path in headers):
            yield layer


def unknown_names(root):
    """(file, name) for each identifier in backticks that no code has."""
    known = set(FOREIGN)
    for path in common.tracked(root, "*.cc", "*.cpp", "*.h", "*.S", "*.cmake", "*CMakeLists.txt", "*.py"):
        known |= set(re.findall(r"\w+", common.strip_comments(path.read_text())))
        known |= set(re.findall(r"\w+", str(path.relative_to(root))))
    glossary = root / "docs/glossary.md"
    for path in common.tracked(root, "src/*.h", "include/*.h", "docs/glossary.md"):
        text = path.read_text()
        lines = [line for line in text.splitlines() if "coming" not in line]
        for comment in lines if path == glossary else COMMENT.findall(text):
            for quoted in re.findall(r"`([^`\n]+)`", comment):
                for name in re.findall(r"[A-Za-z_]\w*", quoted):
                    if name not in known:
                        yield path.relative_to(root), name


def main():
    args = common.arguments(__doc__)
    bad = 0
    for layer in layers_without_essay(args.root):
        bad = 1
        print(f"src/{layer}: no header opens with an essay ({', '.join(PARTS)})")
    for path, name in sorted(set(unknown_names(args.root))):
        bad = 1
        print(f"{path}: `{name}` is not a name in the code")
    sys.exit(bad)


if __name__ == "__main__":
    main()
