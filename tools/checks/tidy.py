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
BUILD_OWN_CODE = ["clang++-19", "-std=c++17", "-fno-rtti", "-fno-exceptions", "-fPIC", "-shared",
                  "-isystem", "/usr/lib/llvm-19/include"]
# gtest's headers are large; tests get the checks that do not walk them for seconds each.
TEST_CHECKS = ("-*,clang-diagnostic-*,readability-identifier-naming,readability-function-size,"
               "readability-braces-around-statements,google-build-using-namespace")


def is_test(path):
    return bool({"test", "bench"} & set(path.parts)) or path.stem.endswith(("_test", "_fuzz"))


def own_code(cache):
    """The library with the check that keeps the others to our code (own_code.cc), made if need be."""
    source = pathlib.Path(__file__).with_name("own_code.cc")
    library = cache / f"{common.stamp(cache, source, source.parent, *BUILD_OWN_CODE).name}.so"
    if not library.exists():
        made = library.with_suffix(f".{os.getpid()}")
        subprocess.run([*BUILD_OWN_CODE, str(source), "-o", str(made)], check=True)
        made.rename(library)
    return library


def write_commands(folder, entries):
    """Compile commands for clang-tidy: it looks at a source as often as it finds it in them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{os.getpid()}.json"
    made.write_text(json.dumps(list(entries.values())))
    made.rename(folder / "compile_commands.json")


def run(path, root, commands, library):
    """Whether the source is clean, and what was said of it."""
    checks = "burrow-own"
    if is_test(path.relative_to(root)):
        checks = f"{TEST_CHECKS},{checks}"
    command = [TIDY, "--quiet", "-p", str(commands), f"--config-file={root / '.clang-tidy'}",
               f"--load={library}", f"--checks={checks}"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    return done.returncode == 0, (done.stdout or done.stderr).strip()


def main():
    args = common.arguments(__doc__, build="build/release")
    root, build = args.root, (args.root / args.build).resolve()
    cache = build.parent / "checks"
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        entries.setdefault(pathlib.Path(entry["file"]).resolve(), entry)
    sources = [path for path in common.tracked(root, "*.cc") if path.resolve() in entries]
    if not sources:
        sys.exit("tidy: the build knows none of the sources; run ./dev build")
    version = subprocess.run([TIDY, "--version"], capture_output=True, text=True).stdout
    config = (root / ".clang-tidy").read_text()
    stamps = {path: common.stamp(cache, path, root, "tidy", version, config, TEST_CHECKS,
                                 entries[path.resolve()]["command"].replace(str(root), "."))
              for path in sources}
    commands = cache / "tidy"
    write_commands(commands, entries)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        stale = [path for path in sources if not stamps[path].exists()]
        library = own_code(cache) if stale else None
        runs = {pool.submit(run, path, root, commands, library): path for path in stale}
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
