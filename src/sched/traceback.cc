// Stacks of goroutines. See traceback.h.
#include "sched/traceback.h"

#include <algorithm>
#include <array>

#include "base/annotations.h"
#include "os/fault.h"
#include "os/thread.h"
#include "sched/scheduler.h"

namespace burrow::sched {
namespace {

constinit TraceHooks g_hooks;

BURROW_NO_TSAN uintptr_t word_at(uintptr_t address) {
  return *reinterpret_cast<const volatile uintptr_t*>(address);
}

// By frame pointers, which this library and most programs keep; for want of anything better.
size_t walk_by_frames(const arch::StackTop& top, std::span<uintptr_t> pcs) {
  uintptr_t end = os::stack_end(top.sp);
  uintptr_t frame = top.rbp;
  uintptr_t low = top.sp;
  uintptr_t pc = top.pc;
  size_t depth = 0;
  while (pc != 0 && depth < pcs.size()) {
    pcs[depth++] = pc - 1;
    if (frame < low || frame % sizeof(uintptr_t) != 0 || frame + 16 > end) {
      break;
    }
    pc = word_at(frame + 8);
    low = frame + 16;
    frame = word_at(frame);
  }
  return depth;
}

// The stack of one that does not run, unless it begins to meanwhile.
BURROW_NO_TSAN bool walk_parked(const Goroutine& g, GoroutineInfo& info) {
  // Acquire: pairs with the release in mark_running.
  uint32_t runs = g.runs.load(std::memory_order_acquire);
  auto sp = reinterpret_cast<uintptr_t>(reinterpret_cast<void* const volatile&>(g.context.sp));
  auto low = reinterpret_cast<uintptr_t>(g.stack_low);
  auto end = reinterpret_cast<uintptr_t>(&g);
  if (sp < low || sp + sizeof(arch::SavedFrame) > end || sp % 8 != 0) {
    return false;
  }
  arch::Context context{reinterpret_cast<void*>(sp)};
  info.depth = walk_stack(arch::stack_top(context), info.pcs);
  std::atomic_thread_fence(std::memory_order_acquire);
  GoroutineState state = g.state.load(std::memory_order_relaxed);
  return g.runs.load(std::memory_order_relaxed) == runs && state == info.state;
}

// What is known of a goroutine; false when there is none.
bool look_at(const Goroutine& g, GoroutineInfo& info) {
  // Acquire: pairs with the releases where states change.
  info.state = g.state.load(std::memory_order_acquire);
  if (info.state == GoroutineState::kDead) {
    return false;
  }
  info.id = g.id.load(std::memory_order_relaxed);
  info.reason = g.wait_reason.load(std::memory_order_relaxed);
  info.creator_id = g.creator_id;
  info.creator_pc = g.creator_pc;
  info.depth = 0;
  bool parked = info.state == GoroutineState::kWaiting || info.state == GoroutineState::kRunnable;
  info.stack_known = parked && walk_parked(g, info);
  return true;
}

}  // namespace

void set_trace_hooks(const TraceHooks& hooks) {
  g_hooks = hooks;
}

size_t walk_stack(const arch::StackTop& top, std::span<uintptr_t> pcs) {
  size_t depth = g_hooks.walk != nullptr ? g_hooks.walk(top, pcs) : 0;
  return depth != 0 ? depth : walk_by_frames(top, pcs);
}

BURROW_NOINLINE size_t walk_here(std::span<uintptr_t> pcs) {
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  return walk_stack({word_at(frame + 8), frame + 16, word_at(frame)}, pcs);
}

void for_each_goroutine(void (*f)(const GoroutineInfo& info, void* argument), void* argument) {
  g_stacks.for_each([&](Goroutine& g) {
    GoroutineInfo info;
    bool there = false;
    for (int attempt = 0; attempt < 3 && (there = look_at(g, info)) && !info.stack_known &&
                          info.state != GoroutineState::kRunning;
         ++attempt) {
    }
    if (there) {
      f(info, argument);
    }
  });
}

std::string_view state_name(const GoroutineInfo& info) {
  switch (info.state) {
    case GoroutineState::kDead:
      return "dead";
    case GoroutineState::kRunnable:
      return "runnable";
    case GoroutineState::kRunning:
      return "running";
    case GoroutineState::kBlocking:
      return "syscall";
    case GoroutineState::kWaiting:
    case GoroutineState::kHeld:
      break;
  }
  return info.reason == WaitReason::kNone ? "waiting" : wait_reason_name(info.reason);
}

void print_frames(std::span<const uintptr_t> pcs, const Sink& write) {
  if (g_hooks.print_frames != nullptr) {
    g_hooks.print_frames(pcs, write);
    return;
  }
  for (uintptr_t pc : pcs) {
    FixedPrinter<512> line;
    os::print_code_address(line, pc);
    line << '\n';
    write(line.text());
  }
}

void print_creator(uint64_t creator_id, uintptr_t creator_pc, const Sink& write) {
  if (creator_pc == 0) {
    return;
  }
  FixedPrinter<64> out;
  out << "created by ";
  if (creator_id != 0) {
    out << "goroutine " << creator_id;
  } else {
    out << "a thread";
  }
  out << " at\n";
  write(out.text());
  uintptr_t call = creator_pc - 1;
  if (g_hooks.print_caller != nullptr) {
    g_hooks.print_caller(call, write);
  } else {
    print_frames(std::span(&call, 1), write);
  }
}

void print_goroutine(const GoroutineInfo& info, const Sink& write) {
  FixedPrinter<128> head;
  head << "goroutine " << info.id << " [" << state_name(info) << "]:\n";
  write(head.text());
  if (info.stack_known) {
    print_frames(std::span(info.pcs).first(info.depth), write);
  } else {
    write("\tgoroutine running on other thread; stack unavailable\n");
  }
  print_creator(info.creator_id, info.creator_pc, write);
  write("\n");
}

void print_all_goroutines(std::span<const uint64_t> except, const Sink& write) {
  struct Request {
    std::span<const uint64_t> except;
    const Sink& write;
  } request{except, write};

  for_each_goroutine(
      [](const GoroutineInfo& info, void* raw) {
        auto* wanted = static_cast<Request*>(raw);
        if (std::ranges::find(wanted->except, info.id) == wanted->except.end()) {
          print_goroutine(info, wanted->write);
        }
      },
      &request);
}

void write_error(std::string_view text, void* /*unused*/) {
  while (!text.empty()) {
    FixedPrinter<1024> out;
    size_t n = std::min<size_t>(text.size(), 1024);
    out << text.substr(0, n);
    out.write_to(2);
    text.remove_prefix(n);
  }
}

std::string_view wait_reason_name(WaitReason reason) {
  constexpr std::array<std::string_view, 16> kNames = {
      "",
      "chan send",
      "chan receive",
      "chan send (nil chan)",
      "chan receive (nil chan)",
      "select",
      "select (no cases)",
      "sleep",
      "IO wait",
      "sync.Mutex.Lock",
      "sync.WaitGroup.Wait",
      "sync.Once.Do",
      "sync.Cond.Wait",
      "sync.RWMutex.RLock",
      "sync.RWMutex.Lock",
      "garbage collection",
  };
  static_assert(kNames.size() == static_cast<size_t>(WaitReason::kCollector) + 1);
  return kNames[static_cast<size_t>(reason)];
}

}  // namespace burrow::sched
