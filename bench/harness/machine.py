"""What the figures were measured on, without host names or paths."""
import os
import platform
import re
import subprocess


def _first_match(path, pattern):
    with open(path, encoding="utf-8") as file:
        match = re.search(pattern, file.read(), re.MULTILINE)
    return match.group(1) if match else "unknown"


def _compiler():
    done = subprocess.run(["clang++-19", "--version"], capture_output=True, text=True, check=False)
    return done.stdout.split("\n", 1)[0].strip()


def _transparent_huge_pages():
    try:
        return _first_match("/sys/kernel/mm/transparent_hugepage/enabled", r"\[(\w+)\]")
    except OSError:
        return "not there"


def describe():
    """A dict of strings and numbers."""
    return {
        "cpu": _first_match("/proc/cpuinfo", r"^model name\s*: (.+)$"),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_first_match("/proc/meminfo", r"^MemTotal:\s+(\d+)")) / 2**20, 1),
        "kernel": re.match(r"[\d.]+", platform.release()).group(0),
        "transparent_huge_pages": _transparent_huge_pages(),
        "compiler": _compiler(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }
