// Which process serves and writes profiles. See owner.h.
#include "prof/owner.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "heap/give_way.h"
#include "os/os.h"

namespace burrow::prof {
namespace {

constexpr std::string_view kPassedOn = "passed-on";

// Programs that start others as children. What calls exec alone (env, nice) is the other program
// then, and need not be here.
constexpr std::array<std::string_view, 22> kWrappers = {
    "bash",    "busybox", "dash",    "dbus-run-session",
    "flock",   "gdb",     "ksh",     "ltrace",
    "make",    "mksh",    "nsenter", "perf",
    "runuser", "script",  "setsid",  "sh",
    "strace",  "su",      "time",    "timeout",
    "xargs",   "zsh"};

struct Role {
  uint32_t process = 0;
  bool owner = false;
  bool wrapper = false;    ///< passes on what it was, or would have been, the owner of
  bool passed_on = false;  ///< was given it by a wrapper
};

bool starts_others() {
  std::array<char, 4096> buffer;
  std::string_view path(buffer.data(), os::program_path(buffer.data(), buffer.size()));
  std::string_view name = path.substr(path.rfind('/') + 1);
  return std::find(kWrappers.begin(), kWrappers.end(), name) != kWrappers.end();
}

Role settle() {
  Role role;
  role.process = os::process_id();
  const char* variable = os::env("BURROW_OWNER_PID");
  std::string_view text = variable == nullptr ? std::string_view() : std::string_view(variable);
  role.passed_on = text == kPassedOn;
  uint32_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (!text.empty() && !role.passed_on && pid != role.process) {
    return role;
  }
  role.wrapper = starts_others();
  role.owner = !role.wrapper;
  std::string own = role.wrapper ? std::string(kPassedOn) : std::to_string(role.process);
  (void)os::set_env("BURROW_OWNER_PID", own);
  return role;
}

const Role& role() {
  static const Role settled = settle();
  return settled;
}

bool is_same_process() {
  return role().process == os::process_id();
}

}  // namespace

bool is_owner() {
  return !heap::g_gave_way && role().owner && is_same_process();
}

bool has_other_owners() {
  return role().owner && role().passed_on;
}

bool is_wrapper() {
  return role().wrapper && !role().passed_on && is_same_process();
}

}  // namespace burrow::prof
