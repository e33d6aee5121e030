// Stopping threads on Linux: what each does in its handler. See os/stop.h.
#include <pthread.h>
#include <sched.h>
#include <ucontext.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "arch/arch.h"
#include "base/annotations.h"
#include "base/check.h"
#include "base/errno_scope.h"
#include "base/hold.h"
#include "os/linux/stop_state.h"
#include "os/os.h"
#include "os/signal_mask.h"
#include "os/stop.h"
#include "os/thread.h"

namespace burrow::os {
namespace {

constexpr uintptr_t kRedZone = 128;

// For those who wait awake: others may have the processor now and then.
void pause_a_little() {
  for (int i = 0; i < 32; ++i) {
    arch::pause();
  }
  sched_yield();
}

uintptr_t context_limit(const ucontext_t& context) {
  auto end = reinterpret_cast<uintptr_t>(&context + 1);
  if (context.uc_mcontext.fpregs == nullptr) {
    return end;
  }
  // The kernel writes the size of the whole floating-point state behind the legacy area.
  const auto* fp = reinterpret_cast<const char*>(context.uc_mcontext.fpregs);
  uint32_t magic = 0;
  uint32_t size = 0;
  std::memcpy(&magic, fp + 464, sizeof(magic));
  std::memcpy(&size, fp + 468, sizeof(size));
  constexpr uint32_t kFpXstateMagic1 = 0x46505853;
  size_t bytes =
      magic == kFpXstateMagic1 && size < 65536 ? size : sizeof(*context.uc_mcontext.fpregs);
  return std::max(end, reinterpret_cast<uintptr_t>(fp) + bytes);
}

void wait_until_resumed(uint32_t generation) {
  int64_t awake_until =
      g_few.load(std::memory_order_relaxed) ? monotonic_ns() + kAwakeAmongFewNs : 0;
  while (g_generation.load(std::memory_order_acquire) == generation) {
    if (monotonic_ns() < awake_until) {
      pause_a_little();
      continue;
    }
    g_sleepers.fetch_add(1, std::memory_order_seq_cst);
    futex(g_generation, FUTEX_WAIT, generation);
    g_sleepers.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace

bool make_table() {
  if (g_stopped_in.load(std::memory_order_acquire) != nullptr) {
    return true;
  }
  constexpr size_t kBytes = kThreadNumbers * sizeof(std::atomic<uint32_t>);
  auto* table = static_cast<std::atomic<uint32_t>*>(map_memory(kBytes));
  std::atomic<uint32_t>* none = nullptr;
  if (table != nullptr &&
      !g_stopped_in.compare_exchange_strong(none, table, std::memory_order_acq_rel)) {
    unmap_memory(table, kBytes);
    return true;
  }
  return table != nullptr;
}

StoppedThread* take_place(uint32_t generation) {
  uint64_t places = g_places.load(std::memory_order_acquire);
  do {
    if (places >> 32 != generation) {
      return nullptr;
    }
    if (static_cast<uint32_t>(places) >= kMostThreads) {
      fatal("more than ", kMostThreads, " threads: the collector cannot stop them");
    }
  } while (!g_places.compare_exchange_weak(places, places + 1, std::memory_order_acq_rel,
                                           std::memory_order_acquire));
  return &g_slots[static_cast<uint32_t>(places)];
}

void fill_place(StoppedThread& slot, uintptr_t sp) {
  slot.sp = sp - kRedZone;
  if (g_callbacks.stacks != nullptr && slot.thread_pointer != 0) {
    g_callbacks.stacks(slot);
  }
}

void announce(uint32_t tid, uint32_t generation) {
  stopped_in(tid).store(generation, std::memory_order_release);
  // Sequentially consistent, as is what `wait_for` does: one of the two sees the other.
  g_acks.fetch_add(1, std::memory_order_seq_cst);
}

namespace {

void stop_here(uint32_t generation, uint32_t tid, const ucontext_t& context) {
  StoppedThread* slot = take_place(generation);
  if (slot == nullptr) {
    return;
  }
  *slot = {};
  slot->tid = tid;
  slot->thread_pointer = thread_pointer();
  slot->context = reinterpret_cast<uintptr_t>(&context);
  slot->context_end = context_limit(context);
  slot->vectors = context.uc_mcontext.fpregs != nullptr
                      ? reinterpret_cast<uintptr_t>(context.uc_mcontext.fpregs)
                      : slot->context_end;
  auto sp = static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
  // The kernel tells of the thread's signal stack, whether or not it is in use.
  auto signal_stack = reinterpret_cast<uintptr_t>(context.uc_stack.ss_sp);
  slot->below_too = sp - signal_stack - 1 < context.uc_stack.ss_size;
  fill_place(*slot, sp);
  announce(tid, generation);
  if (g_acks_awaited.load(std::memory_order_seq_cst)) {
    futex(g_acks, FUTEX_WAKE, 1);
  }
  wait_until_resumed(generation);
}

void on_signal(int /*signal*/, siginfo_t* /*info*/, void* raw) {
  int saved = errno;
  // By number and not by a thread_local: threads by a plain clone may share those.
  uint32_t tid = thread_id();
  std::atomic<uint32_t>& mine = stopped_in(tid);
  uint32_t generation = g_generation.load(std::memory_order_acquire);
  if (generation % 2 != 0 && mine.load(std::memory_order_relaxed) == 0) {
    // All signals are blocked here, but that is not for the tracer.
    mine.store(kStopping, std::memory_order_seq_cst);
    if (g_callbacks.may_stop(t_hold)) {
      stop_here(generation, tid, *static_cast<const ucontext_t*>(raw));
    } else {
      t_hold.wanted = true;
    }
    mine.store(0, std::memory_order_release);
  }
  errno = saved;
}

// By a signal, as any other stop: the handler has the registers saved. A thread that blocks it does
// not for the moment; it would have to be traced.
void ask_oneself() {
  ErrnoScope keep;
  uint32_t generation = g_generation.load(std::memory_order_relaxed);
  syscall(SYS_tgkill, static_cast<int>(process_id()), thread_id(), kSignal);
  if (generation % 2 != 0 && g_generation.load(std::memory_order_relaxed) == generation) {
    constexpr SignalMask kOnlyThat{uint64_t{1} << (kSignal - 1)};
    SignalMask former = change_signal_mask(MaskChange::kUnblock, kOnlyThat);
    change_signal_mask(MaskChange::kBlock, {former.bits & kOnlyThat.bits});
  }
}

bool make_handler() {
  // Not by sigaction, which leaves out the C library's own signals: cancellation would unwind out
  // of the handler. Faults are left unblocked: watched memory raises them.
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  // Takes care of what returns from a handler, which the kernel is to be told as well.
  if (sigaction(kSignal, &action, nullptr) != 0) {
    return false;
  }

  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    SignalMask mask;
  } kernel{};

  if (syscall(SYS_rt_sigaction, kSignal, nullptr, &kernel, sizeof(SignalMask)) != 0) {
    return false;
  }
  kernel.mask = SignalMask{~uint64_t{0}}.without(SIGSEGV).without(SIGBUS);
  return syscall(SYS_rt_sigaction, kSignal, &kernel, nullptr, sizeof(SignalMask)) == 0;
}

}  // namespace

int stop_signal() {
  return kSignal;
}

bool stop_init(const StopCallbacks& callbacks) {
  g_callbacks = callbacks;
  if (g_slots == nullptr) {
    g_slots = static_cast<StoppedThread*>(map_memory(kMostThreads * sizeof(StoppedThread)));
  }
  // Release: pairs with the acquire in end_hold_slow.
  g_stop_if_wanted.store(ask_oneself, std::memory_order_release);
  return g_slots != nullptr && make_table() && make_handler();
}

void stop_if_asked() {
  uint32_t generation = g_generation.load(std::memory_order_relaxed);
  if (BURROW_UNLIKELY(generation % 2 != 0) && !is_settled(thread_id(), generation)) {
    ask_oneself();
  }
}

bool never_stop_this_thread(bool never) {
  if (!make_table()) {
    return false;
  }
  stopped_in(thread_id()).store(never ? kNever : 0, std::memory_order_seq_cst);
  // A stop that has listed the thread as one not to be asked counts on its not ending: the kernel's
  // list would end with it.
  uint32_t generation = g_generation.load(std::memory_order_seq_cst);
  while (!never && generation % 2 != 0 &&
         g_generation.load(std::memory_order_seq_cst) == generation) {
    sleep_ns(kAskAgainNs);
  }
  return true;
}

}  // namespace burrow::os
