// The large blocks that a cache's thread freed last, kept whole for the next request of as many
// pages.
//
// A large block costs the heap's lock twice, a descriptor and a search for pages: 1,500
// instructions a pair of malloc and free. Programs that need a buffer of 64 KiB for a moment need
// it again, so a few runs stay as they are, descriptor and page tables included, in the state
// SpanState::kCached. A free that finds that state is a double free.
//
// The owner looks at the lengths and takes by an atomic exchange; any other thread may take as
// well (`steal`), under the registry's lock, so that no limit and no release of memory fails
// because of what idle threads hold. The bound is 2 MiB a thread, less where there are many.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/annotations.h"
#include "base/units.h"
#include "heap/mspan.h"

namespace burrow::heap {

/// One cache's runs. The functions are the owner's but for `steal` and the figures.
class RecentRuns {
 public:
  static constexpr size_t kRuns = 8;
  static constexpr PageCount kMost{2 * kMiB / kPageSize};

  /// What each cache may keep where there are `caches` of them.
  static constexpr PageCount budget(size_t caches) {
    constexpr size_t kAllCaches = 16 * kMiB / kPageSize;
    constexpr size_t kLeast = 256 * kKiB / kPageSize;
    return PageCount(std::clamp(kAllCaches / std::max<size_t>(caches, 1), kLeast, kMost.value));
  }

  /// A kept run of just so many pages, or null. The caller makes it a live block.
  [[nodiscard]] MSpan* take(PageCount pages) {
    for (size_t i = 0; i < kRuns; ++i) {
      if (lengths_[i] == pages.value) {
        if (MSpan* span = clear(i); span != nullptr) {
          return span;
        }
      }
    }
    return nullptr;
  }

  /// An empty place for a run when `most` leaves room for it; else kRuns.
  [[nodiscard]] size_t place_for(PageCount pages, PageCount most) const {
    size_t i = sum_ + pages.value <= most.value ? 0 : kRuns;
    while (i < kRuns && lengths_[i] != 0) {
      ++i;
    }
    return i;
  }

  /// Keeps a run. REQUIRES: the span is kCached; the place is empty.
  void keep(size_t place, MSpan* span) {
    lengths_[place] = static_cast<uint32_t>(span->pages.value);
    sum_ += span->pages.value;
    // Release: pairs with the exchanges.
    runs_[place].store(span, std::memory_order_release);
  }

  /// Makes a place for a run: what has to go for it comes back, linked by `next`.
  /// REQUIRES: pages <= most.
  [[nodiscard]] MSpan* make_place(PageCount pages, PageCount most);

  /// Takes all runs, linked by `next` before `rest`. Any thread under the registry's lock, and the
  /// owner.
  [[nodiscard]] MSpan* steal(MSpan* rest);

  /// Whether nothing was served from here since the last call.
  [[nodiscard]] bool idle();

  /// Counts a block that was served from here.
  void note_hit(PageCount pages) {
    // Relaxed: figures, written by one thread.
    hits_.store(hits() + 1, std::memory_order_relaxed);
    hit_pages_.store(hit_pages_.load(std::memory_order_relaxed) + pages.value,
                     std::memory_order_relaxed);
  }

  [[nodiscard]] uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }

  [[nodiscard]] uint64_t hit_bytes() const {
    return hit_pages_.load(std::memory_order_relaxed) * kPageSize;
  }

  /// Runs that are kept, and their bytes. Any thread under the registry's lock.
  struct Kept {
    size_t runs = 0;
    size_t bytes = 0;
  };

  [[nodiscard]] Kept kept() const;

 private:
  MSpan* clear(size_t i) {
    sum_ -= lengths_[i];
    lengths_[i] = 0;
    // Acquire: pairs with the release in `keep`.
    return runs_[i].exchange(nullptr, std::memory_order_acquire);
  }

  // Pages of each run as the owner left it; 0: there is none. A thief does not change it.
  std::array<uint32_t, kRuns> lengths_{};
  std::array<std::atomic<MSpan*>, kRuns> runs_{};
  size_t sum_ = 0;  // of lengths_
  uint32_t victim_ = 0;
  std::atomic<uint64_t> hits_{0};
  std::atomic<uint64_t> hit_pages_{0};
  std::atomic<uint64_t> seen_{0};  // hits_ as `idle` found it last
};

/// Gives back what all caches keep; or, with `idle_only`, of caches that served nothing since the
/// last such call. REQUIRES: the caller holds no lock of the heap.
void drop_recent_runs(bool idle_only);

}  // namespace burrow::heap
