#!/usr/bin/env python3
"""Runs a ctest command several times and says how often each test failed.

usage: repeat_tests.py [--repeat N] [--busy N] -- ctest --test-dir DIR ARGS...

The output of each round with a failure is kept in DIR/repeat. Ends with 1 when any test failed in any round.
"""
import argparse
import collections
import contextlib
import pathlib
import subprocess
import sys

FAILED = "Testing/Temporary/LastTestsFailed.log"


@contextlib.contextmanager
def busy(number):
    """Has so many processes compute meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run_round(command, folder):
    """One run of all tests: the names that failed, and what was printed."""
    log = folder / FAILED
    log.unlink(missing_ok=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    names = [line.partition(":")[2] for line in log.read_text().splitlines()] if log.exists() else []
    if done.returncode != 0 and not names:
        sys.exit(f"{done.stdout}\nrepeat_tests: ctest ended with {done.returncode} and named no test")
    return names, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    folder = pathlib.Path(args.command[args.command.index("--test-dir") + 1])
    kept = folder / "repeat"
    kept.mkdir(exist_ok=True)
    failed = collections.Counter()
    with busy(args.busy):
        for number in range(1, args.repeat + 1):
            names, text = run_round(args.command, folder)
            failed.update(names)
            print(f"round {number} of {args.repeat}: {', '.join(names) or 'all passed'}", flush=True)
            if names:
                (kept / f"round-{number}.txt").write_text(text)
    for name, times in failed.most_common():
        print(f"{name}: failed {times} of {args.repeat}")
    if failed:
        sys.exit(f"what failed printed is in {kept}")


if __name__ == "__main__":
    main()
