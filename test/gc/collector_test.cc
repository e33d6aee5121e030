// What users rely on: what is reachable stays, what is not goes.
#include "gc/collector.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "burrow/gc.h"
#include "counted.h"
#include "gc/cleanup.h"
#include "gc/gc.h"
#include "gc/pacer.h"
#include "gc/roots.h"
#include "gc/tables.h"
#include "gc/trace.h"
#include "sched/scheduler.h"

namespace burrow {
namespace {

struct alignas(16) Wide {
  char bytes[48];
};

bool is_marked(const void* object) {
  return gc::last_mark(reinterpret_cast<Address>(object)).get();
}

TEST(Collector, MemoryIsZeroed) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20000; ++i) {
      Wide* wide = make<Wide>();
      for (char c : wide->bytes) {
        ASSERT_EQ(c, 0);
      }
      std::memset(wide->bytes, 0x5a, sizeof(wide->bytes));
      if (i % 1000 == 0) {
        char* large = make_array<char>(100000 + i);
        ASSERT_EQ(large[0], 0);
        ASSERT_EQ(large[99999], 0);
        std::memset(large, 0x5a, 100000);
      }
    }
    collect();
  }
}

TEST(Collector, ObjectsAreAligned) {
  EXPECT_EQ(reinterpret_cast<uintptr_t>(make<Wide>()) % 16, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(make<Node>()) % 16, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(make_array<Wide>(1000)) % 16, 0U);
}

Counted* volatile g_kept = nullptr;
thread_local Counted* volatile t_kept = nullptr;

TEST(Collector, EveryKindOfPlaceKeeps) {
  g_destroyed = 0;
  auto block = std::make_unique<Counted*>();
  std::vector<Counted*> vector;
  char** inside = static_cast<char**>(malloc(sizeof(char*)));
  on_own_thread([&] {
    g_kept = make<Counted>();
    *block = make<Counted>();
    vector.push_back(make<Counted>());
    *inside = reinterpret_cast<char*>(make<Counted>()) + 20;
  });
  t_kept = make<Counted>();
  collect_all();
  EXPECT_EQ(g_destroyed, 0);
  g_kept = nullptr;
  t_kept = nullptr;
  block.reset();
  vector.clear();
  vector.shrink_to_fit();
  *inside = nullptr;
  collect_all();
  EXPECT_EQ(g_destroyed, 5);
  free(inside);
}

uint64_t* volatile g_end = nullptr;

TEST(Collector, PointerBehindAnArrayKeepsIt) {
  static uintptr_t start = 0;
  on_own_thread([] {
    auto* array = make_array<uint64_t>(16);
    start = ~reinterpret_cast<uintptr_t>(array);
    g_end = array + 16;
  });
  collect_all();
  EXPECT_TRUE(is_marked(reinterpret_cast<void*>(~start)));
  g_end = nullptr;
  collect_all();
  EXPECT_FALSE(is_marked(reinterpret_cast<void*>(~start)));
}

TEST(Collector, StacksAreLookedAtBetweenWhenMuchIsMade) {
  constexpr uint64_t kNodes = 1'000'000;
  std::atomic<bool> made{false};
  std::thread maker([&] {
    Node* list = nullptr;  // reached from here only
    for (uint64_t i = 0; i < kNodes; ++i) {
      auto* node = make<Node>();
      node->next = list;
      node->value = i;
      list = node;
    }
    made = true;
    for (uint64_t i = kNodes; i-- > 0; list = list->next) {
      ASSERT_EQ(list->value, i);
    }
  });
  int64_t looks_ns = 0;
  while (!made) {
    collect();
    looks_ns += gc::g_collector.stats().times.looks_ns;
  }
  maker.join();
  EXPECT_GT(looks_ns, 0);
}

constinit std::array<uintptr_t, 4> g_some_variable{1};

TEST(Collector, VariablesAreRootsButNotTheRuntimesTables) {
  gc::RootJobs jobs;
  gc::add_globals(jobs);
  auto covered = [&](const void* start, size_t bytes) {
    auto from = reinterpret_cast<Address>(start);
    size_t sum = 0;
    jobs.for_each([&](const gc::RootJob& job) {
      Address low = std::max(from, job.start);
      Address high = std::min(from + bytes, job.end);
      sum += high > low ? high - low : 0;
    });
    return sum;
  };
  EXPECT_EQ(covered(&g_some_variable, sizeof(g_some_variable)), sizeof(g_some_variable));
  EXPECT_EQ(covered(&sched::g_sched, sizeof(sched::g_sched)), 0U);
  EXPECT_EQ(covered(&sched::g_stacks, sizeof(sched::g_stacks)), 0U);
}

TEST(Collector, NoscanObjectsKeepNothing) {
  g_destroyed = 0;
  static uint64_t* volatile numbers = nullptr;
  on_own_thread([] {
    numbers = make_array<uint64_t>(8);
    numbers[0] = reinterpret_cast<uint64_t>(make<Counted>());
  });
  collect_all();
  EXPECT_EQ(g_destroyed, 1);
  numbers = nullptr;
}

struct Precise {
  Ptr<Counted> pointer;
  uint64_t number;
};

TEST(Collector, ExactObjectsKeepOnlyByTheirPointers) {
  static_assert(internal::kPointerMap<Precise>.kind == internal::ObjectKind::kExact);
  g_destroyed = 0;
  static Precise* volatile precise = nullptr;
  on_own_thread([] {
    precise = make<Precise>();
    precise->pointer = make<Counted>();
    precise->number = reinterpret_cast<uint64_t>(make<Counted>());
  });
  collect_all();
  EXPECT_EQ(g_destroyed, 1);
  precise = nullptr;
  collect_all();
  EXPECT_EQ(g_destroyed, 2);
}

TEST(Collector, CyclesStartByThemselves) {
  uint32_t before = gc::g_collector.stats().cycles;
  for (int i = 0; i < 3'000'000; ++i) {
    make<Node>();
  }
  EXPECT_GT(gc::g_collector.stats().cycles, before);
  EXPECT_LT(gc::g_pacer.live(), uint64_t{64} << 20);
}

TEST(Collector, PercentIsSetAndReturned) {
  EXPECT_EQ(set_gc_percent(50), 100);
  EXPECT_EQ(set_gc_percent(-1), 50);
  EXPECT_EQ(set_gc_percent(100), -1);
}

TEST(Collector, ManyThreadsComeAndGo) {
  std::atomic<bool> done{false};
  std::thread collector([&] {
    while (!done) {
      collect();
    }
  });
  for (int wave = 0; wave < 1000; ++wave) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; ++i) {
      threads.emplace_back([] {
        Node* list = nullptr;
        for (uint64_t k = 0; k < 100; ++k) {
          Node* node = make<Node>();
          node->value = k;
          node->next = list;
          list = node;
        }
        for (uint64_t k = 100; k-- > 0; list = list->next) {
          ASSERT_EQ(list->value, k);
        }
      });
    }
    for (std::thread& t : threads) {
      t.join();
    }
  }
  done = true;
  collector.join();
}

TEST(Collector, ForkedChildAllocatesAndCollects) {
  std::atomic<bool> done{false};
  std::thread collector([&] {
    while (!done) {
      collect();
    }
  });
  Node* kept = make<Node>();
  kept->value = 7;
  for (int i = 0; i < 10; ++i) {
    pid_t pid = fork();
    if (pid == 0) {
      for (int k = 0; k < 100000; ++k) {
        make<Node>();
      }
      collect();
      _exit(kept->value == 7 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  done = true;
  collector.join();
}

TEST(Collector, TimerSignalsDoNotDisturb) {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  struct sigaction former{};
  sigaction(SIGALRM, &action, &former);
  itimerval timer{{0, 200}, {0, 200}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  Node* list = nullptr;
  for (uint64_t i = 0; i < 2'000'000; ++i) {
    Node* node = make<Node>();
    node->value = i;
    node->next = i % 1000 == 0 ? nullptr : list;
    ASSERT_TRUE(node->next == nullptr || node->next->value == i - 1);
    list = node;
  }
  timer = {};
  setitimer(ITIMER_REAL, &timer, nullptr);
  sigaction(SIGALRM, &former, nullptr);
}

// What malloc gave keeps what its words point to, unless the program says that they do not.
TEST(Collector, BlocksDeclaredPointerFreeKeepNothing) {
  constexpr size_t kMany = 500;
  for (bool declared : {false, true}) {
    auto* words = static_cast<Node**>(calloc(kMany * 16, sizeof(Node*)));
    std::vector<Weak<Node>> weak;
    on_own_thread([&] {
      for (size_t i = 0; i < kMany; ++i) {
        words[i * 16] = make<Node>();
        weak.emplace_back(words[i * 16]);
      }
    });
    if (declared) {
      EXPECT_TRUE(declare_pointer_free(words));
      EXPECT_FALSE(declare_pointer_free(words + 1));
    }
    collect_all();
    size_t kept = 0;
    for (Weak<Node>& w : weak) {
      kept += w.get() != nullptr ? 1 : 0;
    }
    if (declared) {
      EXPECT_LT(kept, kMany / 10);
    } else {
      EXPECT_EQ(kept, kMany);
    }
    free(words);
  }
  std::unique_ptr<char, void (*)(void*)> small(static_cast<char*>(malloc(100)), std::free);
  EXPECT_FALSE(declare_pointer_free(small.get()));
  EXPECT_FALSE(declare_pointer_free(nullptr));
}

TEST(CollectorDeathTest, OutOfMemoryEndsTheProgramWithTwo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        rlimit space{};
        getrlimit(RLIMIT_AS, &space);
        space.rlim_cur = size_t{512} << 20;
        setrlimit(RLIMIT_AS, &space);
        std::vector<char*> kept;
        for (;;) {
          kept.push_back(make_array<char>(1 << 20));
        }
      },
      testing::ExitedWithCode(2), "fatal error: out of memory");
}

TEST(CollectorDeathTest, FreeOfACollectedObjectIsReported) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(free(make<Node>()),
               "free, delete or realloc of what burrow::make made, which the collector frees: "
               "leave this call out");
}

TEST(Trace, PrintsGosLine) {
  constexpr int64_t kUs = 1000;
  gc::CycleStats stats;
  stats.cycles = 7;
  int64_t start = gc::start_time_ns() + 12'345'678 * kUs;
  stats.times = {.start_ns = start,
                 .marking_ns = start + 123 * kUs,
                 .ending_ns = start + 123 * kUs + 20'987 * kUs,
                 .end_ns = start + 123 * kUs + 20'987 * kUs + 9 * kUs,
                 .assist_ns = 999,
                 .marking_cpu_ns = 30'000 * kUs};
  stats.figures = {.live_at_start = 5 * kMiB - 1,
                   .live_at_end = 6 * kMiB,
                   .marked_bytes = 3 * kMiB,
                   .goal = 8 * kMiB,
                   .stack_bytes = kMiB,
                   .global_bytes = 2 * kMiB};
  FixedPrinter<512> out;
  gc::print_cycle(out, stats, false, 4);
  EXPECT_EQ(out.text(),
            "gc 7 @12.345s 0%: 0.12+20+0.009 ms clock, 0.49+0/20/9.0+0.036 ms cpu, 4->6->3 MB, "
            "8 MB goal, 1 MB stacks, 2 MB globals, 4 P\n");
  out.clear();
  stats.times.ending_ns = stats.times.marking_ns + 9'999 * kUs;
  stats.times.end_ns = stats.times.ending_ns + 1'234 * kUs;
  gc::print_cycle(out, stats, true, 1);
  EXPECT_NE(out.text().find(": 0.12+9.9+1.2 ms clock, 0.12+0/2.4/27+1.2 ms cpu,"),
            std::string_view::npos)
      << out.text();
  EXPECT_TRUE(out.text().ends_with(" 1 P (forced)\n"));
}

}  // namespace
}  // namespace burrow
