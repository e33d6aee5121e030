// The start of the scheduler, and how many processors it has. See sched.h.
#include "sched/start.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/check.h"
#include "base/printer.h"
#include "heap/processor_cache.h"
#include "heap/scavenger.h"
#include "os/fork.h"
#include "os/os.h"
#include "sched/panic.h"
#include "sched/poller.h"
#include "sched/scheduler.h"
#include "sched/spawn.h"

namespace burrow::sched {
namespace {

constinit Mutex g_start_lock{LockRank::kSchedStart};
using StartHook = void (*)();
constinit StartHook g_start_hook = nullptr;

int wanted_processors() {
  const char* text = os::env("BURROW_PROCS");
  int fallback = std::min(os::processor_count(), kMaxProcessors);
  if (text == nullptr || *text == '\0') {
    return fallback;
  }
  std::string_view view(text);
  int value = 0;
  auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc() || end != view.data() + view.size() || value < 1 ||
      value > kMaxProcessors) {
    FixedPrinter<256> out;
    out << "burrow: BURROW_PROCS=" << text << " is not a number from 1 to " << kMaxProcessors
        << "; using " << fallback << "\n";
    out.write_to(2);
    return fallback;
  }
  return value;
}

void make_processor(int index) {
  Processor& p = g_sched.processors[static_cast<size_t>(index)];
  p.index = static_cast<uint32_t>(index);
  p.random = os::random_u64() | 1;
  p.cache = heap::create_processor_cache();
  if (p.cache == nullptr) {
    fatal("no memory for processor ", index);
  }
}

// REQUIRES: the start lock is held.
void change_processors(int count) {
  int made = g_sched.made_count.load(std::memory_order_relaxed);
  for (int i = made; i < count; ++i) {
    make_processor(i);
  }
  if (made == 0 && count == 1) {
    g_sched.processors[0].solitude.begin(os::debug_option("slowturns") == "1");
  } else if (count > 1) {
    g_sched.processors[0].solitude.end();
  }
  // Release: pairs with the acquires of those who go through all.
  g_sched.made_count.store(std::max(made, count), std::memory_order_release);
  MutexLock hold(g_sched.lock);
  g_sched.processor_count.store(count, std::memory_order_relaxed);
  // Those beyond the number: idle ones at once, others when their worker looks up.
  Processor** at = &g_sched.idle_processors;
  while (*at != nullptr) {
    Processor* p = *at;
    if (static_cast<int>(p->index) >= count) {
      *at = p->next_idle;
      g_sched.idle_count.fetch_sub(1, std::memory_order_seq_cst);
      p->state.store(ProcessorState::kRetired, std::memory_order_relaxed);
    } else {
      at = &p->next_idle;
    }
  }
  for (int i = 0; i < std::max(made, count); ++i) {
    Processor& p = g_sched.processors[static_cast<size_t>(i)];
    p.retiring.store(i >= count, std::memory_order_relaxed);
    if (i < count && p.state.load(std::memory_order_relaxed) == ProcessorState::kRetired) {
      put_idle(&p);
    }
  }
}

// Only the forking thread goes on in the child: see sched.h, "fork". All processors retire, so that
// a goroutine that leaves its stack meets its worker, who refuses, and not the copy of another.
void in_child() {
  if (!g_sched.started.load(std::memory_order_relaxed)) {
    return;
  }
  g_sched.forked.store(true, std::memory_order_relaxed);
  int made = g_sched.made_count.load(std::memory_order_relaxed);
  for (int i = 0; i < made; ++i) {
    g_sched.processors[static_cast<size_t>(i)].retiring.store(true, std::memory_order_relaxed);
  }
}

// The other locks are not taken: nothing that they guard is used in the child.
constinit os::ForkPart g_fork_part{.rank = LockRank::kSchedStart,
                                   .each_lock = [](auto visit) { visit(g_start_lock); },
                                   .child = in_child};

__attribute__((constructor(102))) void add_part() {
  os::add_fork_part(g_fork_part);
}

}  // namespace

void refuse_in_child() {
  fatal(
      "goroutines in the child of a fork: its other threads are gone; there, neither start one nor "
      "let the one that forked wait, yield or end: call exec or _exit");
}

void set_start_hook(void (*hook)()) {
  g_start_hook = hook;
}

void start() {
  if (BURROW_UNLIKELY(g_sched.forked.load(std::memory_order_relaxed))) {
    refuse_in_child();
  }
  // Acquire: pairs with the release below.
  if (BURROW_LIKELY(g_sched.started.load(std::memory_order_acquire))) {
    return;
  }
  MutexLock hold(g_start_lock);
  if (g_sched.started.load(std::memory_order_relaxed)) {
    return;
  }
  g_stress.store(os::debug_option("schedstress") == "1", std::memory_order_relaxed);
  g_stacks.start();
  start_poller();
  change_processors(wanted_processors());
  g_sched.last_poll_ns.store(os::monotonic_ns(), std::memory_order_relaxed);
  catch_overflow();
  start_monitor();
  heap::start_scavenger();
  if (g_start_hook != nullptr) {
    g_start_hook();
  }
  g_sched.started.store(true, std::memory_order_release);
}

int set_processors(int count) {
  start();
  g_start_lock.lock();
  int former = g_sched.processor_count.load(std::memory_order_relaxed);
  if (count > 0) {
    change_processors(std::min(count, kMaxProcessors));
  }
  if (work_anywhere() && wanted_elsewhere()) {
    wake_processor();
  }
  g_start_lock.unlock();
  // The caller's own is given up at once.
  if (Worker* w = this_worker(); w != nullptr && w->current != nullptr &&
                                 w->processor->retiring.load(std::memory_order_relaxed)) {
    yield_now();
  }
  return former;
}

bool runs_goroutines() {
  // Acquire: pairs with the release in start.
  return g_sched.started.load(std::memory_order_acquire) &&
         !g_sched.forked.load(std::memory_order_relaxed);
}

void begin_run() {
  start();
  MutexLock hold(g_sched.lock);
  ++g_sched.runs;
}

void end_run() {
  MutexLock hold(g_sched.lock);
  --g_sched.runs;
}

}  // namespace burrow::sched
