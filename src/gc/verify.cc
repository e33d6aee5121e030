// The verifier. See verify.h.
#include "gc/verify.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/annotations.h"
#include "base/bits.h"
#include "base/check.h"
#include "gc/no_access.h"
#include "gc/specials.h"
#include "gc/stale_words.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

// An object that was reached, and from where: the number of its step, or none for a root.
struct Step {
  static constexpr size_t kRoot = SIZE_MAX;
  Address object;
  Address found_at;
  size_t from;
};

// Depth is as the graph's, so it keeps its own list instead of recursing. One at a time.
class Verifier {
 public:
  explicit Verifier(uint32_t epoch)
      : epoch_(epoch),
        seen_bytes_(
            round_up(heap::arena_committed().bytes() >> kGranuleShift >> 3, os::kOsPageSize)),
        seen_(static_cast<uint64_t*>(os::map_memory(seen_bytes_))) {
    CHECK(seen_ != nullptr);
  }

  ~Verifier() {
    os::unmap_memory(seen_, seen_bytes_);
    os::unmap_memory(steps_, capacity_ * sizeof(Step));
  }

  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  // By copies: some of it may not be readable.
  void root(Address start, Address end) {
    std::array<Address, 512> copy;
    for (Address at = round_up(start, alignof(void*)); at + sizeof(void*) <= end;
         at += sizeof(copy)) {
      size_t bytes = std::min(sizeof(copy), round_down(end - at, sizeof(void*)));
      (void)os::read_what_is_there(copy.data(), at, bytes);
      for (size_t i = 0; i < bytes / sizeof(Address); ++i) {
        visit(copy[i], at + i * sizeof(Address), Step::kRoot);
      }
    }
  }

  void run() {
    for (; next_ < count_; ++next_) {
      Address start = steps_[next_].object;
      ObjectRef object = find_object(start);
      Address end = start + object_size(object);
      switch (object.entry.kind()) {
        case ObjectKind::kNoscan:
          break;
        case ObjectKind::kRaw:
          words(start, end, next_);
          break;
        case ObjectKind::kExact:
          exact(start, end);
          break;
      }
    }
  }

 private:
  BURROW_NO_TSAN __attribute__((no_sanitize("address"))) void words(Address start, Address end,
                                                                    size_t from) {
    if (any_no_access() && has_no_access(start, end)) {
      return;
    }
    for (Address at = round_up(start, alignof(void*)); at + sizeof(void*) <= end;
         at += sizeof(void*)) {
      visit(*reinterpret_cast<const volatile Address*>(at), at, from);
    }
  }

  void exact(Address start, Address end) {
    for (Address at = start; at < end; at += sizeof(void*)) {
      size_t word = (at - heap::g_arena.base) / sizeof(void*);
      if ((g_tables.pointers[word / 64].load(std::memory_order_relaxed) >> word % 64 & 1) != 0) {
        visit(*reinterpret_cast<const volatile Address*>(at), at, next_);
      }
    }
  }

  void visit(Address word, Address found_at, size_t from) {
    ObjectRef object = find_object(word);
    if (!object) {
      return;
    }
    bool marked = MarkBit(epoch_, object.start).get();
    if (!marked && is_stale_word(found_at, word)) {
      return;
    }
    size_t granule = granule_of(object.start);
    uint64_t bit = uint64_t{1} << granule % 64;
    if (granule / 64 * 8 >= seen_bytes_ || (seen_[granule / 64] & bit) != 0) {
      return;
    }
    seen_[granule / 64] |= bit;
    push({object.start, found_at, from});
    if (!marked) {
      report(count_ - 1);
    }
  }

  void push(const Step& step) {
    if (count_ == capacity_) {
      size_t capacity = std::max<size_t>(capacity_ * 2, 4096);
      auto* steps = static_cast<Step*>(os::map_memory(capacity * sizeof(Step)));
      CHECK(steps != nullptr);
      if (steps_ != nullptr) {
        std::memcpy(steps, steps_, count_ * sizeof(Step));
        os::unmap_memory(steps_, capacity_ * sizeof(Step));
      }
      steps_ = steps;
      capacity_ = capacity;
    }
    steps_[count_++] = step;
  }

  [[noreturn]] void report(size_t missed) {
    constexpr size_t kMostSteps = 8;
    FixedPrinter<2048> out;
    out << "gcverify: marking missed " << Hex(steps_[missed].object);
    print_object(out, steps_[missed].object);
    size_t n = 0;
    for (size_t i = missed; n < kMostSteps; i = steps_[i].from, ++n) {
      out << ", found at " << Hex(steps_[i].found_at);
      if (steps_[i].from == Step::kRoot) {
        out << " in a root";
        break;
      }
      out << " in " << Hex(steps_[steps_[i].from].object);
      print_object(out, steps_[steps_[i].from].object);
    }
    fatal_message(out.text());
  }

  static void print_object(Printer& out, Address start) {
    constexpr const char* kNames[] = {"noscan", "raw", "exact"};
    ObjectRef object = find_object(start);
    out << " (" << kNames[static_cast<size_t>(object.entry.kind())] << ", " << object_size(object)
        << " bytes)";
  }

  uint32_t epoch_;
  size_t seen_bytes_;
  uint64_t* seen_;
  Step* steps_ = nullptr;
  size_t count_ = 0;
  size_t capacity_ = 0;
  size_t next_ = 0;
};

}  // namespace

void verify_marks(const RootJobs& roots) {
  Verifier verifier(g_epoch.load(std::memory_order_relaxed) + 1);
  roots.for_each([&](const RootJob& job) {
    for_each_root_range(job, [&](Address start, Address end) { verifier.root(start, end); });
  });
  verifier.run();
}

void verify_kept(const OutsideList<Special>& due) {
  Verifier verifier(g_epoch.load(std::memory_order_relaxed));
  for (size_t i = 0; i < due.size(); ++i) {
    if (due[i].kind == SpecialKind::kDestroy) {
      Address object = due[i].object();
      auto start = reinterpret_cast<Address>(&object);
      verifier.root(start, start + sizeof(object));
    }
  }
  verifier.run();
}

}  // namespace burrow::gc
