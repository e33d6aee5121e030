// How a program ends. See panic.h.
#include "sched/panic.h"

#include <unistd.h>

#include <array>
#include <atomic>

#include "base/futex.h"
#include "base/printer.h"
#include "os/fault.h"
#include "os/os.h"
#include "os/thread.h"
#include "sched/scheduler.h"
#include "sched/traceback.h"

namespace burrow::sched {
namespace {

constexpr int kPatienceMs = 5000;

constinit std::atomic<bool> g_dying{false};

// An overflow, told by the signal handler on the thread that had it.
struct Overflow {
  std::atomic<uint32_t> state{0};  // 0 none, 1 to be printed, 2 printed
  uint64_t id = 0;
  arch::StackTop top;
};

constinit Overflow g_overflow;
constinit std::atomic<bool> g_quit{false};
constinit std::atomic<bool> g_collecting{false};

void wake_monitor_now() {
  // Release: pairs with the acquire in the monitor's loop.
  g_sched.monitor_wake.store(1, std::memory_order_release);
  futex_wake_one(g_sched.monitor_wake);
}

Goroutine* running_here() {
  const Worker* w = this_worker();
  return w == nullptr ? nullptr : w->here();
}

void print_here(std::string_view kind, std::string_view message) {
  std::array<uintptr_t, kMaxFrames> pcs;
  size_t depth = walk_here(pcs);
  FixedPrinter<2048> out;
  out << kind << message << "\n\n";
  Goroutine* g = running_here();
  if (g != nullptr) {
    out << "goroutine " << goroutine_id(g) << " [running]:\n";
  } else {
    out << "thread " << os::thread_id() << " [running]:\n";
  }
  kToError(out.text());
  print_frames(std::span(pcs).first(depth), kToError);
  if (g != nullptr) {
    print_creator(g->creator_id, g->creator_pc, kToError);
  }
}

// An interrupted instruction as a place that walks begin from: they take return addresses.
arch::StackTop top_of(const os::Fault& fault) {
  return {fault.pc + 1, fault.sp, fault.frame};
}

bool on_fault(const os::Fault& fault) {
  StackArea::Bounds bounds;
  Goroutine* g = running_here();
  auto address = reinterpret_cast<uintptr_t>(fault.address);
  if (g == nullptr || !g_stacks.find(address, bounds) ||
      address >= reinterpret_cast<uintptr_t>(bounds.low) || bounds.goroutine != g) {
    return false;
  }
  begin_dying();
  FixedPrinter<512> out;
  out << "burrow: goroutine stack exceeds " << g_stacks.limit_bytes() << "-byte limit\n"
      << "burrow: sp=" << Hex(fault.sp) << " stack=[" << static_cast<void*>(bounds.low) << ", "
      << static_cast<void*>(g) << "]; BURROW_STACK sets the size\n"
      << "fatal error: stack overflow\n\n"
      << "goroutine " << goroutine_id(g) << " [running]:\n";
  out.write_to(2);
  g_overflow.id = goroutine_id(g);
  g_overflow.top = top_of(fault);
  // Release: pairs with the acquire in do_requests.
  g_overflow.state.store(1, std::memory_order_release);
  wake_monitor_now();
  // Names are found there, where memory can be had: this thread may hold the allocator's locks.
  int patience = g_sched.forked.load(std::memory_order_relaxed) ? 0 : kPatienceMs;
  for (int i = 0; i < patience && g_overflow.state.load(std::memory_order_acquire) != 2; ++i) {
    os::sleep_ms(1);
  }
  if (g_overflow.state.load(std::memory_order_acquire) != 2) {
    std::array<uintptr_t, 32> pcs;
    size_t depth = walk_stack(g_overflow.top, pcs);
    for (size_t i = 0; i < depth; ++i) {
      FixedPrinter<512> line;
      os::print_code_address(line, pcs[i]);
      line << '\n';
      line.write_to(2);
    }
  }
  finish_dying();
}

// On whatever thread the system chose; and later on each worker, to see what it runs.
void on_quit(const os::Fault& interrupted) {
  if (g_sched.forked.load(std::memory_order_relaxed)) {
    os::quit_by_default();  // here is no monitor that could print
    return;
  }
  if (!g_collecting.load(std::memory_order_acquire)) {
    g_quit.store(true, std::memory_order_release);
    wake_monitor_now();
    return;
  }
  Worker* w = this_worker();
  if (w == nullptr || running_here() == nullptr) {
    return;
  }
  w->stopped_sp = interrupted.sp;
  w->stopped_frame = interrupted.frame;
  // Release: pairs with the acquire in print_running.
  w->stopped_pc.store(interrupted.pc + 1, std::memory_order_release);
  while (true) {
    os::sleep_ms(1000);
  }
}

constexpr size_t kMostRunning = kMaxProcessors;

// Stops every worker where it is and prints what it runs; the numbers of those printed.
std::span<const uint64_t> print_running(std::span<uint64_t> printed) {
  static std::array<Worker*, kMostRunning> workers{};
  size_t done = 0;
  size_t count = 0;
  {
    MutexLock hold(g_sched.lock);
    for (Worker* w = g_sched.workers; w != nullptr && count < workers.size(); w = w->next_of_all) {
      workers[count++] = w;
    }
  }
  g_collecting.store(true, std::memory_order_release);
  for (size_t i = 0; i < count; ++i) {
    os::send_quit_signal(workers[i]->thread_id);
  }
  os::sleep_ms(100);
  for (size_t i = 0; i < count; ++i) {
    Worker& w = *workers[i];
    // Acquire: pairs with the release in on_quit.
    uintptr_t pc = w.stopped_pc.load(std::memory_order_acquire);
    Goroutine* g = w.here();
    if (pc == 0 || g == nullptr) {
      continue;
    }
    GoroutineInfo info;
    info.id = goroutine_id(g);
    info.state = w.current != nullptr ? GoroutineState::kRunning : GoroutineState::kBlocking;
    info.creator_id = g->creator_id;
    info.creator_pc = g->creator_pc;
    info.stack_known = true;
    info.depth = walk_stack({pc, w.stopped_sp, w.stopped_frame}, info.pcs);
    print_goroutine(info, kToError);
    printed[done++] = info.id;
  }
  return printed.first(done);
}

}  // namespace

void begin_dying() {
  if (g_dying.exchange(true, std::memory_order_acq_rel)) {
    while (true) {
      os::sleep_ms(1000);
    }
  }
}

void finish_dying() {
  _exit(2);
}

void catch_overflow() {
  os::on_memory_fault(on_fault);
  os::on_quit_signal(on_quit);
  catch_exceptions();
}

void do_requests() {
  // Acquire: pairs with the release in on_fault.
  if (g_overflow.state.load(std::memory_order_acquire) == 1) {
    std::array<uintptr_t, kMaxFrames> pcs;
    size_t depth = walk_stack(g_overflow.top, pcs);
    print_frames(std::span(pcs).first(depth), kToError);
    if (depth == pcs.size()) {
      kToError("...additional frames elided...\n");
    }
    g_overflow.state.store(2, std::memory_order_release);
  }
  if (g_quit.load(std::memory_order_acquire)) {
    begin_dying();
    kToError("SIGQUIT: quit\n\n");
    static std::array<uint64_t, kMostRunning> ids{};
    print_all_goroutines(print_running(ids), kToError);
    finish_dying();
  }
}

void die_of_deadlock() {
  begin_dying();
  kToError("fatal error: all goroutines are asleep - deadlock!\n\n");
  print_all_goroutines({}, kToError);
  finish_dying();
}

void panic(std::string_view message) {
  begin_dying();
  print_here("panic: ", message);
  finish_dying();
}

void fatal_error(std::string_view message) {
  begin_dying();
  print_here("fatal error: ", message);
  finish_dying();
}

}  // namespace burrow::sched
