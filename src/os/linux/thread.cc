// Threads on Linux. See os/thread.h.
#include "os/thread.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>

// Where the first thread's stack began. Missing in static programs.
// NOLINTNEXTLINE(bugprone-reserved-identifier): glibc's name
extern "C" __attribute__((weak)) void* __libc_stack_end;

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

void* run_background(void* raw) {
  reinterpret_cast<void (*)()>(raw)();
  return nullptr;
}

}  // namespace

bool at_thread_exit(void (*function)(void*), void* argument) {
  static constinit pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_key);
  t_handler = ExitHandler{function, argument, 0};
  return g_key_made && pthread_setspecific(g_key, &t_handler) == 0;
}

bool start_background_thread(const char* name, void (*function)()) {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0) {
    return false;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, size_t{256} * 1024);
  pthread_t thread{};
  int error =
      pthread_create(&thread, &attributes, run_background, reinterpret_cast<void*>(function));
  pthread_attr_destroy(&attributes);
  if (error == 0) {
    pthread_setname_np(thread, name);
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return error == 0;
}

uintptr_t stack_end(uintptr_t sp) {
  // More than this below the end: another stack, with holes in between.
  constexpr uintptr_t kFarthest = uintptr_t{256} * 1024 * 1024;
  // glibc keeps a thread's descriptor at the upper end of its stack, also of one that the program
  // brought. The first thread's is elsewhere.
  auto descriptor = static_cast<uintptr_t>(pthread_self());
  if (descriptor - sp < kFarthest) {
    return descriptor;
  }
  auto first = &__libc_stack_end != nullptr ? reinterpret_cast<uintptr_t>(__libc_stack_end) : 0;
  return first - sp < kFarthest ? first : 0;
}

void sleep_ms(int milliseconds) {
  timespec left{milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace burrow::os
