#!/usr/bin/env python3
"""No file over 800 lines; those over 400 are listed as questions. (Functions: see .clang-tidy.)"""
import sys

import common

QUESTION, LIMIT = 400, 800


def main():
    args = common.arguments(__doc__)
    files = common.tracked(args.root, "*.cc", "*.cpp", "*.h", "*.S", "*.py", "*.sh", "*.js", "*.css",
                           "*.html", "*.cmake", "*CMakeLists.txt", "dev", "bench/run")
    bad = 0
    for path in files:
        lines = len(path.read_text().splitlines())
        name = path.relative_to(args.root)
        if lines > LIMIT:
            bad = 1
            print(f"{name}: {lines} lines, more than {LIMIT}: split it")
        elif lines > QUESTION:
            print(f"question: {name} has {lines} lines; can it be two files?")
    print(f"{len(files)} files")
    sys.exit(bad)


if __name__ == "__main__":
    main()
