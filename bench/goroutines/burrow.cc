// The workloads on Burrow. BURROW_PROCS sets the processors. See workloads.h.
#include <burrow/chan.h>
#include <burrow/go.h>

#include "workloads.h"

namespace {

using bench::Clock;
using bench::expect;
using bench::report;

void yield(long count) {
  burrow::WaitGroup group;
  Clock clock;
  for (int i = 0; i < 2; ++i) {
    group.go([count] {
      for (long j = 0; j < count / 2; ++j) {
        burrow::yield();
      }
    });
  }
  group.wait();
  report("ns", clock.ns() / static_cast<double>(count));
}

void pingpong(long count) {
  burrow::Chan<long> there;
  burrow::Chan<long> back;
  burrow::go([=] {
    for (long n : there) {
      back.send(n);
    }
    back.close();
  });
  Clock clock;
  for (long i = 0; i < count / 2; ++i) {
    there.send(i);
    (void)back.recv();
  }
  report("ns", clock.ns() / static_cast<double>(count));
  there.close();
  (void)back.recv();
}

void one_way(long count, size_t capacity) {
  burrow::Chan<long> items(capacity);
  Clock clock;
  burrow::go([=] {
    for (long i = 0; i < count; ++i) {
      items.send(i);
    }
    items.close();
  });
  long sum = 0;
  for (long n : items) {
    sum += n;
  }
  expect(sum == bench::sum_below(count), "items were lost");
  report("ns", clock.ns() / static_cast<double>(count));
}

void spawn(long count) {
  constexpr long kBatch = 100;
  burrow::WaitGroup group;
  Clock clock;
  for (long i = 0; i < count / kBatch; ++i) {
    group.add(kBatch);
    for (long j = 0; j < kBatch; ++j) {
      burrow::go([&group] { group.done(); });
    }
    group.wait();
  }
  report("ns", clock.ns() / static_cast<double>(count / kBatch * kBatch));
}

void parked(long count) {
  burrow::Chan<long> gate;
  burrow::WaitGroup group;
  group.add(count);
  double before = bench::memory_bytes();
  Clock spawning;
  for (long i = 0; i < count; ++i) {
    burrow::go([&gate, &group] {
      (void)gate.recv();
      group.done();
    });
  }
  for (int i = 0; i < 100; ++i) {
    burrow::yield();
  }
  double spawn_s = spawning.seconds();
  double bytes = bench::memory_bytes() - before;
  Clock draining;
  gate.close();
  group.wait();
  bench::report_parked(bytes / static_cast<double>(count), spawn_s, draining.seconds());
}

void node(const burrow::Chan<long>& result, long number, long size) {
  if (size == 1) {
    result.send(number);
    return;
  }
  burrow::Chan<long> children;
  for (long i = 0; i < 10; ++i) {
    burrow::go([=] { node(children, number + i * (size / 10), size / 10); });
  }
  long sum = 0;
  for (int i = 0; i < 10; ++i) {
    sum += *children.recv();
  }
  result.send(sum);
}

void skynet(long count) {
  burrow::Chan<long> result;
  Clock clock;
  burrow::go([=] { node(result, 0, count); });
  expect(*result.recv() == bench::sum_below(count), "the sum is wrong");
  report("s", clock.seconds());
}

void recursion(long count) {
  burrow::Chan<double> times;
  burrow::go([=] {
    Clock clock;
    expect(bench::recurse(count) == count, "the depth is wrong");
    times.send(clock.ns());
  });
  report("ms", *times.recv() / 1e6);
}

void mutex(long count) {
  burrow::Mutex mutex;
  Clock clock;
  for (long i = 0; i < count; ++i) {
    mutex.lock();
    mutex.unlock();
  }
  report("ns", clock.ns() / static_cast<double>(count));
}

constexpr bench::Workload kWorkloads[] = {
    {"yield", yield},
    {"pingpong", pingpong},
    {"unbuffered", [](long count) { one_way(count, 0); }},
    {"buffered", [](long count) { one_way(count, 128); }},
    {"spawn", spawn},
    {"parked", parked},
    {"skynet", skynet},
    {"recursion", recursion},
    {"mutex", mutex},
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Workload* workload = bench::choose(kWorkloads, argc, argv);
  if (workload == nullptr) {
    return 2;
  }
  return burrow::run([=] {
    workload->run(std::atol(argv[2]));
    return 0;
  });
}
