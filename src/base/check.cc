// How a broken invariant ends the program. See check.h.
#include "base/check.h"

#include <atomic>
#include <cstdlib>

namespace burrow {
namespace {

constinit std::atomic<void (*)()> g_fatal_hook{nullptr};

}  // namespace

void set_fatal_hook(void (*hook)()) {
  // Release: pairs with the exchange in fatal_message.
  g_fatal_hook.store(hook, std::memory_order_release);
}

void fatal_message(std::string_view message) {
  FixedPrinter<700> out;
  out << "burrow: fatal: " << message << '\n';
  out.write_to(2);
  // Exchanged, so that a hook that fails itself does not run again.
  if (auto hook = g_fatal_hook.exchange(nullptr, std::memory_order_acq_rel); hook != nullptr) {
    hook();
  }
  std::abort();
}

void check_failed(const char* condition, const char* file, int line) {
  fatal(file, ":", line, ": CHECK failed: ", condition);
}

}  // namespace burrow
