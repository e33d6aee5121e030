#!/usr/bin/env python3
"""clang-tidy-19 over every tracked source that the build knows; clean results are remembered.

usage: tidy.py [--root DIR] [--build DIR] [FILE...]
A result is kept under build/tidy by the hash of the source, of every header of ours that it
includes (also indirectly), of its command line and of .clang-tidy.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

TIDY = "clang-tidy-19"
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)
# gtest's headers are large; tests get the checks that do not walk them for seconds each.
TEST_CHECKS = ("-*,clang-diagnostic-*,readability-identifier-naming,readability-function-size,"
               "readability-braces-around-statements,google-build-using-namespace,"
               "bugprone-use-after-move,bugprone-infinite-loop,bugprone-macro-parentheses")


def is_test(path):
    return "test" in path.parts or "bench" in path.parts or path.stem.endswith(("_test", "_fuzz"))


def with_headers(path, search, seen):
    """The file and all headers of ours that it reaches, each once."""
    path = path.resolve()
    if path in seen or not path.is_file():
        return
    seen.add(path)
    for name in INCLUDE.findall(path.read_text(errors="replace")):
        for folder in [path.parent, *search]:
            if (folder / name).is_file():
                with_headers(folder / name, search, seen)
                break


def key_of(entry, path, root, version):
    seen = set()
    with_headers(path, [root / "src", root / "include"], seen)
    digest = hashlib.sha256(version + entry["command"].encode() + TEST_CHECKS.encode())
    digest.update((root / ".clang-tidy").read_bytes())
    for file in sorted(seen):
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


def run(path, root, build):
    command = [TIDY, "--quiet", "-p", str(build), f"--config-file={root / '.clang-tidy'}"]
    if is_test(path.relative_to(root)):
        command.append(f"--checks={TEST_CHECKS}")
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + ("" if done.stdout else done.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=".")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    root = pathlib.Path(args.root).resolve()
    build = (root / args.build).resolve()
    names = args.files or subprocess.run(
        ["git", "ls-files", "*.cc"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    wanted = {(root / name).resolve() for name in names}
    entries = {pathlib.Path(e["file"]).resolve(): e
               for e in json.loads((build / "compile_commands.json").read_text())}

    cache = build.parent / "tidy"
    cache.mkdir(exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    todo = {path: cache / key_of(entries[path], path, root, version)
            for path in sorted(wanted & entries.keys())}
    if not todo:
        sys.exit("tidy: the build knows none of the sources; run ./dev build")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(run, path, root, build): (path, stamp)
                for path, stamp in todo.items() if not stamp.exists()}
        for done in concurrent.futures.as_completed(runs):
            clean, text = done.result()
            if clean:
                runs[done][1].touch()
            else:
                failed += 1
                print(text.strip() or f"{runs[done][0]}: clang-tidy failed", flush=True)
    print(f"{len(todo)} sources, {len(runs)} of them looked at anew")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
