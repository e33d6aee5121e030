#!/usr/bin/env python3
"""Random programs behave the same with and without promotion, and under AddressSanitizer.

usage: oracle_test.py PLUGIN [--elide-new] [FIRST LAST]     (seeds; 1 to 100 without)

With --elide-new the programs use new and delete, and what is moved are their blocks.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

import generate

HERE = pathlib.Path(__file__).resolve().parent
LEVELS = ("O0", "O1", "O2", "O3", "Os")
COMMON = ["clang++-19", "-std=c++20", f"-I{HERE / 'include'}", "-w", "-fno-exceptions"]


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=120, **more)


def must(*command):
    done = run(*command)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stderr[-3000:]}")
    return done.stderr


ELIDE = ("-mllvm", "-burrow-elide-new", "-DORACLE_NEW")


def try_seed(plugin, seed, options=()):
    """What went wrong with the seed's program, or nothing; and the number of promoted sites."""
    level = LEVELS[seed % len(LEVELS)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = generate.program(seed, frees="-DORACLE_NEW" in options)
        for name, text in files.items():
            (folder / name).write_text(text)
        sources = [folder / name for name in files]
        kind = [option for option in options if option.startswith("-D")]
        must(*COMMON, *kind, "-O1", "-fuse-ld=lld-19", *sources, "-o", folder / "plain")
        plain = run(folder / "plain")
        if plain.returncode != 0:
            raise AssertionError(f"seed {seed}: the program itself ends with {plain.returncode}")
        asan = ["-fsanitize=address", f"-{level}"]
        # By turns: neither file knows the other's functions, or the one that is compiled second
        # has their summaries.
        order = ("one", "two") if seed % 4 == 1 else ("two", "one")
        said = ""
        for name in order:
            known = ["-mllvm", f"-burrow-summaries={folder / order[0]}.o"] if (
                seed % 2 and name == order[1]) else []
            said += must(*COMMON, *asan, f"-fplugin={plugin}", f"-fpass-plugin={plugin}",
                         "-D__BURROW_PLUGIN__", "-mllvm", "-burrow-m=1", "-gline-tables-only", *options, *known, "-c",
                         folder / f"{name}.cc", "-o", folder / f"{name}.o")
        must(*COMMON, *asan, *kind, "-fuse-ld=lld-19", folder / "runtime.cc", folder / "one.o",
             folder / "two.o", "-o", folder / "moved")
        moved = run(folder / "moved", env={
            **os.environ, "ASAN_OPTIONS": "detect_stack_use_after_return=1:detect_leaks=0"})
    count = sum((" does not escape" in line or "moved to stack" in line) and "make" in line
                for line in said.splitlines())
    if moved.returncode != 0 or moved.stdout != plain.stdout:
        return (f"seed {seed} at -{level}: {plain.stdout.strip()} became {moved.stdout.strip()}, "
                f"ended with {moved.returncode}\n{moved.stderr[:600]}"), count
    return None, count


def try_seeds(plugin, seeds, options=(), enough=None):
    """All that went wrong (up to `enough`), and the number of promoted sites."""
    wrong, promoted = [], 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(try_seed, plugin, seed, options) for seed in seeds]
        for job in concurrent.futures.as_completed(jobs):
            if job.cancelled():
                continue
            text, count = job.result()
            promoted += count
            if text:
                wrong.append(text)
                if enough and len(wrong) >= enough:
                    for other in jobs:
                        other.cancel()
                    break
    return wrong, promoted


def main():
    arguments = [word for word in sys.argv[1:] if word != "--elide-new"]
    options = ELIDE if len(arguments) < len(sys.argv) - 1 else ()
    plugin = pathlib.Path(arguments[0]).resolve()
    first, last = map(int, arguments[1:3]) if len(arguments) > 2 else (1, 100)
    wrong, promoted = try_seeds(plugin, range(first, last + 1), options)
    for text in wrong:
        print(text)
    seeds = last - first + 1
    print(f"{seeds} programs, {promoted} sites promoted, {len(wrong)} wrong")
    # Programs in which nothing is promoted would test nothing.
    sys.exit(1 if wrong or promoted < 10 * seeds else 0)


if __name__ == "__main__":
    main()
