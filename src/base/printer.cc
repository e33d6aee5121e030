// The allocation-free printer. See printer.h.
#include "base/printer.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/errno_scope.h"

namespace burrow {

Printer& Printer::operator<<(std::string_view text) {
  size_t n = std::min(text.size(), capacity_ - length_);
  truncated_ = truncated_ || n < text.size();
  std::memcpy(buffer_ + length_, text.data(), n);
  length_ += n;
  return *this;
}

Printer& Printer::operator<<(Hex hex) {
  char digits[16];
  size_t n = 0;
  uint64_t v = hex.value;
  do {
    digits[n++] = "0123456789abcdef"[v & 15];
    v >>= 4;
  } while (v != 0);
  *this << "0x";
  while (n > 0) {
    *this << digits[--n];
  }
  return *this;
}

Printer& Printer::print_unsigned(uint64_t value) {
  char digits[20];
  size_t n = 0;
  do {
    digits[n++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (n > 0) {
    *this << digits[--n];
  }
  return *this;
}

Printer& Printer::print_signed(int64_t value) {
  if (value < 0) {
    *this << '-';
    return print_unsigned(~static_cast<uint64_t>(value) + 1);
  }
  return print_unsigned(static_cast<uint64_t>(value));
}

void Printer::write_to(int fd) const {
  ErrnoScope keep;
  size_t done = 0;
  while (done < length_) {
    ssize_t n = ::syscall(SYS_write, fd, buffer_ + done, length_ - done);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      break;
    }
    done += static_cast<size_t>(n);
  }
}

}  // namespace burrow
