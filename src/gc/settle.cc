// What becomes of specials whose objects were not reached. See settle.h.
#include "gc/settle.h"

#include <algorithm>
#include <array>

#include "gc/due_order.h"
#include "gc/due_queue.h"
#include "gc/faults.h"
#include "gc/gc.h"
#include "gc/specials.h"
#include "gc/tables.h"
#include "gc/team.h"
#include "gc/turn.h"
#include "gc/verify.h"
#include "heap/hooks.h"

namespace burrow::gc {

constinit std::atomic<bool> g_settling{false};

namespace {

constexpr size_t kSome = 256;

// All of the collector's thread.
constinit SpecialList g_unreached;     // taken in the stop
constinit SpecialList g_reached_late;  // between two calls of `wait_on`
constinit SpecialList g_undecided;     // cells and samples: until all is marked
constinit SpecialList g_dead_samples;
constinit DueOrder g_order;

bool lives(const Special& special) {
  return last_mark(special.object()).get();
}

bool cell_lives(const Special& special) {
  return last_mark(reinterpret_cast<Address>(special.argument)).get();
}

void keep_waiting(const Special& special) {
  g_reached_late.push(special);
  if (g_reached_late.size() >= kSome) {
    wait_on(g_reached_late);
  }
}

void settle_weak(const Special& special) {
  if (!lives(special)) {
    static_cast<WeakCell*>(special.argument)->target.store(0, std::memory_order_relaxed);
  } else if (cell_lives(special)) {
    keep_waiting(special);
  } else {
    g_undecided.push(special);
  }
}

// Marks say what the program reaches. Destructors and cleanups of dead objects stay in the list.
void part_unreached(Turn& turn) {
  size_t due = 0;
  for (size_t i = 0; i < g_unreached.size(); ++i) {
    const Special special = g_unreached[i];
    if (special.kind == SpecialKind::kWeak) {
      settle_weak(special);
    } else if (lives(special)) {
      keep_waiting(special);
    } else if (special.kind == SpecialKind::kSample) {
      g_undecided.push(special);
    } else {
      g_unreached[due++] = special;
    }
    if (i % kSome == 0) {
      turn.check();
    }
  }
  g_unreached.resize(due);
}

// Marks say what is kept as well. A cell that is not is about to be memory for others.
void decide_rest(Turn& turn) {
  for (size_t i = 0; i < g_undecided.size(); ++i) {
    const Special& special = g_undecided[i];
    bool weak = special.kind == SpecialKind::kWeak;
    if (weak ? cell_lives(special) : lives(special)) {
      keep_waiting(special);
    } else if (!weak) {
      g_dead_samples.push(special);
    }
    if (i % kSome == 0) {
      turn.check();
    }
  }
  g_undecided.clear();
  wait_on(g_reached_late);
}

void make_all_due(Turn& turn) {
  const OutsideList<uint32_t>& reversed = g_order.reversed();
  std::array<Special, kSome> some;
  for (size_t left = reversed.size(); left > 0;) {
    size_t count = std::min(left, kSome);
    for (size_t i = 0; i < count; ++i) {
      some[i] = g_unreached[reversed[--left]];
    }
    g_due.push(some.data(), make_due(some.data(), count));
    turn.check();
  }
}

}  // namespace

void begin_settle() {
  if (take_unreached(g_unreached) != 0) {
    g_settling.store(true, std::memory_order_relaxed);
  }
}

Settled settle() {
  if (!g_settling.load(std::memory_order_relaxed)) {
    return {};
  }
  if (g_faults.no_settle_gate) {
    g_settling.store(false, std::memory_order_release);
  }
  Turn turn(g_team.quota(), Pace::kBeside);
  part_unreached(turn);
  end_weak_turn();
  g_order.run(g_unreached, turn);
  decide_rest(turn);
  if (verifying()) {
    verify_kept(g_unreached);
  }
  g_settling.store(false, std::memory_order_release);
  make_all_due(turn);
  g_unreached.clear();
  g_order.clear();
  end_taken();
  return {g_order.marked_bytes(), g_order.marked_objects()};
}

void report_dead_samples() {
  const heap::ProfilerHooks* hooks = heap::profiler_hooks();
  for (size_t i = 0; i < g_dead_samples.size(); ++i) {
    if (hooks != nullptr && hooks->sampled_free != nullptr) {
      // Not the object's address: its memory may be another sample already.
      hooks->sampled_free(g_dead_samples[i].argument);
    }
  }
  g_dead_samples.clear();
}

}  // namespace burrow::gc
