#!/usr/bin/env python3
"""Function-like macros are checks and annotations only; platforms show in src/arch and src/os only."""
import re
import sys

import common

DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)\(")
ALLOWED = re.compile(r"^(D?CHECK|BURROW_)")
# A test's own EXPECT_ is of the CHECK family: it reports the line that it stands on.
ALLOWED_IN_TESTS = re.compile(r"^(EXPECT|ASSERT)_")
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b("
                       r"__linux__|__linux|__unix__|__APPLE__|__FreeBSD__|__ANDROID__|_WIN32|_WIN64|"
                       r"_MSC_VER|__x86_64__|__amd64__|__i386__|__aarch64__|__arm__|__riscv)\b")


def main():
    args = common.arguments(__doc__)
    bad = 0
    for path in common.tracked(args.root, "src/*", "include/*", "cmd/*"):
        if path.suffix not in (".h", ".cc", ".S"):
            continue
        name = path.relative_to(args.root)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            macro = DEFINE.match(line)
            if macro and not (ALLOWED.match(macro[1]) or (
                    path.stem.endswith("_test") and ALLOWED_IN_TESTS.match(macro[1]))):
                bad = 1
                print(f"{name}:{number}: {macro[1]}: write a function, not a macro")
            if CONDITION.match(line) and name.parts[:2] not in (("src", "arch"), ("src", "os")):
                bad = 1
                print(f"{name}:{number}: platform conditions belong into src/arch and src/os")
    sys.exit(bad)


if __name__ == "__main__":
    main()
