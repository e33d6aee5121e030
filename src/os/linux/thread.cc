// Threads on Linux. See os/thread.h.
#include "os/thread.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/units.h"
#include "os/fibers.h"
#include "os/linux/stop_state.h"
#include "os/mappings.h"
#include "os/os.h"
#include "os/signal_mask.h"
#include "os/stack_memory.h"
#include "os/stop.h"

namespace burrow::os {
namespace {

// POSIX promises four rounds of key destructors; the last one is ours. ThreadSanitizer takes its
// own state away in that round, so under it we go earlier.
#if defined(__SANITIZE_THREAD__)
constexpr int kRounds = 2;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr int kRounds = 2;
#else
constexpr int kRounds = 4;
#endif
#else
constexpr int kRounds = 4;
#endif

struct ExitHandler {
  void (*function)(void*) = nullptr;
  void* argument = nullptr;
  int round = 0;
};

thread_local ExitHandler t_handler;

// Made once. Relaxed double check around pthread_once is not needed: once is cheap enough here.
pthread_key_t g_key;
bool g_key_made = false;

void run_handler(void* raw) {
  auto* handler = static_cast<ExitHandler*>(raw);
  // Other keys' destructors may still allocate: ask to be called again until the last round.
  if (++handler->round < kRounds && pthread_setspecific(g_key, handler) == 0) {
    return;
  }
  handler->function(handler->argument);
}

void make_key() {
  g_key_made = pthread_key_create(&g_key, run_handler) == 0;
}

// Relaxed: a figure.
constinit std::atomic<size_t> g_own_threads{0};

// The signal mask of the first thread that started one in the background. Relaxed: whoever reads it
// is in the background, so was started after it was set.
constexpr uint64_t kUnknownMask = ~uint64_t{0};
constinit std::atomic<uint64_t> g_program_mask{kUnknownMask};
constinit thread_local bool t_in_background = false;

struct ThreadStart {
  void (*function)(void*);
  void* argument;
  const char* name;
  bool from_background;
};

void* run_thread(void* raw) {
  ThreadStart start = *static_cast<ThreadStart*>(raw);
  unmap_memory(raw, kOsPageSize);
  if (start.from_background) {
    change_signal_mask(MaskChange::kSet, {g_program_mask.load(std::memory_order_relaxed)});
  }
  name_thread(start.name);
  start.function(start.argument);
  g_own_threads.fetch_sub(1, std::memory_order_relaxed);
  return nullptr;
}

// With all signals blocked: it looks at nothing that the program made.
void* run_background(void* raw) {
  (void)never_stop_this_thread(true);  // there is a table, see create_with_mask
  t_in_background = true;
  learn_thread_stacks();
  // It may hold pointers of the collector's, which are no roots.
  StackBounds stack = thread_stack(static_cast<uintptr_t>(pthread_self()));
  if (stack.limit != 0) {
    note_own_memory(reinterpret_cast<void*>(stack.low), stack.limit - stack.low);
  }
  reinterpret_cast<void (*)()>(raw)();
  if (stack.limit != 0) {
    forget_own_memory(reinterpret_cast<void*>(stack.low));
  }
  (void)never_stop_this_thread(false);
  g_own_threads.fetch_sub(1, std::memory_order_relaxed);
  return nullptr;
}

void* run_mutator(void* raw) {
  reinterpret_cast<void (*)()>(raw)();
  g_own_threads.fetch_sub(1, std::memory_order_relaxed);
  return nullptr;
}

// The new thread inherits the caller's signal mask.
bool create(pthread_t& thread, int detached, size_t stack_bytes, void* (*entry)(void*),
            void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, detached);
  if (stack_bytes != 0) {
    pthread_attr_setstacksize(&attributes, stack_bytes);
  }
  g_own_threads.fetch_add(1, std::memory_order_relaxed);
  bool made = pthread_create(&thread, &attributes, entry, argument) == 0;
  pthread_attr_destroy(&attributes);
  if (!made) {
    g_own_threads.fetch_sub(1, std::memory_order_relaxed);
  }
  return made;
}

std::optional<uint64_t> create_with_mask(const char* name, void (*function)(), size_t stack_bytes,
                                         int detached, SignalMask mask,
                                         void* (*entry)(void*) = run_background) {
  if (entry == run_background && !make_table()) {
    return std::nullopt;  // the new thread could not say that it is in the background
  }
  SignalMask former = change_signal_mask(MaskChange::kSet, mask);
  if (uint64_t unknown = kUnknownMask; !t_in_background) {
    g_program_mask.compare_exchange_strong(unknown, former.bits, std::memory_order_relaxed);
  }
  pthread_t thread{};
  bool made = create(thread, detached, stack_bytes, entry, reinterpret_cast<void*>(function));
  if (made) {
    pthread_setname_np(thread, name);
  }
  change_signal_mask(MaskChange::kSet, former);
  return made ? std::optional<uint64_t>(thread) : std::nullopt;
}

}  // namespace

bool at_thread_exit(void (*function)(void*), void* argument) {
  static constinit pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_key);
  learn_thread_stacks();
  t_handler = ExitHandler{function, argument, 0};
  return g_key_made && pthread_setspecific(g_key, &t_handler) == 0;
}

bool start_background_thread(const char* name, void (*function)(), size_t stack_bytes) {
  return create_with_mask(name, function, stack_bytes, PTHREAD_CREATE_DETACHED, SignalMask::all())
      .has_value();
}

std::optional<uint64_t> start_joinable_thread(const char* name, void (*function)(),
                                              size_t stack_bytes) {
  return create_with_mask(name, function, stack_bytes, PTHREAD_CREATE_JOINABLE, SignalMask::all());
}

void join_thread(uint64_t thread) {
  pthread_join(static_cast<pthread_t>(thread), nullptr);
}

bool is_first_thread() {
  return ::syscall(SYS_gettid) == getpid();
}

size_t own_threads() {
  return g_own_threads.load(std::memory_order_relaxed);
}

size_t process_threads() {
  // "pid (name) state ...": the name may hold anything, so count from the last bracket.
  char buffer[512];
  std::optional<size_t> n = read_file("/proc/self/stat", buffer, sizeof buffer);
  std::string_view text(buffer, n.value_or(0));
  size_t at = text.rfind(')');
  for (int field = 2; field < 20 && at != std::string_view::npos; ++field) {
    at = text.find(' ', at + 1);
  }
  size_t count = 0;
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at + 1, text.data() + text.size(), count);
  }
  return count;
}

bool start_thread(const char* name, void (*function)(void*), void* argument) {
  auto* start = static_cast<ThreadStart*>(map_memory(kOsPageSize));
  if (start == nullptr) {
    return false;
  }
  *start = {function, argument, name, t_in_background};
  pthread_t thread{};
  if (!create(thread, PTHREAD_CREATE_DETACHED, kSanitized ? 4 * kMiB : 256 * kKiB, run_thread,
              start)) {
    unmap_memory(start, kOsPageSize);
    return false;
  }
  return true;
}

void name_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
}

BURROW_NOINLINE int* errno_address() {
  return &errno;
}

void yield_thread() {
  sched_yield();
}

bool prepare_thread_barrier() {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool thread_barrier() {
  return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool start_mutator_thread(const char* name, void (*function)()) {
  SignalMask mask = SignalMask::all().without(stop_signal());
  return create_with_mask(name, function, 0, PTHREAD_CREATE_DETACHED, mask, run_mutator)
      .has_value();
}

void sleep_ms(int milliseconds) {
  sleep_ns(int64_t{milliseconds} * 1'000'000);
}

void sleep_ns(int64_t nanoseconds) {
  timespec left{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  while (::syscall(SYS_nanosleep, &left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace burrow::os
