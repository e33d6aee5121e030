// Time, randomness, environment and identity on Linux. See os/os.h.
#include <elf.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/errno_scope.h"
#include "os/os.h"

extern char** environ;

namespace burrow::os {
namespace {

int64_t read_clock(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t thread_cpu_ns() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t wall_ns() {
  return read_clock(CLOCK_REALTIME);
}

uint64_t random_u64() {
  uint64_t value = 0;
  ErrnoScope keep;
  if (::syscall(SYS_getrandom, &value, sizeof value, GRND_NONBLOCK) != sizeof value) {
    // The kernel left 16 random bytes beside the arguments.
    if (const void* seed = reinterpret_cast<const void*>(::getauxval(AT_RANDOM)); seed != nullptr) {
      std::memcpy(&value, seed, sizeof value);
    }
    value ^= static_cast<uint64_t>(monotonic_ns()) * 0x9E3779B97F4A7C15;
  }
  return value;
}

bool secure_execution() {
  return ::getauxval(AT_SECURE) != 0;
}

const char* env(const char* name) {
  if (environ == nullptr || secure_execution()) {
    return nullptr;
  }
  size_t length = std::strlen(name);
  for (char** e = environ; *e != nullptr; ++e) {
    if (std::strncmp(*e, name, length) == 0 && (*e)[length] == '=') {
      return *e + length + 1;
    }
  }
  return nullptr;
}

bool set_env(std::string_view name, std::string_view value) {
  size_t count = 0;
  char** place = nullptr;
  for (char** e = environ; e != nullptr && *e != nullptr; ++e, ++count) {
    if (std::strncmp(*e, name.data(), name.size()) == 0 && (*e)[name.size()] == '=') {
      place = e;
    }
  }
  // Never given back: the environment has it.
  const size_t table = place != nullptr ? 0 : (count + 2) * sizeof(char*);
  auto* memory = static_cast<char*>(map_memory(table + name.size() + value.size() + 2));
  if (memory == nullptr) {
    return false;
  }
  char* item = memory + table;
  std::memcpy(item, name.data(), name.size());
  item[name.size()] = '=';
  std::memcpy(item + name.size() + 1, value.data(), value.size());
  if (place == nullptr) {
    auto** all = reinterpret_cast<char**>(memory);
    std::copy_n(environ, count, all);
    place = all + count;
    environ = all;
  }
  *place = item;
  return true;
}

std::optional<size_t> parse_bytes(std::string_view text) {
  size_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) {
    return std::nullopt;
  }
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  unsigned shift = 0;
  if (!unit.empty() && unit != "B") {
    constexpr std::string_view kUnits = "KMGT";
    size_t at = kUnits.find(unit[0] >= 'a' ? static_cast<char>(unit[0] - 32) : unit[0]);
    std::string_view tail = unit.substr(1);
    if (at == std::string_view::npos || !(tail.empty() || tail == "B" || tail == "iB")) {
      return std::nullopt;
    }
    shift = static_cast<unsigned>(10 * (at + 1));
  }
  if (shift > 0 && value > (SIZE_MAX >> shift)) {
    return std::nullopt;
  }
  return value << shift;
}

std::optional<std::string_view> debug_option(std::string_view key) {
  const char* text = env("BURROW_DEBUG");
  std::string_view rest = text == nullptr ? std::string_view() : std::string_view(text);
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string_view item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (item.size() > key.size() && item.starts_with(key) && item[key.size()] == '=') {
      return item.substr(key.size() + 1);
    }
  }
  return std::nullopt;
}

size_t program_path(char* buffer, size_t capacity) {
  ErrnoScope keep;
  ssize_t length = ::readlink("/proc/self/exe", buffer, capacity);
  return length > 0 ? static_cast<size_t>(length) : 0;
}

bool file_exists(const char* path) {
  ErrnoScope keep;
  return ::access(path, F_OK) == 0;
}

void remove_file(const char* path) {
  ErrnoScope keep;
  (void)::unlink(path);
}

uint32_t thread_id() {
  return static_cast<uint32_t>(::syscall(SYS_gettid));
}

bool thread_exists(uint32_t thread) {
  ErrnoScope keep;
  return ::syscall(SYS_tkill, static_cast<pid_t>(thread), 0) == 0 || errno != ESRCH;
}

uint32_t process_id() {
  return static_cast<uint32_t>(::syscall(SYS_getpid));
}

bool single_threaded() {
  return __libc_single_threaded != 0;
}

}  // namespace burrow::os
