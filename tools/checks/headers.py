#!/usr/bin/env python3
"""Each header of src/ and include/ compiles alone; clean results are remembered."""
import concurrent.futures
import os
import subprocess
import sys

import common

COMMAND = ["clang++-19", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unused-parameter",
           "-Wno-pragma-once-outside-header", "-Wno-unused-const-variable", "-Werror", "-x", "c++"]


def run(path, root):
    """What the compiler said; empty when the header is fine."""
    folders = ["-I" + str(root / "include")]
    if root / "include" not in path.parents:  # a public header sees public headers only
        folders.append("-I" + str(root / "src"))
    done = subprocess.run([*COMMAND, *folders, str(path)], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr or f"{path}: does not compile"


def main():
    args = common.arguments(__doc__)
    root = args.root
    headers = common.tracked(root, "src/*.h", "include/*.h")
    stamps = {path: common.stamp(root / "build/checks", path, root, "headers", *COMMAND)
              for path in headers}
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(run, path, root): path
                for path in headers if not stamps[path].exists()}
        for done in concurrent.futures.as_completed(runs):
            if text := done.result():
                failed += 1
                print(text, flush=True)
            else:
                stamps[runs[done]].touch()
    print(f"{len(headers)} headers, {len(runs)} compiled anew")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
