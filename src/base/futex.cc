// Sleeping on a word. See futex.h.
#include "base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/errno_scope.h"

namespace burrow {

void futex_wait(std::atomic<uint32_t>& word, uint32_t value) {
  ErrnoScope keep;
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

bool futex_wait_for(std::atomic<uint32_t>& word, uint32_t value, int64_t timeout_ns) {
  ErrnoScope keep;
  timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &timeout, nullptr, 0);
  return result == 0 || errno != ETIMEDOUT;
}

void futex_wake_one(std::atomic<uint32_t>& word) {
  ErrnoScope keep;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void futex_wake_all(std::atomic<uint32_t>& word) {
  ErrnoScope keep;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace burrow
