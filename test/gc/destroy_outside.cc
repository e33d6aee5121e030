// For the shared library: by its public functions. See destroy.h.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "burrow/gc.h"
#include "destroy.h"

namespace {

std::atomic<bool> g_ran{false};

__attribute__((noinline)) void litter() {
  for (int i = 0; i < 100; ++i) {
    burrow::add_cleanup(burrow::make<int>(), [](int /*n*/) { g_ran.store(true); }, 0);
  }
}

}  // namespace

void plant(const std::string& fault) {
  if (!fault.empty()) {
    std::abort();
  }
}

// What is due now comes before what is due later.
void drain() {
  g_ran.store(false);
  while (!g_ran.load()) {
    litter();
    burrow::collect();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}
