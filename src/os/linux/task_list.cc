// The threads of the process. See os/task_list.h.
#include "os/task_list.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/printer.h"
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

// Threads found ended; asked about again at each stop, without waiting for them first. Only the one
// stop that is on uses it.
constinit std::array<uint32_t, 16> g_ended{};

bool remembered(uint32_t tid) {
  for (uint32_t known : g_ended) {
    if (known == tid) {
      return true;
    }
  }
  return false;
}

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

TaskState ask_kernel(uint32_t tid, int signal) {
  FixedPrinter<64> path;
  path << "/proc/self/task/" << tid << "/status" << '\0';
  const char* name = path.text().begin();  // ends with the 0 above
  std::array<char, 4096> buffer;
  std::optional<size_t> size = read_file(name, buffer.data(), buffer.size());
  if (!size) {
    return TaskState::kEnded;
  }
  std::string_view text(buffer.data(), *size);
  std::string_view state = line_of(text, "\nState:");
  if (state.starts_with("Z") || state.starts_with("X")) {
    return TaskState::kEnded;
  }
  // A thread that is just being made or ending blocks signals too, but does not sleep then, or only
  // until a thread goes on that has stopped.
  if (!state.starts_with("S")) {
    return TaskState::kAnswers;
  }
  std::string_view blocked = line_of(text, "\nSigBlk:");
  uint64_t mask = 0;
  std::from_chars(blocked.data(), blocked.data() + blocked.size(), mask, 16);
  return (mask >> (signal - 1) & 1) != 0 ? TaskState::kDeaf : TaskState::kAnswers;
}

}  // namespace

void for_each_task(void (*visit)(void* argument, uint32_t tid), void* argument) {
  int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return;
  }
  alignas(Entry) std::array<char, 4096> buffer;
  for (;;) {
    long n = syscall(SYS_getdents64, fd, buffer.data(), buffer.size());
    if (n <= 0) {
      break;
    }
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer.data() + at);
      uint32_t tid = 0;
      auto [end, error] = std::from_chars(entry->name, entry->name + std::strlen(entry->name), tid);
      if (error == std::errc() && tid != 0) {
        visit(argument, tid);
      }
      at += entry->length;
    }
  }
  close(fd);
}

TaskState task_state(uint32_t tid, int signal, bool look) {
  bool known = remembered(tid);
  if (!known && !look) {
    return TaskState::kAnswers;
  }
  TaskState state = ask_kernel(tid, signal);
  if (state == TaskState::kEnded && !known) {
    static constinit size_t next = 0;
    g_ended[next++ % g_ended.size()] = tid;
  }
  return state;
}

}  // namespace burrow::os
