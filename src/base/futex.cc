// Sleeping on a word. See futex.h.
#include "base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/errno_scope.h"

namespace burrow {

void futex_wait(std::atomic<uint32_t>& word, uint32_t value) {
  ErrnoScope keep;
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void futex_wait_for(std::atomic<uint32_t>& word, uint32_t value, int64_t timeout_ns) {
  ErrnoScope keep;
  timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &timeout, nullptr, 0);
}

void futex_wake_one(std::atomic<uint32_t>& word) {
  ErrnoScope keep;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace burrow
