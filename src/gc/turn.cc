// Turns. See turn.h.
#include "gc/turn.h"

#include <sched.h>

#include <utility>

#include "os/os.h"

namespace burrow::gc {
namespace {

constexpr int64_t kShortNs = 150'000;
constexpr int64_t kLongNs = 1'000'000;

}  // namespace

void Quota::begin(size_t processors) {
  started_ns_ = os::monotonic_ns();
  processors_ = static_cast<int64_t>(processors);
  cpu_ns_.store(0, std::memory_order_relaxed);
}

bool Quota::add(int64_t cpu_ns) {
  int64_t sum = cpu_ns_.fetch_add(cpu_ns, std::memory_order_relaxed) + cpu_ns;
  return sum < (os::monotonic_ns() - started_ns_) * processors_ / 4;
}

Turn::Turn(Quota& quota, Pace pace) : quota_(quota), pace_(pace), length_ns_(kShortNs) {
  if (beside()) {
    started_ns_ = os::monotonic_ns();
    cpu_ns_ = os::thread_cpu_ns();
  }
}

Turn::~Turn() {
  if (beside()) {
    (void)account();
  }
}

void Turn::check() {
  if (!beside() || os::monotonic_ns() - started_ns_ < length_ns_) {
    return;
  }
  length_ns_ = account() ? kLongNs : kShortNs;
  sched_yield();
  started_ns_ = os::monotonic_ns();
}

bool Turn::account() {
  int64_t now = os::thread_cpu_ns();
  return quota_.add(now - std::exchange(cpu_ns_, now));
}

}  // namespace burrow::gc
