// Growing blocks: `mode=realloc` grows many buffers in turn, `mode=large` a few to many MiB,
// `mode=vector` fills std::vector and std::string by push_back.
#include <cstdlib>
#include <string>
#include <vector>

#include "bench.h"

namespace {

struct Buffer {
  char* data = nullptr;
  std::size_t size = 0;
};

/// Grows all buffers in turn by `percent` from `low` until each has passed `high`; returns the
/// number of reallocs. Every step writes the new last byte of each page added.
std::size_t grow_in_turn(std::size_t buffers, std::size_t low, std::size_t high,
                         std::size_t percent) {
  std::vector<Buffer> all(buffers);
  std::size_t calls = 0;
  for (std::size_t done = 0; done < buffers;) {
    for (Buffer& buffer : all) {
      if (buffer.size > high) {
        continue;
      }
      const std::size_t old = buffer.size;
      buffer.size = old == 0 ? low : old + old * percent / 100 + 1;
      buffer.data = static_cast<char*>(std::realloc(buffer.data, buffer.size));
      if (buffer.data == nullptr || (old != 0 && buffer.data[0] != 1)) {
        burrow::bench::fail("realloc returned null or lost the contents");
      }
      burrow::bench::touch(buffer.data);
      burrow::bench::touch_pages(buffer.data + old, buffer.size - old);
      ++calls;
      done += buffer.size > high ? 1 : 0;
    }
  }
  for (const Buffer& buffer : all) {
    std::free(buffer.data);
  }
  return calls;
}

std::size_t fill_containers(std::size_t count, burrow::bench::Random& random) {
  std::size_t pushes = 0;
  std::vector<std::vector<std::uint64_t>> numbers;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint64_t> row;
    std::string text;
    const std::size_t length = random.log_uniform(4, 2048);
    for (std::size_t j = 0; j < length; ++j) {
      row.push_back(j);
      text.push_back(static_cast<char>('a' + j % 26));
    }
    pushes += length * 2;
    numbers.push_back(std::move(row));
    texts.push_back(std::move(text));
  }
  return pushes;
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(
      argc, argv, {{"mode", "realloc"}, {"buffers", "400"}, {"rounds", "100"}});
  const std::size_t buffers = options.number("buffers");
  const std::size_t rounds = options.number("rounds");
  const std::string_view mode = options.text("mode");
  burrow::bench::Random random(5);
  std::size_t ops = 0;
  const burrow::bench::Stopwatch watch;
  for (std::size_t round = 0; round < rounds; ++round) {
    if (mode == "realloc") {
      ops += grow_in_turn(buffers, 16, 32 << 10, 25);
    } else if (mode == "large") {
      ops += grow_in_turn(buffers, 64 << 10, 16 << 20, 12);
    } else if (mode == "vector") {
      ops += fill_containers(buffers, random);
    } else {
      burrow::bench::fail("mode must be realloc, large or vector");
    }
  }
  burrow::bench::Report report("grow");
  report.add_times(watch, static_cast<double>(ops));
  report.print();
  return 0;
}
