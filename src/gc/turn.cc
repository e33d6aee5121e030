// Turns. See turn.h.
#include "gc/turn.h"

#include <sched.h>

#include <utility>

#include "os/os.h"
#include "os/thread.h"

namespace burrow::gc {
namespace {

constexpr int64_t kShortNs = 150'000;
constexpr int64_t kLongNs = 1'000'000;
// More than an interrupt takes.
constexpr int64_t kLostNs = 100'000;
constexpr int64_t kContendedForNs = 50'000'000;

// The calling thread had to wait for its processor not long before. Only then it sleeps between
// turns, and the others go on.
constinit thread_local int64_t t_contended_until_ns = 0;

void note_contention(int64_t now_ns) {
  t_contended_until_ns = now_ns + kContendedForNs;
}

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
    (void)account(os::monotonic_ns());
  }
}

void Turn::check() {
  if (!beside()) {
    return;
  }
  int64_t now = os::monotonic_ns();
  if (now - started_ns_ < length_ns_ || Waiter::any()) {
    return;
  }
  length_ns_ = account(now) ? kLongNs : kShortNs;
  if (now < t_contended_until_ns) {
    // Linux leaves the processor to a thread that yields when it has just been given a slice.
    os::sleep_ns(1);
  } else {
    sched_yield();
  }
  started_ns_ = os::monotonic_ns();
  if (started_ns_ - now > kLostNs) {
    note_contention(started_ns_);
  }
}

bool Turn::account(int64_t now_ns) {
  int64_t cpu_ns = os::thread_cpu_ns();
  int64_t used = cpu_ns - std::exchange(cpu_ns_, cpu_ns);
  if (now_ns - started_ns_ - used > kLostNs) {
    note_contention(now_ns);
  }
  return quota_.add(used);
}

}  // namespace burrow::gc
