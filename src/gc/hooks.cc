// The hooks of a cycle. See hooks.h.
#include "gc/hooks.h"

#include <array>
#include <atomic>
#include <cstddef>

#include "base/check.h"

namespace burrow::gc {
namespace {

constexpr size_t kMostHooks = 8;
// Release when set, acquire when called: what the hook needs was made before.
constinit std::array<std::atomic<void (*)()>, kMostHooks> g_hooks{};

}  // namespace

void add_cycle_hook(void (*hook)()) {
  for (std::atomic<void (*)()>& slot : g_hooks) {
    void (*none)() = nullptr;
    if (slot.compare_exchange_strong(none, hook, std::memory_order_release,
                                     std::memory_order_relaxed)) {
      return;
    }
  }
  fatal("too many hooks of the collector's cycle");
}

void run_cycle_hooks() {
  for (std::atomic<void (*)()>& slot : g_hooks) {
    if (void (*hook)() = slot.load(std::memory_order_acquire); hook != nullptr) {
      hook();
    }
  }
}

}  // namespace burrow::gc
