"""Contests: one program a contender, WORKLOAD COUNT each, in one interleaved run.

A program prints one line of JSON: its figures by name. Less is better in all of them.
"""
import argparse
import collections
import dataclasses
import datetime
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

from harness import files, machine, report

TIMEOUT_SECONDS = 300
OURS = "burrow"


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: a workload with its size, and the figure to show."""
    title: str
    workload: str
    count: int
    key: str
    unit: str
    procs: int = 2
    bars: tuple = ()  # (contender, share): at most this share of its figure
    most: float = 0  # at most this, whatever the others have
    settings: tuple = ()  # of Burrow's environment
    without: tuple = ()  # contenders that do not have it

    @property
    def job(self):
        """What is run for it; rows of one job share its runs."""
        return self.workload, self.count, self.procs, self.settings


@dataclasses.dataclass(frozen=True)
class Contender:
    """A program, and how it is told its settings."""
    title: str
    command: tuple
    environment: object = None  # a function of a row: variables


@dataclasses.dataclass(frozen=True)
class Contest:
    """What there is to run. `contenders(build, folder)` finds them by name, ours among them;
    `size(row, scale)` is the count of a row at a share of its size."""
    name: str
    title: str
    folder: str
    rows: tuple
    contenders: object
    size: object
    pinned: bool = False  # to as many processors as a row has, whatever the program makes of it

    def causes(self):
        """Why a row misses its bar, by title."""
        return files.load_json(os.path.join(self.folder, "causes.json"))


def parse_arguments(contest):
    """The command line."""
    bench = os.path.dirname(contest.folder)
    parser = argparse.ArgumentParser(
        description="%s: Burrow beside its peers, in one interleaved run." % contest.title)
    parser.add_argument("--build", default=os.path.join(os.path.dirname(bench), "build", "release"),
                        help="the build folder (default: build/release)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each pair (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help="rows whose title contains TEXT; may be repeated")
    parser.add_argument("--scale", type=float, default=1, help="share of each count (for tests)")
    parser.add_argument("--tables", metavar="FILE", help="print the table of an old result, with the "
                        "causes of today")
    parser.add_argument("--output", metavar="DIR", help="where results go (default: bench/results "
                        "for a complete run, nowhere for a partial one)")
    return parser.parse_args()


def cpus(count):
    """The first processors that there are, as taskset takes them."""
    return ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0))[:count])


def run_once(contest, contender, row, count):
    """The figures of one run, or None with a message when it failed."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("BURROW_", "GO", "LD_", "GC_"))}
    if contender.environment:
        env.update(contender.environment(row))
    command = ["taskset", "-c", cpus(row.procs)] if contest.pinned else []
    try:
        done = subprocess.run([*command, *contender.command, row.workload, str(count)], env=env,
                              capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None, "no end after %d s" % TIMEOUT_SECONDS
    if done.returncode != 0:
        return None, (done.stderr.strip() or "it failed").splitlines()[0][:200]
    return json.loads(done.stdout), None


def measure(contest, found, rows, rounds, scale):
    """(figures by job and contender, failures)."""
    jobs = {}
    for row in rows:
        jobs.setdefault(row.job, row)
    runs = collections.defaultdict(list)
    failures = []
    for turn in range(rounds):
        order = random.Random(turn)
        for key in order.sample(list(jobs), len(jobs)):
            row = jobs[key]
            # Contenders of one workload run next to each other: what disturbs one disturbs all.
            for name in order.sample(list(found), len(found)):
                if name in row.without:
                    continue
                figures, error = run_once(contest, found[name], row,
                                          contest.size(row, scale))
                if error:
                    failures.append("%s on %s: %s" % (row.title, found[name].title, error))
                else:
                    runs[key, name].append(figures)
        print("round %d of %d done" % (turn + 1, rounds), file=sys.stderr)
    return runs, failures


def number(value):
    """Three digits that count."""
    return "%.3g" % value if value < 1000 else "{:,.0f}".format(value)


def medians(found, row, runs):
    """The median figure of each contender that has the row."""
    return {name: statistics.median(f[row.key] for f in runs[row.job, name])
            for name in found if runs.get((row.job, name))}


def bars(row, figures, found):
    """What our figure must not exceed, each with its words. Without the peer, no bar."""
    limits = [(figures[peer] * share, "%.2f of %s" % (share, found[peer].title.split()[0]))
              for peer, share in row.bars if peer in figures]
    return limits + ([(row.most, number(row.most) + " " + row.unit)] if row.most else [])


def verdict(row, figures, found, causes):
    """The table's last three cells: the bars, met or missed, and why."""
    wanted = bars(row, figures, found)
    if not wanted or OURS not in figures:
        return ["", "", ""]
    missed = any(figures[OURS] > most for most, _ in wanted)
    return [", ".join(text for _, text in wanted), *report.verdict(row.title, missed, causes)]


def table(found, rows, runs, causes):
    """The Markdown table: the medians of the rounds, and our share of each peer's."""
    names = list(found)
    peers = [name for name in names if name != OURS]
    head = ["", "unit"] + [found[name].title for name in names]
    head += ["of " + found[name].title.split()[0] for name in peers] + ["at most", "bar", "why"]
    lines = []
    for row in rows:
        figures = medians(found, row, runs)
        cells = [row.title, row.unit]
        cells += [number(figures[name]) if name in figures else "" for name in names]
        cells += ["%.2f" % (figures[OURS] / figures[name])
                  if name in figures and OURS in figures else "" for name in peers]
        lines.append(cells + verdict(row, figures, found, causes))
    return report.table(head, lines) + "\n"


def write(contest, output, text, raw):
    """The results: a table, and every single run."""
    os.makedirs(output, exist_ok=True)
    name = "%s-%s-%dcpu.json" % (contest.name, raw["date"], raw["machine"]["cpus"])
    with open(os.path.join(output, name), "w", encoding="utf-8") as file:
        file.write(json.dumps(raw, indent=1) + "\n")
    with open(os.path.join(output, contest.name + ".md"), "w", encoding="utf-8") as file:
        file.write(text)


def text_of(contest, raw):
    """The results as Markdown."""
    found = {name: Contender(title, ()) for name, title in raw["versions"].items()}
    runs = {((r["workload"], r["count"], r["processors"], tuple(r["settings"].items())),
             r["contender"]): r["figures"] for r in raw["runs"]}
    rows = [row for row in contest.rows if any(job == row.job for job, _ in runs)]
    rounds = max(len(figures) for figures in runs.values())
    text = "# %s\n\nThe medians of %d interleaved rounds, written by bench/%s/run on %s.\n\n" % (
        contest.title, rounds, os.path.basename(contest.folder), raw["date"])
    text += table(found, rows, runs, contest.causes()) + "\n"
    text += "".join("- %s: %s\n" % (k.replace("_", " "), v) for k, v in raw["machine"].items())
    if raw["failures"]:
        text += "\nFailures:\n\n" + "".join("- %s\n" % f for f in raw["failures"])
    return text


def main(contest):
    """Runs, prints the table, writes the results."""
    arguments = parse_arguments(contest)
    if arguments.tables:
        print(text_of(contest, files.load_json(arguments.tables)), end="")
        return 0
    rows = [r for r in contest.rows
            if not arguments.only or any(t in r.title for t in arguments.only)]
    if not rows:
        sys.exit("no row is chosen: see --only")
    rounds = 1 if arguments.quick else arguments.rounds
    about = machine.describe()
    with tempfile.TemporaryDirectory() as folder:
        found = contest.contenders(arguments.build, folder)
        runs, failures = measure(contest, found, rows, rounds, arguments.scale)
    raw = {"date": datetime.date.today().isoformat(), "machine": about, "failures": failures,
           "versions": {n: c.title for n, c in found.items()},
           "runs": [{"workload": k[0], "count": k[1], "processors": k[2], "settings": dict(k[3]),
                     "contender": n, "figures": f} for (k, n), f in runs.items()]}
    text = text_of(contest, raw)
    print(text)
    partial = arguments.quick or arguments.only or arguments.scale != 1
    output = arguments.output or (
        None if partial else os.path.join(os.path.dirname(contest.folder), "results"))
    if output:
        write(contest, output, text, raw)
    return 1 if failures else 0
