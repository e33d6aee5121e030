// Reading and writing whole files. See files.h.
#include "files.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace burrow::cmd {

std::optional<std::string> read_all(int fd, size_t most) {
  std::string text;
  std::array<char, 65536> buffer;
  while (text.size() < most) {
    ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno != EINTR) {
      return std::nullopt;
    }
    if (n == 0) {
      break;
    }
    text.append(buffer.data(), n > 0 ? static_cast<size_t>(n) : 0);
  }
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(n > 0 ? static_cast<size_t>(n) : 0);
  }
  return true;
}

}  // namespace burrow::cmd
