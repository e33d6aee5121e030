// A processor that has never had another beside it takes from its own queue without atomic
// read-modify-writes, which are most of what a switch costs otherwise. See sched.h, How 2.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/annotations.h"

namespace burrow::sched {

/// Whether others may take from a processor's queue and next slot. Starts as kShared; the start of
/// the scheduler sets it for a lone processor, `end` changes it back for good.
class Solitude {
  enum class State : uint8_t { kShared, kAlone, kAloneSlowly };

 public:
  /// While it lives, and if `alone()`, nobody but the owner takes. Owner only; short.
  class Turn {
   public:
    explicit Turn(Solitude& solitude) : solitude_(solitude) {
      // The other half of this fence between the two is the system call in `end`: when it has
      // returned, either it sees that a turn is on, or the turn sees that it is not alone.
      solitude_.turn_.store(true, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      state_ = solitude_.state_.load(std::memory_order_relaxed);
    }

    ~Turn() {
      // Release: pairs with the acquire in `end`.
      solitude_.turn_.store(false, std::memory_order_release);
    }

    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    [[nodiscard]] bool alone() const { return state_ != State::kShared; }

    /// Between what is read and what is written.
    void halfway() const {
      if (BURROW_UNLIKELY(state_ == State::kAloneSlowly)) {
        linger();
      }
    }

   private:
    void linger() const;

    Solitude& solitude_;
    State state_;
  };

  /// REQUIRES: there is no other processor. Nothing happens where the system has no barrier for
  /// all threads. `slowly`: turns take a millisecond, the one in which `end` comes 50 more, for
  /// tests.
  void begin(bool slowly);
  /// Before there is another. Waits for the owner's turn, if it is in one: some instructions.
  void end();

 private:
  std::atomic<State> state_{State::kShared};
  std::atomic<bool> turn_{false};  ///< the owner's
};

}  // namespace burrow::sched
