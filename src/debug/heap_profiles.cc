// /debug/pprof/heap and allocs: one profile under Go's two names. See profiles.h.
#include <memory>
#include <utility>

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

class TextSource : public BodySource {
 public:
  explicit TextSource(prof::HeapProfile heap) : text_(std::move(heap)) {}

  [[nodiscard]] bool next(std::string& out) override {
    if (text_.next(out)) {
      return true;
    }
    out += memstats_comments(read_figures());
    return false;
  }

 private:
  prof::HeapText text_;
};

std::unique_ptr<BodySource> text_source(Snapshot snapshot) {
  return std::make_unique<TextSource>(std::move(snapshot.heap));
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
    .write_text = nullptr,
    .subtract = subtract,
    .text_source = text_source,
};

constinit const Profile kAllocsProfile = {
    .name = "allocs",
    .description = "All that was ever allocated, by allocation site.",
    .take = take,
    .size = size,
    .write_pprof = write_allocs,
    .write_text = nullptr,
    .subtract = subtract,
    .text_source = text_source,
};

}  // namespace burrow::debug
