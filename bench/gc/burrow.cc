// The workloads on Burrow. See workloads.h.
#include <burrow/any.h>
#include <burrow/gc.h>
#include <burrow/go.h>
#include <burrow/memstats.h>
#include <burrow/pool.h>
#include <burrow/slice.h>

#include <string>

#include "gaps.h"
#include "shapes.h"

namespace {

using bench::Clock;
using bench::report;

struct Heap {
  static constexpr bool kDrops = false;

  template <class T>
  static T* make() {
    return burrow::make<T>();
  }

  template <class T>
  static T* make_array(size_t n) {
    return burrow::make_array<T>(n);
  }

  static void collect() { burrow::collect(); }

  using Heads = burrow::Root<bench::ListNode*>;
};

void pool(long count) {
  burrow::Pool<bench::Plain<64>> pool([] { return burrow::make<bench::Plain<64>>(); });
  Clock clock;
  for (long i = 0; i < count; ++i) {
    auto* one = pool.get();
    bench::keep(one);
    pool.put(one);
  }
  report("ns", clock.ns() / static_cast<double>(count));
}

void append(long count) {
  constexpr long kMost = 1000;
  Clock clock;
  for (long done = 0; done < count; done += kMost) {
    burrow::Slice<long> slice;
    for (long i = 0; i < kMost; ++i) {
      slice = burrow::append(slice, i);
    }
    bench::keep(slice.data());
  }
  const auto appended = (count + kMost - 1) / kMost * kMost;
  report("ns", clock.ns() / static_cast<double>(appended));
}

struct Triple {
  long a;
  long b;
  long c;

  bool operator==(const Triple&) const = default;
};

template <class Make>
void box(long count, Make make) {
  constexpr size_t kBoxes = 1024;
  burrow::Slice<burrow::Any> boxes = burrow::make_slice<burrow::Any>(kBoxes);
  Clock clock;
  for (long i = 0; i < count; ++i) {
    boxes[static_cast<size_t>(i) % kBoxes] = make(i);
  }
  double ns = clock.ns();
  bench::keep(boxes.data());
  report("ns", ns / static_cast<double>(count));
}

void any_int(long count) {
  box(count, [](long i) { return burrow::Any(i + 1000); });
}

void any_struct(long count) {
  box(count, [](long i) { return burrow::Any(Triple{i, i, i}); });
}

template <template <class> class Pointer>
struct Link {
  Pointer<Link> next;
  long value;
};

/// Exchanges what random nodes point to; ns each.
template <template <class> class Pointer>
class Exchange {
 public:
  explicit Exchange(size_t nodes) : nodes_(burrow::make_array<Node*>(nodes)), count_(nodes) {
    for (size_t i = 0; i < nodes; ++i) {
      nodes_.get()[i] = burrow::make<Node>();
      nodes_.get()[i]->next = nodes_.get()[i / 2];
    }
  }

  double run(long times) {
    Node** nodes = nodes_.get();
    bench::Random random;
    Clock clock;
    for (long i = 0; i < times; ++i) {
      Node* one = nodes[random.below(static_cast<uint32_t>(count_))];
      Node* other = nodes[random.below(static_cast<uint32_t>(count_))];
      Node* next = one->next;
      one->next = static_cast<Node*>(other->next);
      other->next = next;
    }
    return clock.ns() / static_cast<double>(times);
  }

 private:
  using Node = Link<Pointer>;

  burrow::Root<Node*> nodes_;
  size_t count_;
};

void barrier(long count) {
  constexpr size_t kNodes = 4096;
  constexpr int kTurns = 21;
  Exchange<bench::Raw> raw(kNodes);
  Exchange<burrow::Ptr> barred(kNodes);
  std::vector<double> ratios;
  for (int i = 0; i < kTurns; ++i) {
    double bare = raw.run(count / kTurns);
    ratios.push_back(barred.run(count / kTurns) / bare);
  }
  report("ratio", bench::median(ratios));
}

struct Entry {
  std::string text;
};

// Each new entry takes the place of the oldest.
void strings(long count) {
  constexpr size_t kEntries = 1000;
  constexpr size_t kBytes = 60;
  burrow::Root<Entry*> entries = burrow::make_array<Entry*>(kEntries);
  Clock clock;
  for (long i = 0; i < count; ++i) {
    auto* entry = burrow::make<Entry>();
    entry->text.assign(kBytes, 'x');
    entries.get()[static_cast<size_t>(i) % kEntries] = entry;
  }
  double ns = clock.ns() / static_cast<double>(count);
  std::printf("{\"ns\":%.6g,\"peak_mib\":%.6g}\n", ns, bench::peak_mib());
}

struct Ends {
  long words[2];

  ~Ends() { bench::keep(words[0]); }
};

[[gnu::noinline]] void litter(long count) {
  for (long i = 0; i < count; ++i) {
    bench::keep(burrow::make<Ends>());
  }
}

void dead(long count) {
  burrow::set_gc_percent(-1);
  litter(count);
  burrow::collect();
  burrow::MemStats stats = burrow::read_mem_stats();
  report("stop_ms", static_cast<double>(stats.pause_total_ns) / 1e6 / stats.num_gc);
}

constexpr bench::Workload kOwn[] = {
    {"pool", pool},       {"append", append},   {"any_int", any_int}, {"any_struct", any_struct},
    {"barrier", barrier}, {"strings", strings}, {"dead", dead}};
constexpr auto kWorkloads = bench::both(bench::kCollected<Heap, burrow::Ptr>, kOwn);

}  // namespace

int main(int argc, char** argv) {
  const bench::Workload* workload = bench::choose(kWorkloads, argc, argv);
  if (workload == nullptr) {
    return 2;
  }
  workload->run(std::atol(argv[2]));
  return 0;
}
