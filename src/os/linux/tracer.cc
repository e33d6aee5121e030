// Tracing threads on Linux. See os/tracer.h.
#include "os/tracer.h"

#include <elf.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

#include "base/annotations.h"
#include "os/os.h"
#include "os/signal_mask.h"
#include "os/thread.h"

namespace burrow::os {
namespace {

constexpr size_t kStackBytes = size_t{64} * 1024;
// A thread that waits for a processor gets one: all others are stopped.
constexpr int64_t kLongestNs = 1'000'000'000;
constexpr long kLookNs = 20'000;

enum Order : uint32_t { kStop, kLetGo, kEnd };

struct Traced {
  uint32_t tid = 0;
  int signal = 0;  // that it was about to take
  user_regs_struct general{};
  size_t vector_bytes = 0;
  // As xsave lays it out. With AMX it is 11 KB.
  alignas(64) std::array<char, 16000> vector;
};

// What the helper and its owner share. An order is given by `given`, which the helper sleeps on,
// and answered by `answered`: release when raised, acquire when seen.
struct Shared {
  std::atomic<uint32_t> given{0};
  std::atomic<uint32_t> answered{0};
  Order order = kStop;
  uint32_t tid = 0;
  TraceResult result = TraceResult::kStopped;
  int error = 0;
  uint32_t owner = 0;  // the process
  size_t count = 0;
  std::array<Traced, Tracer::kMostThreads> traced;
  alignas(16) std::array<char, kStackBytes> stack;
};

// Mapped at the first use: most programs have no such thread.
BURROW_NO_ROOTS constinit Shared* g_shared = nullptr;

long trace(long request, uint32_t tid, long address = 0, const void* data = nullptr) {
  return syscall(SYS_ptrace, request, tid, address, data);
}

// --- in the helper: it shares errno with its owner, who makes no call that fails meanwhile -------

// Waits until the thread has stopped; what it was about to take, or nothing.
TraceResult await_stop(uint32_t tid, int& signal) {
  for (int64_t end = monotonic_ns() + kLongestNs;;) {
    int status = 0;
    long got = syscall(SYS_wait4, tid, &status, WNOHANG | __WALL, nullptr);
    if (got < 0 || (got > 0 && !WIFSTOPPED(status))) {
      return TraceResult::kGone;
    }
    if (got > 0) {
      bool event = status >> 16 != 0;
      signal = event ? 0 : WSTOPSIG(status);
      return TraceResult::kStopped;
    }
    if (monotonic_ns() > end) {
      return TraceResult::kLate;
    }
    sched_yield();
  }
}

bool read_registers(uint32_t tid, Traced& traced) {
  iovec general{&traced.general, sizeof(traced.general)};
  iovec vector{traced.vector.data(), traced.vector.size()};
  if (trace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &general) != 0 ||
      trace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &vector) != 0) {
    return false;
  }
  traced.vector_bytes = vector.iov_len;
  return general.iov_len == sizeof(traced.general) && vector.iov_len < traced.vector.size();
}

TraceResult helper_stop(Shared& shared) {
  if (shared.count == Tracer::kMostThreads) {
    shared.error = ENOMEM;
    return TraceResult::kRefused;
  }
  if (trace(PTRACE_SEIZE, shared.tid) != 0) {
    shared.error = errno;
    return errno == ESRCH ? TraceResult::kGone : TraceResult::kRefused;
  }
  Traced& traced = shared.traced[shared.count];
  traced.tid = shared.tid;
  if (trace(PTRACE_INTERRUPT, shared.tid) != 0) {
    return TraceResult::kGone;
  }
  TraceResult result = await_stop(shared.tid, traced.signal);
  if (result != TraceResult::kStopped) {
    return result;
  }
  if (!read_registers(shared.tid, traced)) {
    shared.error = errno;
    trace(PTRACE_DETACH, shared.tid, 0, reinterpret_cast<void*>(traced.signal));
    return errno == ESRCH ? TraceResult::kGone : TraceResult::kRefused;
  }
  trace(PTRACE_SETOPTIONS, shared.tid, 0, reinterpret_cast<void*>(PTRACE_O_EXITKILL));
  ++shared.count;
  return result;
}

void helper_let_go(Shared& shared) {
  const Traced& traced = shared.traced[--shared.count];
  trace(PTRACE_DETACH, traced.tid, 0, reinterpret_cast<void*>(traced.signal));
}

void helper_let_all_go(Shared& shared) {
  while (shared.count > 0) {
    helper_let_go(shared);
  }
}

int helper_main(void* raw) {
  Shared& shared = *static_cast<Shared*>(raw);
  // Whoever ends without an order has lost its owner.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (static_cast<uint32_t>(syscall(SYS_getppid)) != shared.owner) {
    return 1;
  }
  for (uint32_t done = shared.answered.load(std::memory_order_relaxed);;) {
    // Acquire: pairs with the release in `order`.
    while (shared.given.load(std::memory_order_acquire) == done) {
      syscall(SYS_futex, reinterpret_cast<uint32_t*>(&shared.given), FUTEX_WAIT_PRIVATE, done,
              nullptr, nullptr, 0);
    }
    switch (shared.order) {
      case kStop:
        shared.result = helper_stop(shared);
        break;
      case kLetGo:
        helper_let_go(shared);
        break;
      case kEnd:
        helper_let_all_go(shared);
        break;
    }
    // One that has not stopped can be let go of by ending only.
    bool ends =
        shared.order == kEnd || (shared.order == kStop && shared.result == TraceResult::kLate);
    if (ends) {
      helper_let_all_go(shared);
    }
    shared.answered.store(++done, std::memory_order_release);
    if (ends) {
      return 0;
    }
  }
}

// --- in the owner --------------------------------------------------------------------------------

bool has_ended(uint32_t helper) {
  return syscall(SYS_wait4, helper, nullptr, WNOHANG | __WALL, nullptr) != 0;
}

}  // namespace

bool Tracer::start() {
  if (helper_ != 0) {
    return true;
  }
  if (g_shared == nullptr) {
    g_shared = static_cast<Shared*>(map_memory(sizeof(Shared)));
  }
  if (g_shared == nullptr) {
    return false;
  }
  g_shared->owner = process_id();
  g_shared->count = 0;
  g_shared->error = 0;
  SignalMask former = change_signal_mask(MaskChange::kSet, SignalMask{~uint64_t{0}});
  // No signal at its end; debuggers do not get hold of it.
  constexpr int kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED;
  int pid = clone(helper_main, g_shared->stack.end(), kFlags, g_shared);
  g_shared->error = pid < 0 ? errno : 0;
  change_signal_mask(MaskChange::kSet, former);
  helper_ = pid > 0 ? static_cast<uint32_t>(pid) : 0;
  return pid > 0;
}

void Tracer::end() {
  syscall(SYS_wait4, helper_, nullptr, __WALL, nullptr);
  helper_ = 0;
}

bool Tracer::order(uint32_t what, uint32_t tid) {
  Shared& shared = *g_shared;
  shared.order = static_cast<Order>(what);
  shared.tid = tid;
  shared.result = TraceResult::kRefused;
  uint32_t number = shared.given.load(std::memory_order_relaxed) + 1;
  shared.given.store(number, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&shared.given), FUTEX_WAKE_PRIVATE, 1, nullptr,
          nullptr, 0);
  // Acquire: pairs with the release in helper_main.
  for (int looks = 0; shared.answered.load(std::memory_order_acquire) != number; ++looks) {
    if (looks < 100) {
      sched_yield();
      continue;
    }
    timespec pause{0, kLookNs};
    syscall(SYS_nanosleep, &pause, nullptr);
    if (looks % 100 == 0 && has_ended(helper_)) {
      shared.answered.store(number, std::memory_order_relaxed);
      helper_ = 0;
      return false;
    }
  }
  return true;
}

TraceResult Tracer::stop(uint32_t tid, TracedThread& thread) {
  if (!start() || !order(kStop, tid)) {
    return TraceResult::kRefused;
  }
  if (g_shared->result == TraceResult::kRefused && g_shared->error == EPERM && !asked_leave_) {
    // Where the Yama module lets a process be traced by those only that it names.
    asked_leave_ = true;
    if (prctl(PR_SET_PTRACER, helper_, 0, 0, 0) == 0 && !order(kStop, tid)) {
      return TraceResult::kRefused;
    }
  }
  TraceResult result = g_shared->result;
  if (result == TraceResult::kStopped) {
    const Traced& traced = g_shared->traced[g_shared->count - 1];
    thread.sp = traced.general.rsp;
    thread.thread_pointer = traced.general.fs_base;
    thread.registers = reinterpret_cast<uintptr_t>(&traced.general);
    thread.registers_end = reinterpret_cast<uintptr_t>(traced.vector.data()) + traced.vector_bytes;
  } else if (result == TraceResult::kLate) {
    end();
  }
  return result;
}

void Tracer::let_go() {
  (void)order(kLetGo, 0);
}

void Tracer::let_all_go() {
  if (helper_ != 0 && order(kEnd, 0)) {
    end();
  }
  asked_leave_ = false;
}

void Tracer::reset_after_fork() {
  helper_ = 0;
  asked_leave_ = false;
}

int Tracer::error() const {
  return g_shared != nullptr ? g_shared->error : ENOMEM;
}

}  // namespace burrow::os
