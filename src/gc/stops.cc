// Stops of the world that may fail. See stops.h.
#include "gc/stops.h"

#include <algorithm>

#include "base/printer.h"
#include "os/os.h"
#include "os/thread.h"

namespace burrow::gc {
namespace {

constexpr int64_t kFailingNs = 100'000'000;
constexpr int64_t kLongestLookNs = 100'000'000;
constexpr int64_t kShortestLookNs = 1'000'000;
// Of the time in which stops fail, no more than a fifth is spent in them.
constexpr int64_t kRest = 4;

}  // namespace

std::optional<std::span<const os::StoppedThread>> Stops::stop() {
  int64_t start = os::monotonic_ns();
  auto threads = os::stop_threads();
  if (threads) {
    failing_since_ns_ = 0;
    state_.store(kFine, std::memory_order_relaxed);
    return threads;
  }
  int64_t now = os::monotonic_ns();
  rest_ns_ = std::max(kShortestLookNs, kRest * (now - start));
  failing_since_ns_ = failing_since_ns_ == 0 ? start : failing_since_ns_;
  return std::nullopt;
}

void Stops::note_failing() {
  int64_t failing_ns = os::monotonic_ns() - failing_since_ns_;
  if (failing_ns > kFailingNs && !failing()) {
    state_.store(kFailing, std::memory_order_relaxed);
  }
  if (failing_ns <= g_tell_after_ns || given_up()) {
    return;
  }
  FixedPrinter<512> out;
  out << "burrow: no garbage collection since " << failing_ns / 1'000'000'000 << " s: ";
  os::print_failed_stop(out);
  out << "; the heap grows until that ends (docs/collected-heap.md, Signals)\n";
  out.write_to(2);
  state_.store(kGivenUp, std::memory_order_relaxed);
}

void Stops::await_chance(void (*tell)()) {
  os::sleep_ns(rest_ns_);
  int64_t look_ns = kShortestLookNs;
  for (;;) {
    note_failing();
    tell();
    if (!os::stop_would_fail()) {
      return;
    }
    os::sleep_ns(look_ns);
    look_ns = std::min(2 * look_ns, kLongestLookNs);
  }
}

void Stops::reset_after_fork() {
  failing_since_ns_ = 0;
  state_.store(kFine, std::memory_order_relaxed);
}

}  // namespace burrow::gc
