// A program that falls idle, for idle_test.py. argv[1] says what it does first; then it writes
// "ready" and waits for a line on standard input, and so on.
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "under_test.h"

namespace {

using heap_abi::opaque;

constexpr size_t kBlocks = 80;
constexpr size_t kBlockBytes = 1 << 20;

// Touches 80 MiB in large blocks and 20 MiB in small ones, and frees all of it.
void use_much() {
  std::vector<void*> blocks;
  for (size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(malloc(kBlockBytes));
    memset(opaque(blocks.back()), 1, kBlockBytes);
  }
  for (size_t i = 0; i < 20'000; ++i) {
    blocks.push_back(malloc(1000));
    memset(opaque(blocks.back()), 1, 1000);
  }
  for (void* p : blocks) {
    free(p);
  }
}

long page_faults() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// Takes, touches and frees `count` blocks of `bytes` again and again; says how many page faults
// that took once it had gone on for a while, in all rounds together.
void churn(size_t count, size_t bytes) {
  constexpr int kRounds = 40;
  std::vector<void*> blocks(count);
  long before = 0;
  for (int round = 0; round < 2 * kRounds; ++round) {
    if (round == kRounds) {
      before = page_faults();
    }
    for (void*& p : blocks) {
      p = malloc(bytes);
      for (size_t at = 0; at < bytes; at += 4096) {
        opaque(static_cast<char*>(p))[at] = 1;
      }
    }
    for (void* p : blocks) {
      free(p);
    }
  }
  printf("%zu of %zu bytes: %ld\n", count, bytes, page_faults() - before);
}

void say_and_wait(const char* word) {
  char c = 0;
  printf("%s %d\n", word, getpid());
  fflush(stdout);
  while (read(0, &c, 1) == 1 && c != '\n') {
  }
}

void in_a_thread(void (*body)()) {
  std::thread(body).join();
}

// Signals interrupt whoever frees while the scavenger works.
std::atomic<long> g_signals{0};

void on_signal(int) {
  g_signals.fetch_add(1);
  free(malloc(opaque(size_t{100})));
}

void use_much_among_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  itimerval often = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, nullptr);
  in_a_thread([] {});
  while (g_signals.load() < 500) {
    use_much();
  }
  itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
}

int fork_and_wait() {
  in_a_thread(use_much);
  pid_t child = fork();
  if (child == 0) {
    say_and_wait("child");
    in_a_thread(use_much);
    say_and_wait("used");
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void leave_first_thread() {
  atexit([] {
    // More than a thread of the heap's own has.
    char large[200'000];
    memset(opaque(&large[0]), 1, sizeof large);
    printf("handlers ran\n");
  });
  in_a_thread(use_much);
  pthread_exit(nullptr);
}

}  // namespace

int main(int count, char** arguments) {
  std::string_view what = count > 1 ? arguments[1] : "";
  if (what == "thread") {
    in_a_thread(use_much);
  } else if (what == "alone") {
    use_much();
  } else if (what == "churn") {
    churn(1, 1 << 20);
    churn(1, 32 << 20);
    churn(160, 200'000);
    churn(30'000, 1000);
  } else if (what == "signals") {
    use_much_among_signals();
  } else if (what == "fork") {
    return fork_and_wait();
  } else if (what == "exec") {
    in_a_thread(use_much);
    execl("/proc/self/exe", arguments[0], "thread", nullptr);
  } else if (what == "leave") {
    leave_first_thread();
  }
  say_and_wait("ready");
  return 0;
}
