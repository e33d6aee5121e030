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
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>

#include "arch/arch.h"
#include "base/annotations.h"
#include "base/check.h"
#include "base/errno_scope.h"
#include "base/futex.h"
#include "base/hold.h"
#include "os/os.h"
#include "os/signal_mask.h"
#include "os/task_list.h"
#include "os/thread.h"
#include "os/tracer.h"

namespace burrow::os {
namespace {

// As other collectors do: SIGPWR is otherwise unused.
constexpr int kSignal = SIGPWR;
constexpr size_t kMostThreads = 65536;
constexpr int64_t kAskAgainNs = 50'000;
constexpr int64_t kVolunteersNs = 10'000;
// How long who waits stays awake: to be woken takes longer than most stops do, but only where each
// has a processor does nobody else need it meanwhile.
constexpr int64_t kAwakeNs = 20'000;
constexpr int64_t kAwakeAmongFewNs = 60'000;
// From then on threads that have not stopped are looked up.
constexpr int64_t kSuspectNs = 2'000'000;
// So long all others wait for a thread that the kernel or a debugger has, and for one that does not
// get to run. The former doubles with each stop in a row that fails, a few times.
constexpr int64_t kHeldNs = 10'000'000;
constexpr uint32_t kMostDoublings = 4;
constexpr int64_t kSlowNs = 1'000'000'000;
constexpr uintptr_t kRedZone = 128;
// The kernel's PID_MAX_LIMIT.
constexpr uint32_t kThreadNumbers = 1 << 22;
constexpr uint32_t kNever = UINT32_MAX;
constexpr uint32_t kStopping = UINT32_MAX - 1;

constinit StopCallbacks g_callbacks;
constinit StoppedThread* g_slots = nullptr;
// By thread number: 0, but while its handler is at work kStopping or the generation in which it has
// stopped, as for one that is traced; kNever for those that are not asked. Made by whoever comes first; release, and acquire
// when read.
constinit std::atomic<std::atomic<uint32_t>*> g_stopped_in{nullptr};
// Odd while a stop is on. Release on change, acquire in handlers: what the stop's owner wrote.
constinit std::atomic<uint32_t> g_generation{0};
// Places that were taken, and above them the generation in which more may be: a handler that is late
// takes none of the next stop's. Acquire and release: a handler that gets one sees what the owner
// wrote before it opened the stop.
constinit std::atomic<uint64_t> g_places{0};
// Places that are filled. Release in a handler after its slot is filled; acquire in `wait_for`.
constinit std::atomic<uint32_t> g_acks{0};
// The first place of the stop that is on: those before it are of failed ones. The owner's.
constinit uint32_t g_first_place = 0;
// How many the last stop stopped. The owner's.
constinit uint32_t g_expected = 0;
// The stop's owner sleeps on g_acks, or is about to.
constinit std::atomic<bool> g_acks_awaited{false};

// Threads that sleep until they are resumed, or are about to. Sequentially consistent, as is the
// change of g_generation: who resumes sees the sleeper, or the sleeper the change.
constinit std::atomic<uint32_t> g_sleepers{0};
// There is a processor for each thread that is likely to be stopped. Written by the stop's owner
// before g_generation.
constinit std::atomic<bool> g_few{false};

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

// True for a thread that has stopped, and for one that is never asked to.
bool is_settled(uint32_t tid, uint32_t generation) {
  uint32_t seen = stopped_in(tid).load(std::memory_order_acquire);
  return seen == generation || seen == kNever;
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

uint64_t places_of(uint32_t generation, uint32_t taken) {
  return uint64_t{generation} << 32 | taken;
}

// A place in the stop; none when it is over.
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

// With `tid`, `thread_pointer` and the registers set. REQUIRES: the thread is stopped.
void fill_place(StoppedThread& slot, uintptr_t sp) {
  slot.sp = sp - kRedZone;
  if (g_callbacks.stacks != nullptr && slot.thread_pointer != 0) {
    g_callbacks.stacks(slot);
  }
}

// What pairs with is_settled and wait_for: whoever sees the thread as stopped sees its place too.
void announce(uint32_t tid, uint32_t generation) {
  stopped_in(tid).store(generation, std::memory_order_release);
  // Sequentially consistent, as is what `wait_for` does: one of the two sees the other.
  g_acks.fetch_add(1, std::memory_order_seq_cst);
}

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
  fill_place(*slot, static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RSP]));
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
  TraceResult result =
      g_stop_faults.no_trace ? TraceResult::kRefused : g_tracer.stop(tid, traced);
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

uintptr_t thread_pointer() {
  return static_cast<uintptr_t>(pthread_self());
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
