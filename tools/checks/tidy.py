#!/usr/bin/env python3
"""clang-tidy-19 over every tracked source that the build knows; clean results are remembered."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import common

TIDY = "clang-tidy-19"
# gtest's headers are large; tests get the checks that do not walk them for seconds each.
TEST_CHECKS = ("-*,clang-diagnostic-*,readability-identifier-naming,readability-function-size,"
               "readability-braces-around-statements,google-build-using-namespace")


def is_test(path):
    return bool({"test", "bench"} & set(path.parts)) or path.stem.endswith(("_test", "_fuzz"))


def run(path, root, build):
    """Whether the source is clean, and what was said of it."""
    command = [TIDY, "--quiet", "-p", str(build), f"--config-file={root / '.clang-tidy'}"]
    if is_test(path.relative_to(root)):
        command.append(f"--checks={TEST_CHECKS}")
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    return done.returncode == 0, (done.stdout or done.stderr).strip()


def main():
    args = common.arguments(__doc__, build="build/release")
    root, build = args.root, (args.root / args.build).resolve()
    entries = {pathlib.Path(entry["file"]).resolve(): entry["command"]
               for entry in json.loads((build / "compile_commands.json").read_text())}
    sources = [path for path in common.tracked(root, "*.cc") if path.resolve() in entries]
    if not sources:
        sys.exit("tidy: the build knows none of the sources; run ./dev build")
    version = subprocess.run([TIDY, "--version"], capture_output=True, text=True).stdout
    config = (root / ".clang-tidy").read_text()
    stamps = {path: common.stamp(build.parent / "checks", path, root, "tidy", version, config,
                                 TEST_CHECKS, entries[path.resolve()]) for path in sources}
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(run, path, root, build): path
                for path in sources if not stamps[path].exists()}
        for done in concurrent.futures.as_completed(runs):
            clean, text = done.result()
            if clean:
                stamps[runs[done]].touch()
            else:
                failed += 1
                print(text or f"{runs[done]}: clang-tidy failed", flush=True)
    print(f"{len(sources)} sources, {len(runs)} looked at anew")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
