// BURROW_DEBUG=schedstress=1: random where the scheduler is else predictable. See sched.h.
#include "os/os.h"
#include "sched/scheduler.h"

namespace burrow::sched {

constinit std::atomic<bool> g_stress{false};
constinit std::atomic<bool> SchedTestPeer::skip_recheck{false};
constinit std::atomic<bool> SchedTestPeer::slow_recheck{false};
constinit std::atomic<bool> SchedTestPeer::no_rescue{false};
constinit std::atomic<bool> SchedTestPeer::only_spinners_look{false};
constinit std::atomic<bool> SchedTestPeer::no_wait_for_turn{false};

namespace {

uint64_t stress_random() {
  // Of the thread, but never used over a switch. Relaxed: any number will do.
  static constinit std::atomic<uint64_t> state{0x9E3779B97F4A7C15};
  uint64_t x = state.fetch_add(0x9E3779B97F4A7C15, std::memory_order_relaxed);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

bool stress_draw(uint32_t one_in) {
  return stress_random() % one_in == 0;
}

bool stress_shuffle(Processor& p) {
  uint64_t draw = stress_random();
  if (draw % 8 == 0) {
    return true;
  }
  // The front, or what is next, goes behind all others.
  if (draw % 4 == 1) {
    if (Goroutine* g = p.queue.pop(); g != nullptr) {
      push_local(p, g);
    }
  } else if (draw % 8 == 2) {
    if (Goroutine* g = take_next(p, Solitude::Turn(p.solitude)); g != nullptr) {
      push_local(p, g);
    }
  }
  return false;
}

void stress_point() {
  if (BURROW_UNLIKELY(g_stress.load(std::memory_order_relaxed)) && current() != nullptr &&
      stress_draw(4)) {
    yield_now();
  }
}

}  // namespace burrow::sched
