// Not being stopped for a moment. See hold.h.
#include "base/hold.h"

namespace burrow {

constinit thread_local Hold t_hold;
constinit std::atomic<void (*)()> g_stop_if_wanted{nullptr};

BURROW_NOINLINE void end_hold_slow() {
  t_hold.wanted = false;
  // Acquire: pairs with the release in stop_init.
  if (auto* stop = g_stop_if_wanted.load(std::memory_order_acquire); stop != nullptr) {
    stop();
  }
}

}  // namespace burrow
