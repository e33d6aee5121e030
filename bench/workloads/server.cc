// A request loop: each request makes dozens of short-lived strings and vectors, and replaces one
// entry of a long-lived cache that the threads share by stripes.
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bench.h"

namespace {

using burrow::bench::Random;

struct Stripe {
  std::mutex mutex;
  std::unordered_map<std::uint64_t, std::string> entries;
};

std::size_t request(std::vector<Stripe>& stripes, std::size_t entries, Random& random) {
  std::vector<std::string> fields;
  const std::size_t count = 8 + random.below(24);
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    fields.emplace_back(random.log_uniform(16, 512), 'x');
    total += fields.back().size();
  }
  std::string body;
  for (const std::string& field : fields) {
    body += field;
  }
  const std::uint64_t key = random.below(entries);
  Stripe& stripe = stripes[key % stripes.size()];
  std::string value(random.log_uniform(64, 4096), 'y');
  const std::scoped_lock lock(stripe.mutex);
  stripe.entries[key].swap(value);
  return total == body.size() ? count : 0;
}

void serve(std::vector<Stripe>& stripes, std::size_t requests, std::size_t entries,
           std::uint64_t seed) {
  Random random(seed);
  for (std::size_t i = 0; i < requests; ++i) {
    if (request(stripes, entries, random) == 0) {
      burrow::bench::fail("a request lost its bytes");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv, {{"threads", "1"}, {"requests", "400000"}, {"entries", "20000"}});
  std::vector<Stripe> stripes(64);
  const std::size_t count = options.number("threads");
  const std::size_t each = options.number("requests") / count;
  const burrow::bench::Stopwatch watch;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back(serve, std::ref(stripes), each, options.number("entries"), i + 1);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  burrow::bench::Report report("server");
  report.add_times(watch, static_cast<double>(each * count));
  report.print();
  return 0;
}
