// What stopped threads can reach. See thread_roots.h.
#include "gc/thread_roots.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bits.h"
#include "gc/faults.h"
#include "gc/tables.h"
#include "heap/arena.h"
#include "heap/mspan.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

// The end of the block or object that holds the address; 0 when none does.
Address end_in_arena(Address address) {
  PageId page(0);
  if (!heap::find_page(reinterpret_cast<const void*>(address), page)) {
    return 0;
  }
  if (ObjectRef object = find_object(address); object) {
    return object.start + object_size(object);
  }
  const heap::MSpan* span = heap::span_of_page(page);
  span = span != nullptr ? span : heap::span_around(page);
  if (span == nullptr) {
    return 0;
  }
  if (span->state == heap::SpanState::kSmall || span->state == heap::SpanState::kSampled) {
    const heap::ClassInfo& info = heap::class_info(span->size_class);
    size_t index = heap::block_index(address - span->first, info);
    return std::min(span->first + (index + 1) * info.size, span->limit());
  }
  return span->limit();
}

// Up to where memory can be read, for want of a list of mappings (no descriptor is left to open
// it).
Address readable_end(Address from) {
  constexpr size_t kMost = 64 * kMiB;
  Address at = round_up(from, os::kOsPageSize);
  char byte = 0;
  while (at < from + kMost && os::try_read(&byte, at, 1)) {
    at += os::kOsPageSize;
  }
  return at;
}

os::StackBounds own_stack(const os::StoppedThread& thread) {
  if (thread.thread_pointer == 0) {
    return {};  // made by clone itself: the stack that it is on is all that is known
  }
  if (os::StackBounds own = os::thread_stack(thread.thread_pointer); own.limit != 0) {
    return own;
  }
  if (thread.tid == os::process_id()) {
    return os::first_stack(thread.sp, thread.below_too);
  }
  // A thread that the C library did not make, or one that does not tell.
  os::Mapping around = os::mapping_of(thread.thread_pointer - 1);
  return {around.start, around.limit};
}

}  // namespace

Address end_of_stack(Address sp) {
  if (Address end = end_in_arena(sp); end != 0) {
    return end;
  }
  if (Address end = os::own_memory_end(sp); end != 0) {
    return end;
  }
  Address limit = os::mapping_of(sp).limit;
  return limit != 0 ? limit : readable_end(sp);
}

void visit_present(const RangeVisitor& visit, Address from, Address to) {
  constexpr size_t kShort = 64 * kKiB;
  if (from >= to || to - from <= kShort) {
    visit(from, to);
    return;
  }
  os::for_each_present(
      round_down(from, os::kOsPageSize), round_up(to, os::kOsPageSize),
      [&](Address part, Address part_end) { visit(std::max(part, from), std::min(part_end, to)); });
}

namespace {

void visit_frames(const os::StoppedThread& thread, const RangeVisitor& visit) {
  visit(thread.context, thread.vectors != 0 ? thread.vectors : thread.context_end);
  os::StackBounds own = own_stack(thread);
  auto limit_of = [&](Address sp, Address told) {
    if (told != 0) {
      return told;
    }
    return own.holds(sp) ? own.limit : end_of_stack(sp);
  };
  bool on_own = own.holds(thread.sp);
  Address limit = limit_of(thread.sp, thread.stack_limit);
  if (on_own && thread.below_too && !g_faults.own_stack_only) {
    visit_present(visit, own.low, limit);
  } else if (on_own) {
    visit(thread.sp, limit);
  } else {
    visit_present(visit, thread.sp, limit);
  }
  if (thread.other_start != 0) {
    visit_present(visit, thread.other_start, limit_of(thread.other_start, thread.other_limit));
  }
  if (!on_own && !own.holds(thread.other_start) && !g_faults.own_stack_only) {
    visit_present(visit, own.low, own.limit);
  }
}

void visit_variables(const os::StoppedThread& thread, const RangeVisitor& visit) {
  if (thread.vectors != 0) {
    visit(thread.vectors, thread.context_end);
  }
  if (thread.thread_pointer != 0) {
    visit(thread.thread_pointer - os::static_tls_bytes(),
          thread.thread_pointer + os::thread_descriptor_bytes());
  }
}

}  // namespace

void for_each_thread_root(std::span<const os::StoppedThread> threads, const RangeVisitor& frames,
                          const RangeVisitor& variables) {
  for (const os::StoppedThread& thread : threads) {
    visit_frames(thread, frames);
    visit_variables(thread, variables);
  }
  if (!g_faults.no_results) {
    os::for_each_thread_descriptor(variables.visit, variables.argument);
  }
}

namespace {

// Ranges of one kind: scanned in batches, long ones by others.
class Batch {
 public:
  Batch(Marker& marker, RootJobs* jobs, Words words)
      : marker_(marker), jobs_(jobs), words_(words) {}

  void operator()(Address from, Address to) {
    constexpr size_t kShort = 32 * kKiB;
    from = round_up(from, sizeof(Address));
    to = std::max(from, round_down(to, sizeof(Address)));
    bytes_ += to - from;
    if (to - from > kShort && jobs_ != nullptr) {
      bool frames = words_ == Words::kOfFrames;
      jobs_->add(frames ? RootJob::Kind::kFrames : RootJob::Kind::kWords, from, to);
      return;
    }
    if (count_ == pieces_.size()) {
      flush();
    }
    pieces_[count_++] = {from, to - from};
  }

  void flush() { marker_.scan_copied(std::span(pieces_).first(std::exchange(count_, 0)), words_); }

  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  Marker& marker_;
  RootJobs* jobs_;
  Words words_;
  std::array<os::Piece, os::kMostPieces> pieces_;
  size_t count_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace

uint64_t scan_threads(Marker& marker, std::span<const os::StoppedThread> threads, RootJobs* jobs) {
  Batch frames(marker, jobs, Words::kOfFrames);
  Batch variables(marker, jobs, Words::kOfMemory);
  for_each_thread_root(threads, RangeVisitor::of(frames), RangeVisitor::of(variables));
  frames.flush();
  variables.flush();
  return frames.bytes() + variables.bytes();
}

}  // namespace burrow::gc
