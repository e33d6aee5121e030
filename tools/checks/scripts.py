#!/usr/bin/env python3
"""Shell scripts pass bash -n and shellcheck, Python files compile."""
import ast
import subprocess
import sys

import common


def kind(path):
    """What interprets the file: "bash", "python" or none."""
    if path.suffix in (".py", ".sh"):
        return {".py": "python", ".sh": "bash"}[path.suffix]
    if path.suffix:
        return None
    with path.open("rb") as file:
        first = file.readline()
    if not first.startswith(b"#!"):
        return None
    return next((name for name in ("bash", "python") if name.encode() in first), None)


def main():
    args = common.arguments(__doc__)
    bad = 0
    files = [(path, kind(path)) for path in common.tracked(args.root)]
    shell = [str(path) for path, name in files if name == "bash"]
    for path in shell:
        bad |= subprocess.run(["bash", "-n", path]).returncode
    if shell:
        bad |= subprocess.run(["shellcheck", "--severity=warning", *shell]).returncode
    python = [path for path, name in files if name == "python"]
    for path in python:
        try:
            ast.parse(path.read_text(), str(path))
        except SyntaxError as error:
            bad = 1
            print(f"{path.relative_to(args.root)}:{error.lineno}: {error.msg}")
    print(f"{len(shell)} shell, {len(python)} Python")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
