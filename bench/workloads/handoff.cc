// Producer to consumer: producers allocate, consumers free, batches go through one bounded queue.
// A wait blocks on a condition variable, so that CPU time is work, not spinning.
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "bench.h"

namespace {

constexpr std::size_t kBatch = 256;
constexpr std::size_t kSlots = 64;

struct Batch {
  void* blocks[kBatch];
};

/// A bounded queue of batches held by value: moving a batch allocates nothing.
class Queue {
 public:
  void push(const Batch& batch) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [this] { return tail_ - head_ < kSlots; });
    slots_[tail_++ % kSlots] = batch;
    not_empty_.notify_one();
  }

  /// False when every producer has closed and nothing is left.
  bool pop(Batch& batch) {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return tail_ != head_ || open_ == 0; });
    if (tail_ == head_) {
      return false;
    }
    batch = slots_[head_++ % kSlots];
    not_full_.notify_one();
    return true;
  }

  void open(std::size_t producers) { open_ = producers; }

  void close() {
    const std::scoped_lock lock(mutex_);
    if (--open_ == 0) {
      not_empty_.notify_all();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::size_t open_ = 0;
  Batch slots_[kSlots];
};

void produce(Queue& queue, std::size_t batches, std::size_t max, std::uint64_t seed) {
  burrow::bench::SizeRing sizes(16, max, seed);
  Batch batch;
  for (std::size_t i = 0; i < batches; ++i) {
    for (std::size_t at = 0; at < kBatch; ++at) {
      batch.blocks[at] = burrow::bench::must_malloc(sizes.next());
      std::memcpy(batch.blocks[at], &at, sizeof at);
    }
    queue.push(batch);
  }
  queue.close();
}

void consume(Queue& queue) {
  Batch batch;
  while (queue.pop(batch)) {
    for (std::size_t at = 0; at < kBatch; ++at) {
      std::size_t seen = 0;
      std::memcpy(&seen, batch.blocks[at], sizeof seen);
      if (seen != at) {
        burrow::bench::fail("a block changed between producer and consumer");
      }
      std::free(batch.blocks[at]);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(argc, argv,
                                       {{"pairs", "1"}, {"objects", "10000000"}, {"max", "256"}});
  const std::size_t pairs = options.number("pairs");
  const std::size_t batches = options.number("objects") / pairs / kBatch + 1;
  static Queue queue;
  queue.open(pairs);
  const burrow::bench::Stopwatch watch;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < pairs; ++i) {
    threads.emplace_back(produce, std::ref(queue), batches, options.number("max"), i + 1);
    threads.emplace_back(consume, std::ref(queue));
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  burrow::bench::Report report("handoff");
  report.add_times(watch, static_cast<double>(batches * kBatch * pairs));
  report.print();
  return 0;
}
