#!/usr/bin/env python3
"""Each layer has its essay; names in backticks in headers and in the glossary exist in the code;
docs/debug-vars.md has every setting."""
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


def settings_out_of_step(root):
    """Settings that the code reads and docs/debug-vars.md has not, or the other way."""
    page = root / "docs/debug-vars.md"
    if not page.exists():
        return
    code = "".join(path.read_text() for path in common.tracked(root, "src/*.cc")
                   if not path.name.endswith(("_test.cc", "_fuzz.cc")))
    read = set(re.findall(r'\benv\("(BURROW_\w+)"\)', code))
    read |= {option + "=" for option in re.findall(r'debug_option\("(\w+)"\)', code)}
    listed = root / "src/os/settings.h"
    if listed.exists():
        text = listed.read_text()
        known = set(re.findall(r'"(BURROW_\w+)"', text))
        known |= {option + "=" for option in re.findall(r'\{"(\w+)"', text)}
        for name in sorted(read ^ known):
            yield f"{name} is in {'the code' if name in read else 'src/os/settings.h'} alone"
    tables = page.read_text().split("\n## Addresses")[0]
    rows = re.findall(r"^\| `(BURROW_[A-Z_]+|[a-z]+=)[^|`]*` \|", tables, re.MULTILINE)
    for name in sorted(read ^ set(rows)):
        yield f"{name} is in {'the code' if name in read else 'docs/debug-vars.md'} alone"


def main():
    args = common.arguments(__doc__)
    bad = 0
    for layer in layers_without_essay(args.root):
        bad = 1
        print(f"src/{layer}: no header opens with an essay ({', '.join(PARTS)})")
    for path, name in sorted(set(unknown_names(args.root))):
        bad = 1
        print(f"{path}: `{name}` is not a name in the code")
    for line in settings_out_of_step(args.root):
        bad = 1
        print(line)
    sys.exit(bad)


if __name__ == "__main__":
    main()
