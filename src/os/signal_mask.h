// The calling thread's signal mask, past what the collector puts before the C library's functions
// (gc/signal_mask.cc). See os.h.
#pragma once

#include <cstdint>

namespace burrow::os {

/// One bit a signal, the kernel's way: signal n is bit n - 1.
struct SignalMask {
  uint64_t bits = 0;

  /// All but two that the C library keeps for itself (cancellation 32, setuid 33): a thread that
  /// blocked them would have setuid in another wait for ever.
  static constexpr SignalMask all() { return {~(uint64_t{3} << 31)}; }

  [[nodiscard]] constexpr SignalMask without(int signal) const {
    return {bits & ~(uint64_t{1} << (signal - 1))};
  }
};

/// How `change_signal_mask` uses its argument.
enum class MaskChange : uint8_t { kBlock, kUnblock, kSet };

/// Changes the mask and gives the former one. Cannot fail.
SignalMask change_signal_mask(MaskChange how, SignalMask mask);

}  // namespace burrow::os
