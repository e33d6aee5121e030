"""From raw runs to rows, ratios, geometric means and bars."""
import dataclasses
import math
import statistics

from harness.allocators import OURS, OURS_UNPROFILED

ROW_BAR = 1.10
PROFILING_BAR = 1.01


def geometric_mean(values):
    """The geometric mean, or NaN of nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


@dataclasses.dataclass
class Row:
    """Medians of one figure by allocator; `best` is the best peer's."""

    name: str
    values: dict
    best: float

    def ratio(self, allocator):
        """To the row's best peer; NaN where the allocator has no figure."""
        return self.values.get(allocator, math.nan) / self.best

    @property
    def missed(self):
        """True when ours is more than the bar above the best peer (or has no figure)."""
        return not self.ratio(OURS) <= ROW_BAR


def _rows(results, figures):
    """One Row for each (row name, workload, figure), where at least one peer has a figure."""
    rows = []
    for name, workload, figure in figures:
        medians = {}
        for allocator, runs in results["runs"].get(workload, {}).items():
            values = [run[figure] for run in runs if figure in run]
            if values:
                medians[allocator] = statistics.median(values)
        peers = [v for a, v in medians.items() if a not in (OURS, OURS_UNPROFILED)]
        if peers:
            rows.append(Row(name, medians, max(min(peers), 1e-9)))
    return rows


def time_rows(results):
    """The rows of the time table."""
    return _rows(results, [(row, workload["name"], figure) for workload in results["workloads"]
                           for row, figure in workload["rows"]])


def whole_rows(results, figure):
    """One row a workload for a figure of the whole run, such as peak_kib."""
    return _rows(results, [(w["name"], w["name"], figure) for w in results["workloads"]])


def add_cpu(results):
    """Adds user + sys as `cpu` to every run."""
    for by_allocator in results["runs"].values():
        for runs in by_allocator.values():
            for run in filter(None, runs):  # a failed run is empty
                run["cpu"] = max(run["user"] + run["sys"], 1e-6)


def mean_ratio(rows, allocator, base=None):
    """Geometric mean over rows of an allocator's ratio to `base`, or to each row's best peer."""
    ratios = []
    for row in rows:
        if allocator in row.values and (base is None or base in row.values):
            ratios.append(row.values[allocator] / (row.values[base] if base else row.best))
    return geometric_mean(ratios)


def profiling_rows(results):
    """(row name, median over rounds of time profiled / time with BURROW_PROFRATE=0)."""
    rows = []
    for workload in results["workloads"]:
        runs = results["runs"].get(workload["name"], {})
        pairs = list(zip(runs.get(OURS, []), runs.get(OURS_UNPROFILED, [])))
        for name, figure in workload["rows"]:
            ratios = [on[figure] / off[figure] for on, off in pairs if on and off]
            if ratios:
                rows.append((name, statistics.median(ratios)))
    return rows


def spread(results, row_workload, figure, allocator):
    """(max - min) / median of one cell: how far to trust it."""
    runs = results["runs"][row_workload].get(allocator, [])
    values = [run[figure] for run in runs if figure in run]
    return (max(values) - min(values)) / statistics.median(values) if values else math.nan


def bars(results, allocators):
    """The bars of the comparison: (text, ours, limit, met). Needs ours and a peer."""
    peers = [a for a in allocators if a not in (OURS, OURS_UNPROFILED)]
    lean_peers = [a for a in peers if a != "glibc"] or peers
    times, peaks = time_rows(results), whole_rows(results, "peak_kib")
    checked = []

    def add(text, ours, limit):
        checked.append((text, ours, limit, ours <= limit))

    if OURS in allocators and times:
        fastest = min(peers, key=lambda a: mean_ratio(times, a))
        add("time, geometric mean of ratios to the row's best peer, at or below the best peer's "
            "(%s)" % fastest, mean_ratio(times, OURS), mean_ratio(times, fastest))
        worst = max(times, key=lambda row: row.ratio(OURS))
        add("every row within %.2f of its best peer; worst: %s" % (ROW_BAR, worst.name),
            worst.ratio(OURS), ROW_BAR)
        leanest = min(lean_peers, key=lambda a: mean_ratio(peaks, a))
        add("peak RSS, geometric mean of ratios to the row's leanest peer, at or below the leanest "
            "peer's (%s)" % leanest, mean_ratio(peaks, OURS), mean_ratio(peaks, leanest))
    profiled = profiling_rows(results)
    if profiled:
        add("profiling at the default rate, geometric mean of time ratios",
            geometric_mean([ratio for _, ratio in profiled]), PROFILING_BAR)
    return checked
