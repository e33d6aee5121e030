// Stopping threads on Linux: what the stop's owner does. See os/stop.h.
#include "os/stop.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <string_view>

#include "arch/arch.h"
#include "base/futex.h"
#include "base/hold.h"
#include "os/linux/stop_state.h"
#include "os/os.h"
#include "os/task_list.h"
#include "os/thread.h"
#include "os/tracer.h"

namespace burrow::os {
namespace {

constexpr int64_t kVolunteersNs = 10'000;
// How long who waits stays awake: to be woken takes longer than most stops do, but only where each
// has a processor does nobody else need it meanwhile.
constexpr int64_t kAwakeNs = 20'000;
// From then on threads that have not stopped are looked up.
constexpr int64_t kSuspectNs = 2'000'000;
// So long all others wait for a thread that the kernel or a debugger has, and for one that does not
// get to run. The former doubles with each stop in a row that fails, a few times.
constexpr int64_t kHeldNs = 10'000'000;
constexpr uint32_t kMostDoublings = 4;
constexpr int64_t kSlowNs = 1'000'000'000;
// The first place of the stop that is on: those before it are of failed ones. The owner's.
constinit uint32_t g_first_place = 0;
// How many the last stop stopped. The owner's.
constinit uint32_t g_expected = 0;

// Why a stop failed.
enum class Obstacle : uint8_t {
  kNone,
  kNoList,    // the kernel does not list the threads
  kNoPlace,   // handlers of earlier stops have all places
  kBlocks,    // the thread blocks the signal and cannot be traced
  kInKernel,  // it sleeps and takes no signal
  kDebugger,  // another process has stopped it
  kSlow,      // it does not get to run, or swallows the signal
};

struct FailedStop {
  Obstacle obstacle = Obstacle::kNone;
  uint32_t tid = 0;
  TaskStatus status;
  int trace_error = 0;
};

// The owner's: of the last stop, and how many in a row have failed.
constinit FailedStop g_failed;
constinit uint32_t g_failures = 0;
constinit Tracer g_tracer;
// Those that it has stopped.
constinit std::array<uint32_t, Tracer::kMostThreads> g_traced{};
constinit size_t g_traced_count = 0;
// Threads that did not take the signal lately: looked up without waiting for them first.
constinit std::array<uint32_t, 64> g_deaf{};
constinit size_t g_next_deaf = 0;

// Waits until `count` threads have stopped, or the time is up. First awake, as long as a thread
// takes that runs on another processor; one that needs this processor would have to wait for all of
// the caller's slice, as Linux does not care much for who yields.
bool wait_for(uint32_t count, int64_t deadline) {
  int64_t awake_until =
      monotonic_ns() + (g_few.load(std::memory_order_relaxed) ? kAwakeAmongFewNs : kAwakeNs);
  for (;;) {
    uint32_t acks = g_acks.load(std::memory_order_acquire);
    if (acks >= count) {
      return true;
    }
    int64_t now = monotonic_ns();
    if (now > deadline) {
      return false;
    }
    if (now < awake_until) {
      sched_yield();
      continue;
    }
    g_acks_awaited.store(true, std::memory_order_seq_cst);
    futex_wait_for(g_acks, acks, deadline - now);
    g_acks_awaited.store(false, std::memory_order_relaxed);
  }
}

bool was_deaf(uint32_t tid) {
  return std::find(g_deaf.begin(), g_deaf.end(), tid) != g_deaf.end();
}

void note_deaf(uint32_t tid, bool deaf) {
  if (!deaf) {
    std::replace(g_deaf.begin(), g_deaf.end(), tid, uint32_t{0});
  } else if (!was_deaf(tid)) {
    g_deaf[g_next_deaf++ % g_deaf.size()] = tid;
  }
}

// Stops a thread that does not take the signal. False when it still runs.
bool trace_thread(uint32_t tid, uint32_t generation, const TaskStatus& status) {
  if (g_stop_faults.trust_deaf_threads) {
    return true;
  }
  TracedThread traced;
  TraceResult result = g_stop_faults.no_trace ? TraceResult::kRefused : g_tracer.stop(tid, traced);
  if (result == TraceResult::kGone) {
    return false;
  }
  if (result == TraceResult::kRefused) {
    TaskStatus now = task_status(tid);
    if (now.known == TaskStatus::Known::kGone || now.ended() || !now.blocks(kSignal)) {
      return false;
    }
  }
  if (result != TraceResult::kStopped) {
    bool slow = result == TraceResult::kLate;
    g_failed = {slow ? Obstacle::kSlow : Obstacle::kBlocks, tid, status, g_tracer.error()};
    return false;
  }
  // Its handler may be at work after all, or it holds a lock that the collector needs.
  bool busy = stopped_in(tid).load(std::memory_order_seq_cst) != 0;
  if (traced.thread_pointer != 0 && !busy) {
    Hold& hold = of_thread(t_hold, traced.thread_pointer);
    hold.wanted = !g_callbacks.may_stop(hold);
    busy = hold.wanted;
  }
  if (busy) {
    g_tracer.let_go();
    return false;
  }
  StoppedThread* slot = take_place(generation);
  *slot = {};
  slot->tid = tid;
  slot->thread_pointer = traced.thread_pointer;
  if (!g_stop_faults.no_traced_registers) {
    slot->context = traced.registers;
    slot->context_end = traced.registers_end;
  }
  slot->below_too = true;  // it may be: where its signal stack is cannot be asked
  fill_place(*slot, traced.sp);
  g_traced[g_traced_count++] = tid;
  announce(tid, generation);
  return true;
}

// What to do about a thread that has not stopped. True when it is stopped or has ended.
bool look_up(uint32_t tid, uint32_t generation, int64_t waited_ns) {
  int64_t held_ns = kHeldNs << std::min(g_failures, kMostDoublings);
  TaskStatus status = task_status(tid);
  if (status.known != TaskStatus::Known::kYes) {
    if (status.known == TaskStatus::Known::kNo && waited_ns > held_ns) {
      g_failed.obstacle = Obstacle::kNoList;
    }
    return false;  // one that is gone may have hidden others from the list
  }
  if (status.ended()) {
    return true;  // the first thread stays listed, and those of debugged programs
  }
  bool in_kernel = status.state == 'D';
  bool held = status.state == 't' || status.state == 'T';
  // In its handler it blocks the signal, and is about to leave, or to say that it has stopped.
  bool in_handler = stopped_in(tid).load(std::memory_order_seq_cst) != 0;
  if (status.blocks(kSignal) && !in_kernel && !held && !in_handler) {
    note_deaf(tid, true);
    return trace_thread(tid, generation, status);
  }
  note_deaf(tid, false);
  if (waited_ns > (in_kernel || held ? held_ns : kSlowNs)) {
    Obstacle why = held ? Obstacle::kDebugger : Obstacle::kSlow;
    g_failed = {in_kernel ? Obstacle::kInKernel : why, tid, status, 0};
  }
  return false;
}

// Sends the signal to whoever has not stopped. Returns how many were listed who had not, those that
// are ending included: when a thread ends while the kernel lists it, the list ends there too, and
// leaves out threads that were started later.
uint32_t ask_all(uint32_t generation, int64_t waited_ns) {
  uint32_t self = thread_id();
  uint32_t pid = process_id();
  uint32_t listed = 0;
  bool known = for_each_task([&](uint32_t tid) {
    if (tid == self || is_settled(tid, generation) || g_failed.obstacle != Obstacle::kNone) {
      return;
    }
    if ((was_deaf(tid) || waited_ns > kSuspectNs) && look_up(tid, generation, waited_ns)) {
      return;
    }
    // One that blocks the signal might get it from a wait for all signals.
    if (!was_deaf(tid)) {
      syscall(SYS_tgkill, pid, tid, kSignal);
    }
    ++listed;
  });
  if (!known && !g_stop_faults.trust_missing_list && g_failed.obstacle == Obstacle::kNone) {
    g_failed.obstacle = Obstacle::kNoList;
  }
  return listed;
}

// Threads that pass `stop_if_asked` stop sooner than a signal would get to them.
void await_volunteers(uint32_t first, uint32_t expected) {
  int64_t until = monotonic_ns() + kVolunteersNs;
  while (g_acks.load(std::memory_order_acquire) - first < expected && monotonic_ns() < until) {
    arch::pause();
  }
}

uint32_t taken_places() {
  return static_cast<uint32_t>(g_places.load(std::memory_order_relaxed));
}

// Opens a stop. False when the places are used up by handlers that failed stops have left behind.
bool open_stop(uint32_t generation) {
  // As no stop is on, no place is taken meanwhile.
  g_first_place = taken_places();
  if (g_acks.load(std::memory_order_acquire) == g_first_place) {
    g_acks.store(0, std::memory_order_relaxed);
    g_first_place = 0;
  } else if (g_first_place > kMostThreads / 2) {
    g_failed.obstacle = Obstacle::kNoPlace;
    return false;
  }
  g_few.store(g_expected < static_cast<uint32_t>(processor_count()), std::memory_order_relaxed);
  g_places.store(places_of(generation, g_first_place), std::memory_order_release);
  g_generation.store(generation, std::memory_order_seq_cst);
  return true;
}

}  // namespace

std::optional<std::span<const StoppedThread>> stop_threads() {
  uint32_t generation = g_generation.load(std::memory_order_relaxed) + 1;
  g_failed = {};
  if (!open_stop(generation)) {
    return std::nullopt;
  }
  int64_t start = monotonic_ns();
  await_volunteers(g_first_place, g_expected);
  // Until a listing shows nobody who has not stopped: those who run may start others.
  for (;;) {
    uint32_t acks = g_acks.load(std::memory_order_acquire);
    uint32_t listed = ask_all(generation, monotonic_ns() - start);
    if (g_failed.obstacle != Obstacle::kNone) {
      ++g_failures;
      resume_threads();
      return std::nullopt;
    }
    if (listed == 0) {
      // Who was seen as stopped has taken a place, but may not have filled it yet.
      uint32_t taken = taken_places();
      while (g_acks.load(std::memory_order_acquire) != taken) {
        sched_yield();
      }
      g_expected = taken - g_first_place;
      g_failures = 0;
      return std::span<const StoppedThread>(g_slots + g_first_place, g_expected);
    }
    if (!wait_for(acks + listed, monotonic_ns() + kAskAgainNs) &&
        monotonic_ns() - start > kSuspectNs) {
      sleep_ns(kAskAgainNs);  // whoever is late may need the processor
    }
  }
}

bool stop_would_fail() {
  TaskStatus now;
  switch (g_failed.obstacle) {
    case Obstacle::kNone:
    case Obstacle::kNoPlace:
    case Obstacle::kSlow:
      return false;
    case Obstacle::kNoList:
      return !for_each_task([](uint32_t) {});
    case Obstacle::kBlocks:
      now = task_status(g_failed.tid);
      return now.known == TaskStatus::Known::kYes && !now.ended() && now.blocks(kSignal) &&
             now.tracer == g_failed.status.tracer;
    case Obstacle::kInKernel:
    case Obstacle::kDebugger:
      now = task_status(g_failed.tid);
      return now.known == TaskStatus::Known::kYes && now.state == g_failed.status.state &&
             now.switches == g_failed.status.switches;
  }
  return false;
}

void print_failed_stop(Printer& out) {
  if (g_failed.obstacle == Obstacle::kNoList) {
    out << "/proc/self/task does not list the threads of this process";
    return;
  }
  if (g_failed.obstacle == Obstacle::kNoPlace) {
    out << "too many threads are on their way out of earlier stops";
    return;
  }
  std::array<char, 32> name{};
  size_t size = task_name(g_failed.tid, name.data(), name.size());
  out << "thread " << g_failed.tid << " (" << std::string_view(name.data(), size) << ") ";
  switch (g_failed.obstacle) {
    case Obstacle::kBlocks:
      out << "blocks signal " << kSignal << " (SIGPWR), and the system does not let it be traced";
      break;
    case Obstacle::kInKernel:
      out << "sleeps in the kernel (state D)";
      break;
    case Obstacle::kDebugger:
      out << "is held by a debugger";
      break;
    default:
      out << "does not take signal " << kSignal << " (SIGPWR)";
      break;
  }
}

void resume_threads() {
  uint32_t next = g_generation.load(std::memory_order_relaxed) + 1;
  // No place is given out from here on.
  g_places.fetch_add(uint64_t{1} << 32, std::memory_order_acq_rel);
  g_generation.store(next, std::memory_order_seq_cst);
  for (; g_traced_count > 0; --g_traced_count) {
    stopped_in(g_traced[g_traced_count - 1]).store(0, std::memory_order_release);
  }
  g_tracer.let_all_go();
  if (g_sleepers.load(std::memory_order_seq_cst) != 0) {
    futex(g_generation, FUTEX_WAKE, INT_MAX);
  }
}

void stop_reset_after_fork() {
  // Numbers of the parent's threads may come again here.
  if (g_stopped_in.load(std::memory_order_relaxed) != nullptr) {
    (void)release(g_stopped_in.load(std::memory_order_relaxed),
                  kThreadNumbers * sizeof(std::atomic<uint32_t>));
  }
  g_generation.store(0, std::memory_order_relaxed);
  g_places.store(0, std::memory_order_relaxed);
  g_acks.store(0, std::memory_order_relaxed);
  g_sleepers.store(0, std::memory_order_relaxed);
  g_deaf = {};
  g_failures = 0;
  g_traced_count = 0;
  g_tracer.reset_after_fork();
}

}  // namespace burrow::os
