// Slots of address space for stacks. See stack.h.
#include "sched/stack.h"

#include <algorithm>
#include <new>
#include <string_view>

#include "base/annotations.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/printer.h"
#include "os/fibers.h"
#include "os/os.h"

namespace burrow::sched {

BURROW_NO_ROOTS constinit StackArea g_stacks;

namespace {

// Page tables cover this much; see the top of stack.h.
constexpr size_t kTableBytes = 2 * kMiB;
constexpr size_t kMostSlotsARegion = 16384;

// Sanitizers clear the shadow of a whole stack at each throw.
constexpr size_t kUnsetStackBytes = os::kSanitized ? 16 * kMiB : kDefaultStackBytes;

size_t wanted_stack_bytes(bool& chosen) {
  const char* text = os::env("BURROW_STACK");
  if (text == nullptr || *text == '\0') {
    return kUnsetStackBytes;
  }
  std::optional<size_t> bytes = os::parse_bytes(text);
  if (!bytes || *bytes < kMinStackBytes || *bytes > kMaxStackBytes) {
    FixedPrinter<256> out;
    out << "burrow: BURROW_STACK=" << text
        << " is not a size from 128K to 1T; write for example 1G\n";
    out.write_to(2);
    return kUnsetStackBytes;
  }
  chosen = true;
  return std::bit_ceil(*bytes);
}

}  // namespace

void StackArea::start() {
  MutexLock hold(lock_);
  bool chosen = false;
  slot_bytes_ = wanted_stack_bytes(chosen);
  // Under a limit of address space all stacks together get half of it: room for 512 at least.
  if (std::optional<size_t> limit = os::address_space_limit(); limit && !chosen) {
    slot_bytes_ = std::clamp(std::bit_floor(*limit / 1024), kMinStackBytes, slot_bytes_);
  }
  guard_bytes_ = std::clamp(slot_bytes_ / 64, kMinGuardBytes, kMiB);
  guard_kind_ = os::guard_kind();
  recycled_ = static_cast<uint32_t*>(os::map_memory(kMaxSlots * sizeof(uint32_t)));
  // Strict overcommit charges reservations: then large slots cannot be had.
  while (!add_region() && !chosen && slot_bytes_ > kMinStackBytes) {
    slot_bytes_ /= 4;
    slot_bytes_ = std::max(slot_bytes_, kMinStackBytes);
    guard_bytes_ = std::clamp(slot_bytes_ / 64, kMinGuardBytes, kMiB);
  }
}

bool StackArea::add_region() {
  if (region_count_ == kMaxRegions) {
    return false;
  }
  Region& region = regions_[region_count_];
  // Relaxed here and below: written under the lock.
  size_t first = 0;
  if (region_count_ > 0) {
    const Region& last = regions_[region_count_ - 1];
    first = last.first + last.slots.load(std::memory_order_relaxed);
  }
  size_t offset = slot_bytes_ >= kTableBytes ? kTableBytes / 2 : 0;
  size_t slots = std::min(next_region_slots_, kMaxSlots - first);
  // Below the last one, so that both become one mapping.
  for (; slots > 0; slots /= 2) {
    size_t bytes = slots * slot_bytes_;
    char* hint = region_count_ == 0 ? nullptr : regions_[region_count_ - 1].base - bytes;
    region.base = static_cast<char*>(os::map_stacks(hint, bytes, kTableBytes, offset));
    if (region.base != nullptr) {
      break;
    }
  }
  if (slots == 0) {
    return false;
  }
  region.first = first;
  // Release: pairs with the acquires of those who look without the lock.
  region.slots.store(slots, std::memory_order_release);
  next_region_slots_ = std::min(slots * 2, kMostSlotsARegion);
  ++region_count_;
  os::add_stack_area(reinterpret_cast<uintptr_t>(region.base), slots * slot_bytes_, slot_bytes_);
  return true;
}

Goroutine* StackArea::make_in(Region& region, size_t slot) const {
  Goroutine* g = new (goroutine_at(region, slot)) Goroutine;
  g->slot = static_cast<uint32_t>(region.first + slot);
  g->stack_low = region.base + slot * slot_bytes_ + guard_bytes_;
  return g;
}

Goroutine* StackArea::make() {
  MutexLock hold(lock_);
  if (recycled_count_ > 0) {
    size_t slot = recycled_[--recycled_count_];
    for (size_t i = 0; i < region_count_; ++i) {
      if (slot - regions_[i].first < regions_[i].slots.load(std::memory_order_relaxed)) {
        return make_in(regions_[i], slot - regions_[i].first);
      }
    }
  }
  Region* region = region_count_ == 0 ? nullptr : &regions_[region_count_ - 1];
  if (region == nullptr || region->used.load(std::memory_order_relaxed) ==
                               region->slots.load(std::memory_order_relaxed)) {
    if (!add_region()) {
      refusal_ =
          "no address space for another stack; raise the limit (ulimit -v) or set BURROW_STACK "
          "to a smaller size";
      return nullptr;
    }
    region = &regions_[region_count_ - 1];
  }
  size_t slot = region->used.load(std::memory_order_relaxed);
  if (!os::make_guard(region->base + slot * slot_bytes_, guard_bytes_, guard_kind_)) {
    refusal_ =
        "no mapping left for a stack's guard; raise vm.max_map_count (before Linux 6.13 each "
        "goroutine takes two)";
    return nullptr;
  }
  Goroutine* g = make_in(*region, slot);
  // Release: pairs with the acquire in for_each.
  region->used.store(slot + 1, std::memory_order_release);
  return g;
}

size_t StackArea::recycle(GoroutineList& dead) {
  size_t bytes = 0;
  while (Goroutine* g = dead.pop()) {
    char* low = g->stack_low;
    size_t slot = g->slot;
    size_t room = slot_bytes_ - guard_bytes_;
    bytes += pages_of(low, low + room).bytes;
    (void)os::release(low, room);
    MutexLock hold(lock_);
    recycled_[recycled_count_++] = static_cast<uint32_t>(slot);
  }
  return bytes;
}

bool StackArea::find(uintptr_t address, Bounds& bounds) const {
  for (const Region& region : regions_) {
    // Acquire: pairs with the release in add_region.
    size_t slots = region.slots.load(std::memory_order_acquire);
    if (slots == 0) {
      return false;
    }
    auto base = reinterpret_cast<uintptr_t>(region.base);
    if (address - base < slots * slot_bytes_) {
      size_t slot = (address - base) / slot_bytes_;
      // Acquire: pairs with the release in make.
      if (slot >= region.used.load(std::memory_order_acquire)) {
        return false;
      }
      bounds.slot = region.base + slot * slot_bytes_;
      bounds.low = bounds.slot + guard_bytes_;
      bounds.goroutine = goroutine_at(region, slot);
      return true;
    }
  }
  return false;
}

StackArea::Pages StackArea::pages_of(const char* low, const char* high) {
  Pages pages;
  for (const char* at = high; at > low;) {
    size_t step = std::min<size_t>(2 * kMiB, static_cast<size_t>(at - low));
    at -= step;
    os::Residency found = os::resident_in(at, step);
    if (found.bytes == 0) {
      break;
    }
    pages.bytes += found.bytes;
    pages.depth = static_cast<size_t>(high - at) - found.first;
  }
  return pages;
}

size_t StackArea::used() const {
  size_t total = 0;
  for (const Region& region : regions_) {
    if (region.slots.load(std::memory_order_acquire) == 0) {
      break;
    }
    total += region.used.load(std::memory_order_relaxed);
  }
  return total;
}

}  // namespace burrow::sched
