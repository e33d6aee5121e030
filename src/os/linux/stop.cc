// Stopping threads on Linux. See os/stop.h.
#include "os/stop.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>

#include "arch/arch.h"
#include "base/annotations.h"
#include "base/check.h"
#include "base/futex.h"
#include "base/hold.h"
#include "os/os.h"
#include "os/task_list.h"
#include "os/thread.h"

namespace burrow::os {
namespace {

// As other collectors do: nobody else uses it, and its default is to be ignored by nobody either.
constexpr int kSignal = SIGPWR;
constexpr size_t kMostThreads = 65536;
constexpr int64_t kAskAgainNs = 50'000;
constexpr int64_t kVolunteersNs = 10'000;
// How long who waits stays awake: to be woken takes longer than most stops do, but only where each
// has a processor does nobody else need it meanwhile.
constexpr int64_t kAwakeNs = 20'000;
constexpr int64_t kAwakeAmongFewNs = 60'000;
constexpr int64_t kSuspectNs = 2'000'000;
// A thread that is being made or ends blocks signals for a moment.
constexpr int64_t kDeafNs = 10'000'000'000;
constexpr uintptr_t kRedZone = 128;
// The kernel's PID_MAX_LIMIT.
constexpr uint32_t kThreadNumbers = 1 << 22;
constexpr uint32_t kNever = UINT32_MAX;

constinit StopCallbacks g_callbacks;
constinit StoppedThread* g_slots = nullptr;
// By thread number: the generation in which it stopped last; kNever for those that are not asked.
// Made by whoever comes first; release, and acquire when read.
constinit std::atomic<std::atomic<uint32_t>*> g_stopped_in{nullptr};
// Odd while a stop is on. Release on change, acquire in handlers: what the stop's owner wrote.
constinit std::atomic<uint32_t> g_generation{0};
constinit std::atomic<uint32_t> g_taken{0};
// Release in a handler after its slot is filled; acquire in `wait_for`.
constinit std::atomic<uint32_t> g_acks{0};
// The stop's owner sleeps on g_acks, or is about to.
constinit std::atomic<bool> g_acks_awaited{false};

// Threads that sleep until they are resumed, or are about to. Sequentially consistent, as is the
// change of g_generation: who resumes sees the sleeper, or the sleeper the change.
constinit std::atomic<uint32_t> g_sleepers{0};
// There is a processor for each thread that is likely to be stopped. Written by the stop's owner
// before g_generation.
constinit std::atomic<bool> g_few{false};

constinit thread_local uint32_t t_stopped_in = 0;

// For those who wait awake: others may have the processor now and then.
void pause_a_little() {
  for (int i = 0; i < 32; ++i) {
    arch::pause();
  }
  sched_yield();
}

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

std::atomic<uint32_t>& stopped_in(uint32_t tid) {
  return g_stopped_in.load(std::memory_order_acquire)[tid % kThreadNumbers];
}

void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG, value,
          nullptr, nullptr, 0);
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

void stop_here(uint32_t generation, const ucontext_t& context) {
  uint32_t index = g_taken.fetch_add(1, std::memory_order_relaxed);
  if (index >= kMostThreads) {
    fatal("more than ", kMostThreads, " threads: the collector cannot stop them");
  }
  t_stopped_in = generation;
  StoppedThread& slot = g_slots[index];
  slot = {};
  auto sp = static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
  slot.sp = sp - kRedZone;
  if (g_callbacks.stacks != nullptr) {
    g_callbacks.stacks(slot);
  }
  slot.context = reinterpret_cast<uintptr_t>(&context);
  slot.context_end = context_limit(context);
  slot.thread_pointer = static_cast<uintptr_t>(pthread_self());
  slot.tid = thread_id();
  // Release: pairs with the acquire in is_settled; whoever sees it sees the place taken too.
  stopped_in(slot.tid).store(generation, std::memory_order_release);
  // Sequentially consistent, as is what `wait_for` does: one of the two sees the other.
  g_acks.fetch_add(1, std::memory_order_seq_cst);
  if (g_acks_awaited.load(std::memory_order_seq_cst)) {
    futex(g_acks, FUTEX_WAKE, 1);
  }
  wait_until_resumed(generation);
}

void on_signal(int /*signal*/, siginfo_t* /*info*/, void* raw) {
  int saved = errno;
  uint32_t generation = g_generation.load(std::memory_order_acquire);
  if (generation % 2 != 0 && t_stopped_in != generation) {
    if (g_callbacks.may_stop()) {
      stop_here(generation, *static_cast<const ucontext_t*>(raw));
    } else {
      t_hold.wanted = true;
    }
  }
  errno = saved;
}

// By a signal, as any other stop: the handler has the registers saved.
void ask_oneself() {
  int saved = errno;
  syscall(SYS_tgkill, static_cast<int>(process_id()), thread_id(), kSignal);
  errno = saved;
}

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

// True for a thread that has stopped, and for one that is never asked to.
bool is_settled(uint32_t tid, uint32_t generation) {
  uint32_t seen = stopped_in(tid).load(std::memory_order_acquire);
  return seen == generation || seen == kNever;
}

[[noreturn]] void give_up(uint32_t tid) {
  FixedPrinter<64> path;
  path << "/proc/self/task/" << tid << "/comm" << '\0';
  std::array<char, 32> name{};
  size_t size = read_file(path.text().begin(), name.data(), name.size() - 1).value_or(1);
  fatal("thread ", tid, " (", std::string_view(name.data(), size - 1), ") blocks signal ", kSignal,
        " (SIGPWR), with which the collector stops threads: leave it unblocked there");
}

// Sends the signal to whoever has not stopped. Returns how many were listed who had not, those that
// are ending included: when a thread ends while the kernel lists it, the list ends there too, and
// leaves out threads that were started later.
uint32_t ask_all(uint32_t generation, int64_t waited_ns) {
  uint32_t self = thread_id();
  uint32_t pid = process_id();
  uint32_t listed = 0;
  for_each_task([&](uint32_t tid) {
    if (tid == self || is_settled(tid, generation)) {
      return;
    }
    TaskState state = task_state(tid, kSignal, waited_ns > kSuspectNs);
    if (state == TaskState::kEnded && tid == pid) {
      return;  // stays listed
    }
    if (state == TaskState::kDeaf && waited_ns > kDeafNs) {
      give_up(tid);
    }
    syscall(SYS_tgkill, pid, tid, kSignal);
    ++listed;
  });
  return listed;
}

// Threads that pass `stop_if_asked` stop sooner than a signal would get to them.
void await_volunteers(uint32_t expected) {
  int64_t until = monotonic_ns() + kVolunteersNs;
  while (g_acks.load(std::memory_order_acquire) < expected && monotonic_ns() < until) {
    arch::pause();
  }
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
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  // Faults inside the handler must show.
  for (int fault : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP}) {
    sigdelset(&action.sa_mask, fault);
  }
  // Release: pairs with the acquire in end_hold_slow.
  g_stop_if_wanted.store(ask_oneself, std::memory_order_release);
  return g_slots != nullptr && make_table() && sigaction(kSignal, &action, nullptr) == 0;
}

void stop_if_asked() {
  uint32_t generation = g_generation.load(std::memory_order_relaxed);
  if (BURROW_UNLIKELY(generation % 2 != 0) && t_stopped_in != generation &&
      stopped_in(thread_id()).load(std::memory_order_relaxed) != kNever) {
    ask_oneself();
  }
}

std::span<const StoppedThread> stop_threads() {
  uint32_t expected = g_taken.exchange(0, std::memory_order_relaxed);
  g_few.store(expected < static_cast<uint32_t>(processor_count()), std::memory_order_relaxed);
  g_acks.store(0, std::memory_order_relaxed);
  uint32_t generation = g_generation.fetch_add(1, std::memory_order_release) + 1;
  int64_t start = monotonic_ns();
  await_volunteers(expected);
  // Until a listing shows nobody who has not stopped: those who run may start others.
  for (;;) {
    uint32_t acks = g_acks.load(std::memory_order_acquire);
    uint32_t listed = ask_all(generation, monotonic_ns() - start);
    if (listed == 0) {
      // Who was seen as stopped has taken a place, but may not have filled it yet.
      uint32_t taken = g_taken.load(std::memory_order_relaxed);
      while (g_acks.load(std::memory_order_acquire) < taken) {
        sched_yield();
      }
      return {g_slots, taken};
    }
    if (!wait_for(acks + listed, monotonic_ns() + kAskAgainNs) &&
        monotonic_ns() - start > kSuspectNs) {
      sleep_ns(kAskAgainNs);  // whoever is late may need the processor
    }
  }
}

bool never_stop_this_thread(bool never) {
  if (!make_table()) {
    return false;
  }
  stopped_in(thread_id()).store(never ? kNever : 0, std::memory_order_release);
  return true;
}

void resume_threads() {
  g_generation.fetch_add(1, std::memory_order_seq_cst);
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
  g_sleepers.store(0, std::memory_order_relaxed);
  t_stopped_in = 0;
}

size_t thread_descriptor_bytes() {
  static const size_t bytes = [] {
    auto* size = static_cast<const uint32_t*>(dlsym(RTLD_DEFAULT, "_thread_db_sizeof_pthread"));
    constexpr size_t kOfGlibc236 = 0x900;
    return size != nullptr ? *size : kOfGlibc236;
  }();
  return bytes;
}

size_t static_tls_bytes() {
  using Function = void (*)(size_t*, size_t*);
  static const size_t bytes = [] {
    size_t size = 0;
    size_t alignment = 0;
    auto info = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, "_dl_get_tls_static_info"));
    if (info != nullptr) {
      info(&size, &alignment);
    }
    // It counts the descriptor too. Below the block there may be nothing.
    size_t descriptor = thread_descriptor_bytes();
    return size > descriptor ? size - descriptor : size_t{0};
  }();
  return bytes;
}

}  // namespace burrow::os
