// A line a cycle. See trace.h.
#include "gc/trace.h"

#include "base/printer.h"
#include "gc/collector.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

bool wanted() {
  static const bool on = os::debug_option("gctrace") == "1";
  return on;
}

// Milliseconds with three places, as Go's fmtNSAsMS.
void print_ms(Printer& out, int64_t ns) {
  int64_t us = ns / 1000;
  out << us / 1000 << '.' << us / 100 % 10 << us / 10 % 10 << us % 10;
}

}  // namespace

void trace_cycle(const CycleStats& stats, int64_t pause_ns) {
  if (!wanted()) {
    return;
  }
  FixedPrinter<512> out;
  const CycleFigures& f = stats.figures;
  out << "gc " << stats.cycles << " pause ";
  print_ms(out, pause_ns);
  out << " ms, mark ";
  print_ms(out, stats.mark_ns);
  out << " ms, " << f.live_at_start / 1'048'576 << "->" << f.live_at_end / 1'048'576 << "->"
      << f.marked_bytes / 1'048'576 << " MB, " << g_pacer.goal() / 1'048'576 << " MB goal\n";
  out.write_to(2);
}

}  // namespace burrow::gc
