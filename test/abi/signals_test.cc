// Signal handlers that interrupt malloc and free, and allocate and free themselves.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "under_test.h"

namespace heap_abi {
namespace {

std::atomic<int> g_interrupts{0};
std::atomic<int> g_damaged{0};
// A block that the handler allocated and the next call frees; and the other way round.
std::atomic<void*> g_from_handler{nullptr};
std::atomic<void*> g_for_handler{nullptr};

// Pairs, blocks held over several calls, resized, and freed by somebody else.
void handler(int /*signal*/) {
  int saved = errno;
  int n = g_interrupts.fetch_add(1) + 1;
  auto seed = static_cast<unsigned>(n);
  void* blocks[4];
  size_t sizes[4] = {16, 200, seed * 37 % 3000 + 1, 64};
  for (int i = 0; i < 4; ++i) {
    blocks[i] = malloc(sizes[i]);
    if (blocks[i] != nullptr) {
      fill(blocks[i], sizes[i], seed + static_cast<unsigned>(i));
    }
  }
  if (void* p = realloc(blocks[0], 1000); p != nullptr) {
    if (!holds(p, 16, seed)) {
      g_damaged.fetch_add(1);
    }
    blocks[0] = p;
  }
  for (int i = 1; i < 4; ++i) {
    if (blocks[i] != nullptr && !holds(blocks[i], sizes[i], seed + static_cast<unsigned>(i))) {
      g_damaged.fetch_add(1);
    }
  }
  free(g_for_handler.exchange(nullptr));
  free(g_from_handler.exchange(blocks[3]));
  for (int i = 0; i < 3; ++i) {
    free(blocks[i]);
  }
  void* aligned = nullptr;
  if (posix_memalign(&aligned, 64, 100) == 0) {
    if (!is_aligned(aligned, 64)) {
      g_damaged.fetch_add(1);
    }
    free(aligned);
  }
  errno = saved;
}

// The program's side: sizes of all kinds, contents checked.
int work(size_t rounds) {
  std::vector<void*> blocks(64);
  std::vector<size_t> sizes(64);
  int damaged = 0;
  for (size_t i = 0; i < rounds; ++i) {
    size_t at = i * 17 % 64;
    if (blocks[at] != nullptr && !holds(blocks[at], sizes[at], static_cast<unsigned>(at))) {
      ++damaged;
    }
    size_t size = i % 101 == 0 ? 70000 : i * 29 % 2500 + 1;
    if (i % 5 == 0) {
      blocks[at] = realloc(blocks[at], size);
    } else {
      free(blocks[at]);
      blocks[at] = malloc(size);
    }
    sizes[at] = std::min<size_t>(size, 100);
    fill(blocks[at], sizes[at], static_cast<unsigned>(at));
    free(g_for_handler.exchange(malloc(40)));
    free(g_from_handler.exchange(nullptr));
    if (i % 1000 == 0) {
      (void)mallinfo2();
      std::thread([] { free(malloc(10)); }).join();
    }
  }
  for (void* p : blocks) {
    free(p);
  }
  return damaged;
}

TEST(Signals, HandlersMayUseTheHeapAtAnyMoment) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  itimerval fast{{0, 100}, {0, 100}};
  setitimer(ITIMER_REAL, &fast, nullptr);
  int damaged = 0;
  for (int round = 0; round < 1000 && g_interrupts.load() < 3000; ++round) {
    damaged += work(3000);
  }
  itimerval off{};
  setitimer(ITIMER_REAL, &off, nullptr);
  signal(SIGALRM, SIG_DFL);
  EXPECT_GE(g_interrupts.load(), 3000);
  EXPECT_EQ(damaged, 0);
  EXPECT_EQ(g_damaged.load(), 0);
  free(g_for_handler.exchange(nullptr));
  free(g_from_handler.exchange(nullptr));
}

}  // namespace
}  // namespace heap_abi
