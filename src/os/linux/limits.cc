// Resource limits and sizes on Linux. See os/os.h.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "base/errno_scope.h"
#include "base/printer.h"
#include "os/os.h"

namespace burrow::os {
namespace {

// The number at the start of a small file, or nullopt ("max", no file).
std::optional<size_t> read_number(const char* path) {
  char buffer[64];
  std::optional<size_t> n = read_file(path, buffer, sizeof buffer);
  size_t value = 0;
  if (!n || std::from_chars(buffer, buffer + *n, value).ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

// Field `index` of /proc/self/statm, in bytes.
size_t statm_bytes(size_t index) {
  char buffer[256];
  size_t n = read_file("/proc/self/statm", buffer, sizeof buffer).value_or(0);
  const char* at = buffer;
  const char* end = buffer + n;
  for (size_t i = 0; i < index; ++i) {
    at = std::find(at, end, ' ');
    at += at < end ? 1 : 0;
  }
  size_t pages = 0;
  std::from_chars(at, end, pages);
  return pages * kOsPageSize;
}

// Room for texts: threads with small stacks ask too, under the heap's lock.
struct Scratch {
  char groups[4096];  // /proc/self/cgroup
  char name[4096];    // of the file in hand
};

// The limits of a cgroup and of all above it; `path` is "/a/b" below `root` and `part` of that.
void limit_up_the_tree(Scratch& scratch, std::string_view root, std::string_view part,
                       std::string_view path, std::string_view file, std::optional<size_t>& least) {
  for (;;) {
    Printer name(scratch.name, sizeof scratch.name);
    name << root << part << path << (path == "/" ? "" : "/") << file << '\0';
    if (!name.truncated()) {
      if (std::optional<size_t> value = read_number(scratch.name); value) {
        least = std::min(least.value_or(*value), *value);
      }
    }
    size_t slash = path.rfind('/');
    if (path.size() <= 1 || slash == std::string_view::npos) {
      return;
    }
    path = path.substr(0, slash == 0 ? 1 : slash);
  }
}

std::optional<size_t> read_cgroup_limit(Scratch& scratch, const char* root,
                                        const char* proc_cgroup) {
  std::optional<size_t> n = read_file(proc_cgroup, scratch.groups, sizeof scratch.groups);
  std::optional<size_t> least;
  std::string_view rest(scratch.groups, n.value_or(0));
  while (!rest.empty()) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    size_t first = line.find(':');
    size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) {
      continue;
    }
    std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string_view path = line.substr(second + 1);
    if (controllers.empty()) {
      limit_up_the_tree(scratch, root, "", path, "memory.max", least);
    } else if (controllers == "memory") {
      limit_up_the_tree(scratch, root, "/memory", path, "memory.limit_in_bytes", least);
    }
  }
  // cgroup v1 writes "no limit" as a huge number.
  return least && *least < (size_t{1} << 60) ? least : std::nullopt;
}

}  // namespace

std::optional<size_t> read_file(const char* path, char* buffer, size_t capacity) {
  // The system calls themselves: libc's functions are cancellation points, and malloc must be none.
  ErrnoScope keep;
  auto fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  if (fd < 0) {
    return std::nullopt;
  }
  size_t done = 0;
  while (done < capacity) {
    ssize_t n = ::syscall(SYS_read, fd, buffer + done, capacity - done);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      break;
    }
    done += static_cast<size_t>(n);
  }
  ::syscall(SYS_close, fd);
  return done;
}

size_t resident_bytes() {
  return statm_bytes(1);
}

size_t address_space_used() {
  return statm_bytes(0);
}

std::optional<size_t> address_space_limit() {
  rlimit limit{};
  ErrnoScope keep;
  bool known = ::getrlimit(RLIMIT_AS, &limit) == 0;
  if (!known || limit.rlim_cur == RLIM_INFINITY) {
    return std::nullopt;
  }
  return limit.rlim_cur;
}

int change_limit(int process, int resource, const void* now, void* before) {
  return static_cast<int>(::syscall(SYS_prlimit64, process, resource, now, before));
}

bool is_own_address_space(int process, int resource) {
  return resource == RLIMIT_AS && (process == 0 || process == ::getpid());
}

std::optional<size_t> cgroup_memory_limit(const char* cgroup_root, const char* proc_cgroup) {
  auto* scratch = static_cast<Scratch*>(map_memory(sizeof(Scratch)));
  if (scratch == nullptr) {
    return std::nullopt;
  }
  std::optional<size_t> limit = read_cgroup_limit(*scratch, cgroup_root, proc_cgroup);
  unmap_memory(scratch, sizeof(Scratch));
  return limit;
}

int processor_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return 1;
  }
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace burrow::os
