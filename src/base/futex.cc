// Sleeping on a word. See futex.h.
#include "base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace burrow {

void futex_wait(std::atomic<uint32_t>& word, uint32_t value) {
  int saved_errno = errno;
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
  errno = saved_errno;
}

bool futex_wait_for(std::atomic<uint32_t>& word, uint32_t value, int64_t ns) {
  int saved_errno = errno;
  timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &timeout, nullptr, 0);
  bool timed_out = result != 0 && errno == ETIMEDOUT;
  errno = saved_errno;
  return !timed_out;
}

void futex_wake_one(std::atomic<uint32_t>& word) {
  int saved_errno = errno;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  errno = saved_errno;
}

void futex_wake_all(std::atomic<uint32_t>& word) {
  int saved_errno = errno;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  errno = saved_errno;
}

}  // namespace burrow
