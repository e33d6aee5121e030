// A line a cycle. See trace.h.
#include "gc/trace.h"

#include <algorithm>
#include <string_view>

#include "gc/collector.h"
#include "gc/figures.h"
#include "gc/gc.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

bool wanted() {
  static const bool on = os::debug_option("gctrace") == "1";
  return on;
}

// `value` with `places` digits behind the point.
void print_decimal(Printer& out, int64_t value, int places) {
  int64_t unit = 1;
  for (int i = 0; i < places; ++i) {
    unit *= 10;
  }
  out << value / unit;
  if (places > 0) {
    out << '.';
  }
  for (unit /= 10; unit > 0; unit /= 10) {
    out << value / unit % 10;
  }
}

// Milliseconds as Go has them: whole from 10 on, else two digits that count, three places at most.
void print_ms(Printer& out, int64_t ns) {
  constexpr int64_t kMs = 1'000'000;
  if (ns >= 10 * kMs) {
    out << ns / kMs;
    return;
  }
  int64_t us = std::max<int64_t>(ns, 0) / 1000;
  if (us == 0) {
    out << '0';
    return;
  }
  int places = 3;
  for (; us >= 100; us /= 10) {
    --places;
  }
  print_decimal(out, us, places);
}

// Time of all processors while the world is stopped, and of the collector while it is not: up to
// the quarter of the processors that is owed to it, and beyond, which only idle ones give.
void print_cpu(Printer& out, const CycleTimes& t, int processors) {
  int64_t owed = (t.ending_ns - t.marking_ns) * processors / 4;
  print_ms(out, (t.marking_ns - t.start_ns) * processors);
  out << '+';
  print_ms(out, t.assist_ns);
  out << '/';
  print_ms(out, std::min(t.marking_cpu_ns, owed));
  out << '/';
  print_ms(out, t.marking_cpu_ns - std::min(t.marking_cpu_ns, owed));
  out << '+';
  print_ms(out, (t.end_ns - t.ending_ns) * processors);
}

}  // namespace

void print_cycle(Printer& out, const CycleStats& stats, bool forced, int processors) {
  constexpr int64_t kMs = 1'000'000;
  const CycleTimes& t = stats.times;
  const CycleFigures& f = stats.figures;
  out << "gc " << stats.cycles << " @";
  print_decimal(out, (t.start_ns - start_time_ns()) / kMs, 3);
  out << "s " << static_cast<int>(cpu_fraction(stats) * 100) << "%: ";
  print_ms(out, t.marking_ns - t.start_ns);
  out << '+';
  print_ms(out, t.ending_ns - t.marking_ns);
  out << '+';
  print_ms(out, t.end_ns - t.ending_ns);
  out << " ms clock, ";
  print_cpu(out, t, processors);
  out << " ms cpu, " << f.live_at_start / kMiB << "->" << f.live_at_end / kMiB << "->"
      << f.marked_bytes / kMiB << " MB, " << f.goal / kMiB << " MB goal, " << f.stack_bytes / kMiB
      << " MB stacks, " << f.global_bytes / kMiB << " MB globals, " << processors << " P"
      << (forced ? " (forced)\n" : "\n");
}

void trace_cycle(const CycleStats& stats, bool forced) {
  if (!wanted()) {
    return;
  }
  FixedPrinter<512> out;
  print_cycle(out, stats, forced, std::max(1, os::processor_count()));
  out.write_to(2);
}

}  // namespace burrow::gc
