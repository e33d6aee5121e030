// Profiles that count stacks, and /debug/pprof/threadcreate. See profiles.h.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>

#include "debug/figures.h"
#include "debug/profiles.h"
#include "prof/symbolize.h"

namespace burrow::debug {
namespace {

std::string hex(uintptr_t value) {
  char buffer[20];
  return "0x" + std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, 16).ptr);
}

std::string frame_lines(const std::vector<uintptr_t>& stack) {
  if (stack.empty()) {
    return "#\t0x0\n\n";  // as Go writes a stack that it does not know
  }
  std::string out;
  std::vector<std::vector<prof::Frame>> frames = prof::symbolize(stack);
  for (size_t i = 0; i < stack.size(); ++i) {
    for (const prof::Frame& f : frames[i]) {
      out += "#\t" + hex(stack[i]) + "\t" + f.function;
      if (!f.file.empty()) {
        out += "\t" + f.file + ":" + std::to_string(f.line);
      }
      out += '\n';
    }
  }
  return out + "\n";
}

// Where threads were made is not recorded: one record without a stack, as Go's runtime has it.
Snapshot take_threads() {
  return {{}, {{{}, static_cast<int64_t>(thread_count())}}};
}

}  // namespace

size_t count_size(const Snapshot& snapshot) {
  int64_t total = 0;
  for (const prof::CountRecord& r : snapshot.counts) {
    total += r.count;
  }
  return static_cast<size_t>(total);
}

std::string write_counts(const Profile& self, const Snapshot& snapshot) {
  return prof::write_count_pprof(self.name, snapshot.counts);
}

std::string write_counts_text(const Profile& self, const Snapshot& snapshot, int64_t /*debug*/) {
  std::vector<prof::CountRecord> sorted = snapshot.counts;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : a.stack < b.stack;
  });
  std::string out =
      std::string(self.name) + " profile: total " + std::to_string(count_size(snapshot)) + "\n";
  for (const prof::CountRecord& r : sorted) {
    out += std::to_string(r.count) + " @";
    for (uintptr_t pc : r.stack) {
      out += " " + hex(pc + 1);
    }
    out += '\n' + frame_lines(r.stack);
  }
  return out;
}

Snapshot subtract_counts(const Snapshot& later, const Snapshot& earlier) {
  std::map<std::vector<uintptr_t>, int64_t> change;
  for (const prof::CountRecord& r : later.counts) {
    change[r.stack] += r.count;
  }
  for (const prof::CountRecord& r : earlier.counts) {
    change[r.stack] -= r.count;
  }
  Snapshot delta;
  for (const auto& [stack, count] : change) {
    if (count != 0) {
      delta.counts.push_back({stack, count});
    }
  }
  return delta;
}

constinit const Profile kThreadCreateProfile = {
    .name = "threadcreate",
    .description = "Threads of the process: their number; where they were made is not recorded.",
    .take = take_threads,
    .size = count_size,
    .write_pprof = write_counts,
    .write_text = write_counts_text,
    .subtract = subtract_counts,
};

}  // namespace burrow::debug
