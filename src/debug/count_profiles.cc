// Profiles that count stacks, and /debug/pprof/threadcreate. See profiles.h.
#include <algorithm>
#include <map>

#include "debug/profiles.h"
#include "os/thread.h"
#include "prof/symbolize.h"
#include "prof/text_writer.h"

namespace burrow::debug {
namespace {

// Where threads were made is not recorded: one record without a stack, as Go's runtime has it.
Snapshot take_threads() {
  return {{}, {{{}, static_cast<int64_t>(os::process_threads())}}};
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
  std::vector<const prof::CountRecord*> sorted;
  sorted.reserve(snapshot.counts.size());
  for (const prof::CountRecord& r : snapshot.counts) {
    sorted.push_back(&r);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return a->count != b->count ? a->count > b->count : a->stack < b->stack;
  });
  std::string out =
      std::string(self.name) + " profile: total " + std::to_string(count_size(snapshot)) + "\n";
  const prof::Symbols symbols = prof::symbols_of(snapshot.counts);
  for (const prof::CountRecord* r : sorted) {
    out += std::to_string(r->count);
    if (r->stack.empty()) {
      out += " @\n#\t0x0\n\n";  // as Go writes a stack that it does not know
    } else {
      prof::append_stack(out, r->stack, symbols);
    }
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
