// A file descriptor that is closed with its scope. See os.h.
#pragma once

#include <unistd.h>

#include <utility>

namespace burrow::os {

/// Closes what it holds whatever happens, also when an allocation throws.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}

  ~Descriptor() { close(); }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /// Negative when there is none.
  [[nodiscard]] int get() const { return fd_; }

  void close() {
    if (int fd = std::exchange(fd_, -1); fd >= 0) {
      ::close(fd);
    }
  }

 private:
  int fd_;
};

}  // namespace burrow::os
