// Sanitizers on Linux. See os/sanitizer.h.
#include "os/sanitizer.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

#include "base/printer.h"
#include "os/symbol_table.h"

// Where their runtimes are linked, or loaded before this.
extern "C" {
[[gnu::weak]] void __asan_init();
[[gnu::weak]] void __hwasan_init();
[[gnu::weak]] void __msan_init();
[[gnu::weak]] void __tsan_init();
}

namespace burrow::os {

const char* sanitizer() {
  return __asan_init != nullptr     ? "AddressSanitizer"
         : __hwasan_init != nullptr ? "HWAddressSanitizer"
         : __msan_init != nullptr   ? "MemorySanitizer"
         : __tsan_init != nullptr   ? "ThreadSanitizer"
                                    : nullptr;
}

namespace {

// Not write: it may be the sanitizer's, which is not ready.
void say(const FixedPrinter<400>& line) {
  std::string_view text = line.text();
  syscall(SYS_write, 2, text.data(), text.size());
}

}  // namespace

void refuse_sanitizer(void* own_malloc) {
  const char* name = sanitizer();
  if (name == nullptr || own_malloc == nullptr) {
    return;
  }
  FixedPrinter<400> line;
  if (bound_function("malloc") != own_malloc) {
    line << "burrow: " << name
         << "'s malloc serves this program: Burrow's heap profiles, figures and limits leave it "
            "out\n";
    say(line);
    return;
  }
  line << "burrow: " << name << " brings its own malloc, and Burrow's is before it: "
       << "link with libburrow.so instead of libburrow.a, and do not preload libburrow_malloc.so\n";
  say(line);
  syscall(SYS_exit_group, 1);
}

}  // namespace burrow::os
