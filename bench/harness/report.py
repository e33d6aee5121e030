"""The Markdown tables of a result file. See summary.py for the arithmetic."""
import math

from harness import summary
from harness.allocators import OURS, OURS_UNPROFILED


def _number(value, digits=2):
    return "-" if math.isnan(value) else "%.*f" % (digits, value)


def table(header, rows):
    """A Markdown table: words in the first column, figures in the others."""
    lines = ["| " + " | ".join(header) + " |",
             "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def verdict(name, missed, causes):
    """The cells that say whether a row met its bar, and why it did not."""
    if not missed:
        return ["met", ""]
    return ["missed", causes.get(name, "cause not found yet")]


def _cells(row, allocators):
    """Ratios to the best peer, the best of all in bold."""
    lowest = min(row.values.get(a, math.inf) for a in allocators)
    cells = []
    for allocator in allocators:
        text = _number(row.ratio(allocator))
        cells.append("**%s**" % text if row.values.get(allocator) == lowest else text)
    return cells


def _means(rows, allocators, lead, tail):
    best = [_number(summary.mean_ratio(rows, a)) for a in allocators]
    lines = [["geometric mean, to the row's best peer", lead, *best, *tail]]
    if "glibc" in allocators:
        glibc = [_number(summary.mean_ratio(rows, a, "glibc")) for a in allocators]
        lines.append(["geometric mean, to glibc", lead, *glibc, *tail])
    return lines


def _amount(row, allocator, operations):
    """The absolute figure of the row's best peer: ns an operation, or seconds."""
    if operations:
        return "%.1f ns" % (allocator * 1e9 / operations)
    return "%.2f s" % allocator


def time_table(results, allocators, causes):
    """Time of every row as a ratio to its best peer, with marks and causes."""
    operations = {}
    for workload in results["workloads"]:
        for runs in results["runs"].get(workload["name"], {}).values():
            for run in runs:
                for name, _ in workload["rows"]:
                    operations[name] = run.get("ops")
    rows = summary.time_rows(results)
    lines = []
    for row in rows:
        judged = verdict(row.name, row.missed, causes) if OURS in row.values else ["", ""]
        lines.append([row.name, _amount(row, row.best, operations.get(row.name)),
                      *_cells(row, allocators), *judged])
    lines += _means(rows, allocators, "", ["", ""])
    return table(["row", "best peer", *allocators, "bar", "why"], lines)


def peak_table(results, allocators, causes):
    """Peak RSS of every workload as a ratio to its leanest peer."""
    rows = summary.whole_rows(results, "peak_kib")
    lines = []
    for row in rows:
        why = causes.get(row.name, "")
        lines.append([row.name, "%.1f MiB" % (row.best / 1024), *_cells(row, allocators), why])
    lines += _means(rows, allocators, "", [""])
    big = [row for row in rows if row.values.get("glibc", 0) >= 16 * 1024]
    if big:
        lines.append(["the same over the %d rows of 16 MiB or more on glibc" % len(big), "",
                      *[_number(summary.mean_ratio(big, a)) for a in allocators], ""])
    return table(["workload", "leanest peer", *allocators, "note"], lines)


def cpu_table(results, allocators):
    """User and system time of the whole run, only where threads or real programs make it tell."""
    rows = summary.whole_rows(results, "cpu")
    lines = [[row.name, "%.2f s" % row.best, *_cells(row, allocators)] for row in rows]
    lines += _means(rows, allocators, "", [])
    return table(["workload", "best peer", *allocators], lines)


def left_table(results, allocators):
    """What the fragmentation workload leaves resident."""
    lines = []
    for figure, text in (("kept_kib", "bytes kept alive"),
                         ("resident_kept_kib", "resident with the kept blocks only"),
                         ("resident_empty_kib", "resident after all is freed")):
        for row in summary.whole_rows(results, figure):
            cells = [_number(row.values.get(a, math.nan) / 1024, 1) for a in allocators]
            lines.append(["%s: %s" % (row.name, text), *cells])
    return table(["MiB", *allocators], lines) if lines else ""


def profiling_table(results):
    """What sampling at the default rate costs, row by row."""
    rows = [[name, _number(ratio, 3)] for name, ratio in summary.profiling_rows(results)]
    mean = summary.geometric_mean([ratio for _, ratio in summary.profiling_rows(results)])
    return table(["row", "time profiled / unprofiled"],
                  rows + [["geometric mean", _number(mean, 3)]])


def bars_table(results, allocators, instructions):
    """The bars, met or missed."""
    lines = [[text, _number(ours, 3), _number(limit, 3), "met" if met else "**missed**"]
             for text, ours, limit, met in summary.bars(results, allocators)]
    if instructions:
        ours, peer = instructions["burrow"], min(
            v for k, v in instructions.items() if k not in (OURS, OURS_UNPROFILED))
        lines.append(["instructions of a 16-byte malloc and free, at most the fewest peer's + 2",
                      _number(ours, 1), _number(peer + 2, 1),
                      "met" if ours <= peer + 2 else "**missed**"])
    return table(["bar", "ours", "limit", ""], lines)


def markdown(results, causes, instructions):
    """The whole of results/README.md."""
    allocators = [a for a in results["allocators"] if a != OURS_UNPROFILED]
    profiled = OURS_UNPROFILED in results["allocators"]
    machine = results["machine"]
    parts = [
        "# Benchmark results",
        "Written by `bench/run`; do not edit. Causes are kept in `bench/causes.json`.",
        "%s, %d rounds, interleaved; medians. %s, %d CPUs, %s GiB, Linux %s, transparent huge "
        "pages: %s; %s. Load at start %.2f." % (
            results["date"], results["rounds"], machine["cpu"], machine["cpus"],
            machine["memory_gib"], machine["kernel"], machine["transparent_huge_pages"],
            machine["compiler"], machine["load_at_start"]),
        ", ".join("%s %s" % pair for pair in results["allocators"].items()
                  if pair[0] != OURS_UNPROFILED) + ".",
    ]
    if OURS in allocators:
        parts += ["## Bars", bars_table(results, allocators, instructions)]
    if results["failures"]:
        parts += ["## Failures", "\n".join("- " + text for text in results["failures"])]
    parts += ["## Time", "Ratios to the row's best peer (lower is better, the best in bold).",
              time_table(results, allocators, causes.get("time", {})),
              "## Peak RSS", "Ratios to the row's leanest peer.",
              peak_table(results, allocators, causes.get("rss", {})),
              "## CPU time", "User and system time of the whole run.",
              cpu_table(results, allocators)]
    left = left_table(results, allocators)
    if left:
        parts += ["## Memory left", left]
    if profiled:
        parts += ["## Cost of profiling", profiling_table(results)]
    return "\n\n".join(parts) + "\n"
