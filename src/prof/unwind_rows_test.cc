// Walks by rows over frames of many shapes. unwindcheck is on: each is compared with libgcc's walk,
// and the program ends at the first difference.
#include <gtest/gtest.h>
#include <signal.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "prof/row_memo.h"
#include "prof/test_frames.h"
#include "prof/unwind.h"

namespace burrow::prof {
namespace {

struct Capture {
  std::array<uintptr_t, kMaxDepth> pcs{};
  size_t depth = 0;
  WalkCounts walks;  // how it was made

  // Frames in the first `bytes` of a function.
  template <typename F>
  [[nodiscard]] size_t frames_in(F* function, size_t bytes = 512) const {
    auto start = reinterpret_cast<uintptr_t>(function);
    return static_cast<size_t>(std::count_if(pcs.begin(),
                                             pcs.begin() + static_cast<ptrdiff_t>(depth),
                                             [&](uintptr_t pc) { return pc - start < bytes; }));
  }
};

__attribute__((noinline)) void capture(void* raw) {
  auto& c = *static_cast<Capture*>(raw);
  WalkCounts before = walk_counts();
  c.depth = capture_stack(c.pcs);
  WalkCounts after = walk_counts();
  c.walks = {after.by_rows - before.by_rows, after.again - before.again,
             after.by_libgcc - before.by_libgcc};
}

class UnwindRows : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("BURROW_DEBUG", "unwindcheck=1", 1);
    prime_unwinder();
  }

  // Calls `shape` when no row is known and again when all are.
  template <typename Shape>
  Capture cold_and_warm(Shape shape) {
    UnwindTestPeer::memo().clear();
    std::array<Capture, 2> c;
    for (Capture& each : c) {
      shape(&each);
      EXPECT_GT(each.depth, 5u);
    }
    EXPECT_EQ(c[0].depth, c[1].depth);
    EXPECT_EQ(c[0].walks.by_rows, c[1].walks.by_rows);
    return c[1];
  }
};

TEST_F(UnwindRows, CompiledShapes) {
#define EXPECT_SHAPE(function, ...)                                         \
  do {                                                                      \
    Capture c = cold_and_warm([&](Capture* to) { function(__VA_ARGS__); }); \
    EXPECT_EQ(c.walks.by_rows, 1u) << #function;                            \
    EXPECT_EQ(c.walks.by_libgcc, 0u) << #function;                          \
    EXPECT_EQ(c.frames_in(function), 1u) << #function;                      \
  } while (false)
  EXPECT_SHAPE(plain_with_fp, capture, to);
  EXPECT_SHAPE(plain_without_fp, capture, to);
  EXPECT_SHAPE(large_frame_with_fp, capture, to);
  EXPECT_SHAPE(large_frame_without_fp, capture, to);
  for (size_t bytes : {1, 8, 1000, 300'000}) {
    EXPECT_SHAPE(variable_frame_with_fp, capture, to, bytes);
    EXPECT_SHAPE(variable_frame_without_fp, capture, to, bytes);
  }
  EXPECT_SHAPE(aligned_like_gcc, capture, to);
  EXPECT_SHAPE(rbp_is_data, capture, to);
#undef EXPECT_SHAPE
}

TEST_F(UnwindRows, FrameThatNeedsLibgccStillHasItsWholeStack) {
  Capture with = cold_and_warm([](Capture* to) { cfa_in_rbx(capture, to); });
  EXPECT_EQ(with.walks.by_rows, 0u);
  EXPECT_EQ(with.walks.by_libgcc, 1u);
  EXPECT_EQ(with.frames_in(cfa_in_rbx), 1u);
  Capture without = cold_and_warm([](Capture* to) { rbp_is_data(capture, to); });
  EXPECT_EQ(with.depth, without.depth);
}

TEST_F(UnwindRows, Recursion) {
  Capture c = cold_and_warm([](Capture* to) { recurse_without_fp(capture, to, 60); });
  EXPECT_EQ(c.frames_in(recurse_without_fp), 61u);
  EXPECT_EQ(c.walks.by_rows, 1u);
  c = cold_and_warm([](Capture* to) { recurse_with_fp(capture, to, 60); });
  EXPECT_EQ(c.frames_in(recurse_with_fp), 61u);
  EXPECT_EQ(c.walks.by_rows, 1u);
}

TEST_F(UnwindRows, DeepStacksAreCut) {
  Capture c = cold_and_warm([](Capture* to) { recurse_without_fp(capture, to, 1000); });
  EXPECT_EQ(c.depth, kMaxDepth);
  EXPECT_EQ(c.walks.by_rows, 1u);
}

TEST_F(UnwindRows, ShortBufferIsFilledAndNoMore) {
  std::array<uintptr_t, 4> pcs{1, 1, 1, 1};
  EXPECT_EQ(capture_stack(std::span(pcs).first(3)), 3u);
  EXPECT_EQ(pcs[3], 1u);
}

TEST_F(UnwindRows, CallsThatDoNotReturn) {
  auto capture_and_throw = [](void* to) {
    capture(to);
    throw std::runtime_error("out");
  };
  Capture c = cold_and_warm([&](Capture* to) {
    EXPECT_THROW(never_returns_without_fp(capture_and_throw, to), std::runtime_error);
  });
  EXPECT_EQ(c.frames_in(never_returns_without_fp, 64), 1u);
  EXPECT_EQ(c.walks.by_rows, 1u);
  c = cold_and_warm([&](Capture* to) {
    EXPECT_THROW(never_returns_with_fp(capture_and_throw, to), std::runtime_error);
  });
  EXPECT_EQ(c.frames_in(never_returns_with_fp, 64), 1u);
  EXPECT_EQ(c.walks.by_rows, 1u);
}

struct CaptureAtEnd {
  Capture* to;

  ~CaptureAtEnd() { capture(to); }
};

TEST_F(UnwindRows, InsideExceptions) {
  auto throws = [](void* /*unused*/) { throw std::runtime_error("out"); };
  Capture in_cleanup = cold_and_warm([&](Capture* to) {
    try {
      CaptureAtEnd at_end{to};
      plain_without_fp(throws, nullptr);
    } catch (const std::runtime_error&) {
    }
  });
  EXPECT_EQ(in_cleanup.walks.by_rows, 1u);
  Capture in_handler = cold_and_warm([&](Capture* to) {
    try {
      plain_without_fp(throws, nullptr);
    } catch (const std::runtime_error&) {
      capture(to);
    }
  });
  EXPECT_EQ(in_handler.walks.by_rows, 1u);
}

// Keeps a loop from being unrolled into several places that call.
size_t unknown(size_t n) {
  volatile size_t hidden = n;
  return hidden;
}

TEST_F(UnwindRows, SameWalkAgainIsComparedOnly) {
  std::array<Capture, 4> c;
  for (size_t i = 0; i < unknown(c.size()); ++i) {
    plain_without_fp(capture, &c[i]);
  }
  for (size_t i = 1; i < c.size(); ++i) {
    EXPECT_EQ(c[i].walks.by_rows, 1u);
    EXPECT_EQ(c[i].walks.again, 1u);
    EXPECT_EQ(c[i].pcs, c[0].pcs);
  }
}

TEST_F(UnwindRows, RowsThatWereForgottenEndTheLastWalk) {
  std::array<Capture, 3> c;
  for (Capture& each : c) {
    UnwindTestPeer::memo().clear();
    plain_without_fp(capture, &each);
    EXPECT_EQ(each.walks.again, 0u);
  }
  EXPECT_EQ(c[1].pcs, c[2].pcs);
}

// Two callers with equal frames, so that the frames inside them are in the same places.
__attribute__((noinline)) int left(Callback f, void* argument) {
  return plain_without_fp(f, argument) + 1;
}

__attribute__((noinline)) int right(Callback f, void* argument) {
  return plain_without_fp(f, argument) + 2;
}

TEST_F(UnwindRows, AnotherCallerInTheSamePlaceIsSeen) {
  constexpr std::array kCallers{left, right};
  std::array<Capture, 40> c;
  for (size_t i = 0; i < unknown(c.size()); ++i) {
    // left, left, right, right, ...
    kCallers[i / 2 % 2](capture, &c[i]);
  }
  EXPECT_EQ(c[0].depth, c[2].depth);
  EXPECT_NE(c[0].pcs, c[2].pcs);
  for (size_t i = 0; i < c.size(); ++i) {
    EXPECT_EQ(c[i].pcs, c[i % 4 / 2 * 2].pcs) << i;
    EXPECT_EQ(c[i].walks.by_rows, 1u) << i;
    if (i % 2 == 1) {
      EXPECT_EQ(c[i].walks.again, 1u) << i;
    }
  }
}

Capture* g_target = nullptr;

TEST_F(UnwindRows, ThroughTheCLibraryAndItsLazyStubs) {
  Capture c = cold_and_warm([](Capture* to) {
    g_target = to;
    std::array<int, 2> numbers{2, 1};
    std::qsort(numbers.data(), numbers.size(), sizeof(int), [](const void* a, const void* b) {
      capture(g_target);
      return *static_cast<const int*>(a) - *static_cast<const int*>(b);
    });
  });
  EXPECT_EQ(c.walks.by_rows, 1u);
}

TEST_F(UnwindRows, OtherThreadsEndAtTheirStart) {
  auto in_thread = [](Capture* to) { std::thread([to] { plain_without_fp(capture, to); }).join(); };
  Capture c;
  in_thread(&c);
  EXPECT_EQ(c.walks.by_rows, 1u);
  EXPECT_EQ(c.frames_in(plain_without_fp), 1u);
  EXPECT_GE(c.depth, 4u);
}

TEST_F(UnwindRows, ManyThreadsFillTheMemoTogether) {
  for (int round = 0; round < 20; ++round) {
    UnwindTestPeer::memo().clear();
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&wrong] {
        auto c = std::make_unique<Capture>();
        for (int depth = 0; depth < 30; ++depth) {
          recurse_with_fp(capture, c.get(), depth);
          wrong += c->frames_in(recurse_with_fp) == static_cast<size_t>(depth) + 1 ? 0 : 1;
          recurse_without_fp(capture, c.get(), depth);
          wrong += c->frames_in(recurse_without_fp) == static_cast<size_t>(depth) + 1 ? 0 : 1;
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(wrong, 0);
  }
}

__attribute__((noinline)) void raise_here(void* /*unused*/) {
  raise(SIGUSR1);
}

void install(int flags) {
  struct sigaction action{};
  action.sa_handler = [](int) { capture(g_target); };
  action.sa_flags = flags;
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
}

TEST_F(UnwindRows, SignalHandlersSeeWhatTheyInterrupted) {
  install(0);
  Capture c;
  g_target = &c;
  plain_without_fp(raise_here, nullptr);
  EXPECT_EQ(c.frames_in(plain_without_fp), 1u);
  EXPECT_EQ(c.walks.by_libgcc, 1u);
}

TEST_F(UnwindRows, SignalHandlersOnTheirOwnStack) {
  std::vector<char> memory(size_t{256} * 1024);
  stack_t stack{memory.data(), 0, memory.size()};
  ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
  install(SA_ONSTACK);
  Capture c;
  g_target = &c;
  plain_without_fp(raise_here, nullptr);
  EXPECT_EQ(c.frames_in(plain_without_fp), 1u);
  stack.ss_flags = SS_DISABLE;
  ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
}

ucontext_t g_outside;
ucontext_t g_inside;

TEST_F(UnwindRows, StacksThatTheProgramMade) {
  std::vector<char> memory(size_t{256} * 1024);
  Capture c;
  g_target = &c;
  ASSERT_EQ(getcontext(&g_inside), 0);
  g_inside.uc_stack.ss_sp = memory.data();
  g_inside.uc_stack.ss_size = memory.size();
  g_inside.uc_link = &g_outside;
  makecontext(&g_inside, [] { plain_without_fp(capture, g_target); }, 0);
  ASSERT_EQ(swapcontext(&g_outside, &g_inside), 0);
  EXPECT_EQ(c.frames_in(plain_without_fp), 1u);
  EXPECT_LT(c.depth, 8u);
}

TEST_F(UnwindRows, WrongRowIsFoundByUnwindcheck) {
  GTEST_FLAG_SET(death_test_style, "fast");
  Capture c = cold_and_warm([](Capture* to) { plain_without_fp(capture, to); });
  auto start = reinterpret_cast<uintptr_t>(&plain_without_fp);
  auto frame =
      std::find_if(c.pcs.begin(), c.pcs.end(), [&](uintptr_t pc) { return pc - start < 512; });
  ASSERT_NE(frame, c.pcs.end());
  uintptr_t return_address = *frame + 1;
  EXPECT_DEATH(
      {
        UnwindTestPeer::memo().add(return_address, pack(kOutermost));
        reset_walks_after_fork();
        plain_without_fp(capture, &c);
      },
      "fatal: unwindcheck: frame ");
}

}  // namespace
}  // namespace burrow::prof
