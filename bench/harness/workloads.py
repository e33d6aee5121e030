"""The table of workloads: what is run, with which sizes, and which figure makes a row."""
import dataclasses
import os
import shutil

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclasses.dataclass(frozen=True)
class Workload:
    """One command and the rows that its run yields.

    `rows` maps a row's name to the figure it shows: a key of the program's JSON line, or "wall"
    (the whole run) for a real program, which prints none. `smoke` are tiny sizes for the tests.
    """

    name: str
    command: tuple
    rows: tuple
    smoke: tuple = ()
    settings: tuple = ()
    real: bool = False


def _own(name, program, arguments="", smoke="", cpu=False):
    rows = ((name, "seconds"),)
    if cpu:
        rows = ((name + " wall", "seconds"), (name + " CPU", "cpu_seconds"))
    return Workload(name, (program, *arguments.split()), rows, tuple(smoke.split()))


OWN = [
    _own("pair 16", "pair", "size=16", "pairs=1000"),
    _own("pair 64", "pair", "size=64", "pairs=1000"),
    _own("pair 1K", "pair", "size=1K", "pairs=1000"),
    _own("pair 32K", "pair", "size=32K", "pairs=1000"),
    _own("pair mixed", "pair", "size=0", "pairs=1000"),
    _own("pair new 16", "pair", "size=16 api=new", "pairs=1000"),
    _own("batch lifo", "batch", "order=lifo", "count=50 rounds=20"),
    _own("batch fifo", "batch", "order=fifo", "count=50 rounds=20"),
    _own("batch random", "batch", "order=random", "count=50 rounds=20"),
    _own("handoff 1:1", "handoff", "pairs=1", "objects=5000", cpu=True),
    _own("handoff 4:4", "handoff", "pairs=4 objects=20000000", "objects=5000", cpu=True),
    _own("churn small", "churn", "generations=60 max=512",
         "threads=2 slots=50 generations=3 replacements=500"),
    _own("churn wide", "churn", "generations=30 max=8K slots=500",
         "threads=2 slots=50 generations=3 replacements=500"),
    _own("mailbox", "mailbox", "exchanges=12000000", "threads=2 boxes=50 exchanges=500"),
    _own("grow realloc", "grow", "mode=realloc", "buffers=4 rounds=1"),
    _own("grow large", "grow", "mode=large buffers=6 rounds=4", "buffers=1 rounds=1"),
    _own("grow vector", "grow", "mode=vector rounds=600", "buffers=4 rounds=1"),
    _own("fragment", "fragment", "phases=12", "phase=100K phases=6 kept=50K"),
    _own("server 1", "server", "threads=1 requests=300000", "requests=200 entries=50"),
    _own("server 4", "server", "threads=4 requests=1200000", "requests=200 entries=50"),
    _own("threads", "threads", "threads=4000", "threads=8 objects=50"),
    _own("large filled", "large", "replacements=3000 touch=1", "slots=4 max=256K replacements=50"),
    _own("large touched", "large", "replacements=20000 touch=0",
         "slots=4 max=256K replacements=50"),
    _own("zero small", "zero", "min=16 max=4K", "slots=20 replacements=500"),
    _own("zero large", "zero", "min=4K max=256K slots=200 replacements=40000",
         "slots=4 replacements=50"),
    _own("containers", "containers", "", "entries=500 rounds=1"),
    _own("trees", "trees", "trees=200", "depth=6 trees=5"),
]


def _real(name, program, *arguments, settings=()):
    return Workload(name, (program, *arguments), ((name, "wall"),), settings=settings, real=True)


def _program(name):
    return os.path.join(HERE, "programs", name)


# PYTHONMALLOC=malloc: Python's own pool allocator would otherwise answer most requests.
_PYTHON = (("PYTHONMALLOC", "malloc"), ("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1"))

# Debian's programs by their full paths, so that a private installation does not take their place.
REAL = [
    _real("clang -O2", "/usr/bin/clang++-19", "-std=c++20", "-O2", "-c", "-o", "/dev/null",
          os.path.join(HERE, "workloads", "containers.cc")),
    _real("clang parse", "/usr/bin/clang++-19", "-std=c++20", "-fsyntax-only",
          _program("all_headers.cc")),
    _real("python objects", "/usr/bin/python3", _program("objects.py"), settings=_PYTHON),
    _real("python compile", "/usr/bin/python3", _program("compile_modules.py"), settings=_PYTHON),
    _real("python text", "/usr/bin/python3", _program("text.py"), settings=_PYTHON),
    _real("perl", "/usr/bin/perl", _program("words.pl")),
    _real("lua", "/usr/bin/lua5.4", _program("tables.lua")),
    _real("sqlite3", "/usr/bin/sqlite3", ":memory:", ".read " + _program("rows.sql")),
    _real("jq", "/usr/bin/jq", "-n", "-f", _program("records.jq")),
    _real("cmake", "/usr/bin/cmake", "-P", _program("lists.cmake")),
]


def available(build, only=()):
    """The workloads whose program exists, those named in `only` if any (by part of the name)."""
    chosen = []
    for workload in OWN + REAL:
        if only and not any(part in workload.name for part in only):
            continue
        program = workload.command[0]
        path = program if workload.real else os.path.join(build, "bench", program)
        if shutil.which(path) is None:
            print("%s is left out: %s is not there" % (workload.name, os.path.basename(path)))
            continue
        chosen.append(dataclasses.replace(workload, command=(path, *workload.command[1:])))
    return chosen
