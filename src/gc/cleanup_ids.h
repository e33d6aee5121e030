// Which cleanups may still be stopped. See specials.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gc/outside_list.h"

namespace burrow::gc {

/// Numbers that are never given twice: a place in a table, and how often the place was used.
class CleanupIds {
 public:
  constexpr CleanupIds() = default;

  /// A number for a cleanup that waits; never 0.
  uint64_t take() {
    if (free_ == kNone) {
      places_.push({});
      free_ = static_cast<uint32_t>(places_.size() - 1);
    }
    uint32_t index = free_;
    Place& place = places_[index];
    free_ = place.next_free;
    place.state = State::kWaits;
    return uint64_t{++place.uses} << 32 | index;
  }

  /// True once: it waited, and does no more.
  bool stop(uint64_t id) {
    bool waits = is(id, State::kWaits);
    if (waits) {
      places_[index_of(id)].state = State::kStopped;
      ++stopped_;
    }
    return waits;
  }

  [[nodiscard]] bool stopped(uint64_t id) { return is(id, State::kStopped); }

  /// It is due, or was dropped after it was stopped: its place serves another.
  void give_back(uint64_t id) {
    Place& place = places_[index_of(id)];
    stopped_ -= place.state == State::kStopped ? 1 : 0;
    place.state = State::kFree;
    place.next_free = free_;
    free_ = index_of(id);
  }

  /// Those that were stopped and have not been given back.
  [[nodiscard]] size_t stopped_count() const { return stopped_; }

 private:
  enum class State : uint8_t {
    kFree,     ///< nobody's
    kWaits,    ///< its cleanup will run
    kStopped,  ///< its cleanup is dropped when it is next come across
  };

  struct Place {
    uint32_t uses = 0;
    uint32_t next_free = kNone;
    State state = State::kFree;
  };

  static constexpr uint32_t kNone = UINT32_MAX;

  static uint32_t index_of(uint64_t id) { return static_cast<uint32_t>(id); }

  bool is(uint64_t id, State state) {
    uint32_t index = index_of(id);
    return index < places_.size() && places_[index].uses == id >> 32 &&
           places_[index].state == state;
  }

  OutsideList<Place> places_;
  uint32_t free_ = kNone;
  size_t stopped_ = 0;
};

}  // namespace burrow::gc
