// /debug/pprof/heap and allocs: one profile under Go's two names. See profiles.h.
#include "debug/memstats.h"
#include "debug/profiles.h"
#include "prof/text_writer.h"

namespace burrow::debug {
namespace {

Snapshot take() {
  return {prof::take_heap_profile(), {}};
}

size_t size(const Snapshot& snapshot) {
  return snapshot.heap.records.size();
}

std::string write_heap(const Profile& /*self*/, const Snapshot& snapshot) {
  return prof::write_heap_pprof(snapshot.heap, prof::ProfileKind::kHeap);
}

std::string write_allocs(const Profile& /*self*/, const Snapshot& snapshot) {
  return prof::write_heap_pprof(snapshot.heap, prof::ProfileKind::kAllocs);
}

std::string write_text(const Profile& /*self*/, const Snapshot& snapshot, int64_t /*debug*/) {
  return prof::write_heap_text(snapshot.heap) + memstats_comments(read_figures());
}

Snapshot subtract(const Snapshot& later, const Snapshot& earlier) {
  return {prof::subtract(later.heap, earlier.heap), {}};
}

}  // namespace

constinit const Profile kHeapProfile = {
    .name = "heap",
    .description = "Memory in use by allocation site. gc=1 collects first.",
    .take = take,
    .size = size,
    .write_pprof = write_heap,
    .write_text = write_text,
    .subtract = subtract,
};

constinit const Profile kAllocsProfile = {
    .name = "allocs",
    .description = "All that was ever allocated, by allocation site.",
    .take = take,
    .size = size,
    .write_pprof = write_allocs,
    .write_text = write_text,
    .subtract = subtract,
};

}  // namespace burrow::debug
