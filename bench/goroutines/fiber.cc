// The workloads on Boost.Fiber, as far as it has them: one thread, or two that share work. See
// workloads.h. FIBER_THREADS sets the number of threads.
#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/fiber/all.hpp>
#include <boost/version.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "workloads.h"

namespace {

namespace fibers = boost::fibers;
using bench::Clock;
using bench::expect;
using bench::report;

// Stacks from a pool: its fastest way to make fibers.
fibers::pooled_fixedsize_stack g_stacks(16 * 1024);

template <class F>
fibers::fiber start(F f) {
  return fibers::fiber(std::allocator_arg, fibers::pooled_fixedsize_stack(g_stacks), std::move(f));
}

void yield(long count) {
  Clock clock;
  std::vector<fibers::fiber> both;
  for (int i = 0; i < 2; ++i) {
    both.push_back(start([count] {
      for (long j = 0; j < count / 2; ++j) {
        boost::this_fiber::yield();
      }
    }));
  }
  for (fibers::fiber& one : both) {
    one.join();
  }
  report("ns", clock.ns() / static_cast<double>(count));
}

void pingpong(long count) {
  fibers::unbuffered_channel<long> there;
  fibers::unbuffered_channel<long> back;
  fibers::fiber other = start([&] {
    for (long n : there) {
      back.push(n);
    }
  });
  Clock clock;
  for (long i = 0; i < count / 2; ++i) {
    there.push(i);
    (void)back.value_pop();
  }
  report("ns", clock.ns() / static_cast<double>(count));
  there.close();
  other.join();
}

template <class Channel>
void one_way(Channel& items, long count) {
  Clock clock;
  fibers::fiber producer = start([&] {
    for (long i = 0; i < count; ++i) {
      items.push(i);
    }
    items.close();
  });
  long sum = 0;
  for (long n : items) {
    sum += n;
  }
  producer.join();
  expect(sum == bench::sum_below(count), "items were lost");
  report("ns", clock.ns() / static_cast<double>(count));
}

void unbuffered(long count) {
  fibers::unbuffered_channel<long> items;
  one_way(items, count);
}

void buffered(long count) {
  fibers::buffered_channel<long> items(128);
  one_way(items, count);
}

void spawn(long count) {
  constexpr long kBatch = 100;
  Clock clock;
  for (long i = 0; i < count / kBatch; ++i) {
    std::vector<fibers::fiber> batch;
    batch.reserve(kBatch);
    for (long j = 0; j < kBatch; ++j) {
      batch.push_back(start([] {}));
    }
    for (fibers::fiber& one : batch) {
      one.join();
    }
  }
  report("ns", clock.ns() / static_cast<double>(count / kBatch * kBatch));
}

void node(fibers::buffered_channel<long>& result, long number, long size) {
  if (size == 1) {
    result.push(number);
    return;
  }
  fibers::buffered_channel<long> children(16);
  for (long i = 0; i < 10; ++i) {
    start([&children, number, size, i] {
      node(children, number + i * (size / 10), size / 10);
    }).detach();
  }
  long sum = 0;
  for (int i = 0; i < 10; ++i) {
    sum += children.value_pop();
  }
  result.push(sum);
}

void skynet(long count) {
  fibers::buffered_channel<long> result(2);
  Clock clock;
  start([&] { node(result, 0, count); }).detach();
  expect(result.value_pop() == bench::sum_below(count), "the sum is wrong");
  report("s", clock.seconds());
}

void recursion(long count) {
  double ns = 0;
  // No growth here: the size must be known beforehand.
  fibers::fiber deep(std::allocator_arg,
                     fibers::fixedsize_stack(static_cast<size_t>(count) * 64 + (size_t{1} << 20)),
                     [&] {
                       Clock clock;
                       expect(bench::recurse(count) == count, "the depth is wrong");
                       ns = clock.ns();
                     });
  deep.join();
  report("ms", ns / 1e6);
}

void mutex(long count) {
  fibers::mutex mutex;
  Clock clock;
  for (long i = 0; i < count; ++i) {
    mutex.lock();
    mutex.unlock();
  }
  report("ns", clock.ns() / static_cast<double>(count));
}

constexpr bench::Workload kWorkloads[] = {
    {"yield", yield}, {"pingpong", pingpong}, {"unbuffered", unbuffered}, {"buffered", buffered},
    {"spawn", spawn}, {"skynet", skynet},     {"recursion", recursion},   {"mutex", mutex},
};

/// Runs `body` on the calling thread while others take fibers from it.
template <class F>
void with_threads(unsigned threads, F body) {
  if (threads <= 1) {
    body();
    return;
  }
  fibers::mutex mutex;
  fibers::condition_variable done_changed;
  bool done = false;
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) {
    others.emplace_back([&] {
      fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(threads);
      std::unique_lock<fibers::mutex> lock(mutex);
      done_changed.wait(lock, [&] { return done; });
    });
  }
  fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(threads);
  body();
  {
    std::unique_lock<fibers::mutex> lock(mutex);
    done = true;
  }
  done_changed.notify_all();
  for (std::thread& one : others) {
    one.join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "version") == 0) {
    std::puts(BOOST_LIB_VERSION);
    return 0;
  }
  const bench::Workload* workload = bench::choose(kWorkloads, argc, argv);
  if (workload == nullptr) {
    return 2;
  }
  const char* threads = std::getenv("FIBER_THREADS");
  with_threads(threads == nullptr ? 1 : static_cast<unsigned>(std::atoi(threads)),
               [&] { workload->run(std::atol(argv[2])); });
  return 0;
}
