// The threads of the process. See os/task_list.h.
#include "os/task_list.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/errno_scope.h"
#include "base/printer.h"
#include "os/descriptor.h"
#include "os/os.h"

namespace burrow::os {
namespace {

// The kernel's linux_dirent64.
struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

std::string_view line_of(std::string_view text, std::string_view key) {
  size_t at = text.find(key);
  if (at == std::string_view::npos) {
    return {};
  }
  text.remove_prefix(at + key.size());
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  return text;
}

uint64_t number_of(std::string_view text, std::string_view key, int base = 10) {
  std::string_view line = line_of(text, key);
  uint64_t value = 0;
  std::from_chars(line.data(), line.data() + line.size(), value, base);
  return value;
}

// The number of bytes, or an error's number, negative. Unlike `read_file` it tells what is gone
// from what cannot be asked about.
long read_whole(const char* path, char* buffer, size_t capacity) {
  ErrnoScope keep;
  Descriptor fd(open(path, O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    return -errno;
  }
  size_t done = 0;
  while (done < capacity) {
    ssize_t n = read(fd.get(), buffer + done, capacity - done);
    if (n < 0 && errno != EINTR) {
      return -errno;
    }
    if (n == 0) {
      break;
    }
    done += n > 0 ? static_cast<size_t>(n) : 0;
  }
  return static_cast<long>(done);
}

}  // namespace

bool for_each_task(void (*visit)(void* argument, uint32_t tid), void* argument) {
  Descriptor fd(open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) {
    return false;
  }
  uint32_t self = thread_id();
  bool found_self = false;
  alignas(Entry) std::array<char, 4096> buffer;
  for (;;) {
    long n = syscall(SYS_getdents64, fd.get(), buffer.data(), buffer.size());
    if (n < 0) {
      return false;
    }
    if (n == 0) {
      return found_self;
    }
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer.data() + at);
      uint32_t tid = 0;
      auto [end, error] = std::from_chars(entry->name, entry->name + std::strlen(entry->name), tid);
      if (error == std::errc() && tid != 0) {
        found_self = found_self || tid == self;
        visit(argument, tid);
      }
      at += entry->length;
    }
  }
}

TaskStatus task_status(uint32_t tid) {
  FixedPrinter<64> path;
  path << "/proc/self/task/" << tid << "/status" << '\0';
  const char* name = path.text().begin();  // ends with the 0 above
  // A user in a thousand groups fills the most of it. What is behind them counts as unknown.
  std::array<char, 16384> buffer;
  long size = read_whole(name, buffer.data(), buffer.size());
  TaskStatus status;
  if (size < 0) {
    bool gone = size == -ENOENT || size == -ESRCH;
    status.known = gone ? TaskStatus::Known::kGone : TaskStatus::Known::kNo;
    return status;
  }
  std::string_view text(buffer.data(), static_cast<size_t>(size));
  std::string_view state = line_of(text, "\nState:");
  if (state.empty() || line_of(text, "\nSigBlk:").empty()) {
    return status;
  }
  status.known = state.front() == 'X' ? TaskStatus::Known::kGone : TaskStatus::Known::kYes;
  status.state = state.front();
  status.blocked = number_of(text, "\nSigBlk:", 16);
  status.tracer = static_cast<uint32_t>(number_of(text, "\nTracerPid:"));
  status.switches = number_of(text, "\nvoluntary_ctxt_switches:") +
                    number_of(text, "\nnonvoluntary_ctxt_switches:");
  return status;
}

size_t task_name(uint32_t tid, char* name, size_t capacity) {
  FixedPrinter<64> path;
  path << "/proc/self/task/" << tid << "/comm" << '\0';
  long size = read_whole(path.text().begin(), name, capacity);
  return size > 0 ? static_cast<size_t>(size) - 1 : 0;  // less the end of the line
}

}  // namespace burrow::os
