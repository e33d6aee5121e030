// malloc and free are no cancellation points, and small stacks are enough for them. Each case is a
// process of its own.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "under_test.h"

namespace heap_abi {
namespace {

constexpr size_t kMiB = 1 << 20;

// Takes the heap past the size from which on it asks for the container's limit, and through all
// kinds of blocks. False when a block is missing.
bool work() {
  std::vector<void*> blocks(400);
  for (size_t i = 0; i < blocks.size(); ++i) {
    blocks[i] = opaque(malloc(i % 10 == 0 ? kMiB : i * 37 % 40000));
    if (blocks[i] == nullptr) {
      return false;
    }
    memset(blocks[i], 1, 8);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    blocks[i] = realloc(blocks[i], i * 91 % 70000 + 1);
  }
  for (void* p : blocks) {
    free(p);
  }
  return malloc_usable_size(opaque(malloc(100))) >= 100;
}

// Whether the thread came through its work before it was cancelled.
std::atomic<int> g_worked{0};

void* work_with_a_cancel_pending(void* argument) {
  auto* cancelled = static_cast<std::atomic<bool>*>(argument);
  while (!cancelled->load()) {
  }
  g_worked.store(work() ? 1 : 2);
  pthread_testcancel();
  return nullptr;
}

void cancel_before_work() {
  std::atomic<bool> cancelled{false};
  pthread_t thread;
  void* result = nullptr;
  if (pthread_create(&thread, nullptr, work_with_a_cancel_pending, &cancelled) != 0 ||
      pthread_cancel(thread) != 0) {
    _exit(90);
  }
  cancelled.store(true);
  pthread_join(thread, &result);
  // The heap must not be locked now.
  alarm(60);
  _exit(g_worked.load() == 1 && result == PTHREAD_CANCELED && work() ? 0 : 1);
}

TEST(Cancellation, OfAThreadInsideMallocWaitsForThePoint) {
  EXPECT_EXIT(cancel_before_work(), testing::ExitedWithCode(0), "");
}

void* work_for_good(void* /*argument*/) {
  g_worked.store(work() ? 1 : 2);
  return nullptr;
}

// The thread is the first to take the heap this far.
void work_on_a_small_stack() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  auto least = static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN));
  pthread_t thread;
  if (pthread_attr_setstacksize(&attributes, least) != 0 ||
      pthread_create(&thread, &attributes, work_for_good, nullptr) != 0) {
    _exit(90);
  }
  pthread_join(thread, nullptr);
  _exit(g_worked.load() == 1 ? 0 : 1);
}

TEST(SmallStack, TheSmallestIsEnough) {
  EXPECT_EXIT(work_on_a_small_stack(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace heap_abi
