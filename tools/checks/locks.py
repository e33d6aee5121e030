#!/usr/bin/env python3
"""Every lock whose rank fork takes (over_fork) is handed to fork's `visit` by a ForkPart."""
import re
import sys

import common

DECLARED = re.compile(r"\b(?:Ranked)?Mutex (\w+)\{LockRank::(k\w+)\}")
RULE = re.compile(r"((?:case LockRank::k\w+:\s*)+)return OverFork::(k\w+);")


def rules(root):
    """The value of over_fork by rank."""
    text = common.strip_comments((root / "src/base/mutex.h").read_text())
    return {rank: rule for cases, rule in RULE.findall(text)
            for rank in re.findall(r"LockRank::(k\w+)", cases)}


def accessors(name, text):
    """Functions that return the lock."""
    return re.findall(r"\bMutex& (?:\w+::)?(\w+)\(\)[^;{]*\{\s*return " + name + r";", text.replace(
        "RankedMutex&", "Mutex&"))


def main():
    args = common.arguments(__doc__)
    texts = {}
    for path in common.tracked(args.root, "src/*"):
        if path.suffix in (".h", ".cc") and not path.stem.endswith("_test"):
            texts[path] = common.strip_comments(path.read_text())
    everything = "\n".join(texts.values())
    rule = rules(args.root)
    bad = 0
    for path, text in texts.items():
        where = path.relative_to(args.root)
        pair = text + texts.get(path.with_suffix(".cc" if path.suffix == ".h" else ".h"), "")
        for number, line in enumerate(text.splitlines(), 1):
            if "pthread_atfork(" in line and where.parts[:2] != ("src", "os"):
                bad = 1
                print(f"{where}:{number}: pthread_atfork: hand in a ForkPart (os/fork.h)")
            for name, rank in DECLARED.findall(line):
                if rule.get(rank) == "kForgotten":
                    continue
                # A member may be visited anywhere; a global of a file has a name that others use too.
                visited = re.search(r"\bvisit\((?:[\w:]+(?:\.|->))*" + name + r"\)", pair) or re.search(
                    r"\bvisit\((?:[\w:]+(?:\.|->))+" + name + r"\)", everything) or any(
                    re.search(r"\bvisit\([^;]*\b" + function + r"\(", everything)
                    for function in accessors(name, pair))
                if not visited:
                    bad = 1
                    print(f"{where}:{number}: {name} of {rank}: no ForkPart hands it to fork "
                          "(os/fork.h), and over_fork does not say that it is forgotten")
    sys.exit(bad)


if __name__ == "__main__":
    main()
