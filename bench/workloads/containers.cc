// C++ containers as programs use them: an ordered map, a hash map and a list of strings, filled,
// searched, half erased and filled again.
#include <list>
#include <map>
#include <string>
#include <unordered_map>

#include "bench.h"

namespace {

using burrow::bench::Random;

std::string make_text(Random& random) {
  std::string text = std::to_string(random.next());
  text.append(random.below(40), '-');
  return text;
}

std::size_t round_of(std::size_t entries, Random& random) {
  std::map<std::uint64_t, std::string> ordered;
  std::unordered_map<std::string, std::uint64_t> hashed;
  std::list<std::string> recent;
  std::size_t operations = 0;
  for (std::size_t i = 0; i < entries; ++i) {
    const std::uint64_t key = random.below(entries * 2);
    std::string text = make_text(random);
    hashed[text] = key;
    recent.push_back(text);
    ordered[key] = std::move(text);
    if (recent.size() > 1000) {
      recent.pop_front();
    }
    operations += 4;
  }
  for (auto at = ordered.begin(); at != ordered.end(); ++operations) {
    hashed.erase(at->second);
    at = at->first % 2 == 0 ? ordered.erase(at) : std::next(at);
  }
  for (std::size_t i = 0; i < entries / 2; ++i) {
    ordered[random.below(entries * 2)] = make_text(random);
    ++operations;
  }
  return operations;
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(argc, argv, {{"entries", "60000"}, {"rounds", "8"}});
  Random random(17);
  std::size_t operations = 0;
  const burrow::bench::Stopwatch watch;
  for (std::size_t i = 0; i < options.number("rounds"); ++i) {
    operations += round_of(options.number("entries"), random);
  }
  burrow::bench::Report report("containers");
  report.add_times(watch, static_cast<double>(operations));
  report.print();
  return 0;
}
