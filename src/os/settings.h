// The names of all settings, and whether the environment has others. See os.h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace burrow::os {

/// What the value of an option may be.
enum class OptionValue : uint8_t {
  kSwitch,  ///< 0 or 1
  kNumber,  ///< a decimal number
  kText,    ///< anything
};

/// An option of BURROW_DEBUG.
struct DebugOption {
  std::string_view name;
  OptionValue value = OptionValue::kSwitch;
};

/// Every option that `debug_option` is asked for (a check compares).
inline constexpr std::array<DebugOption, 16> kDebugOptions = {{
    {"cgroup", OptionValue::kText},
    {"clobberfree"},
    {"dirty"},
    {"gcstress"},
    {"gctrace"},
    {"gcverify"},
    {"guard", OptionValue::kNumber},
    {"guardinstall"},
    {"hardened"},
    {"move"},
    {"nodirty"},
    {"scavenger"},
    {"schedstress"},
    {"slowturns"},
    {"unwindcheck"},
    {"verify"},
}};

/// Every variable that `env` is asked for (a check compares).
inline constexpr std::array<std::string_view, 14> kVariables = {
    "BURROW_DEBUG",          "BURROW_GC",           "BURROW_HTTP",
    "BURROW_HTTP_ADDRFILE",  "BURROW_HTTP_CMDLINE", "BURROW_MEMLIMIT",
    "BURROW_OWNER_PID",      "BURROW_PROCS",        "BURROW_PROFILE",
    "BURROW_PROFILE_SIGNAL", "BURROW_PROFRATE",     "BURROW_ROOTS",
    "BURROW_STACK",          "BURROW_SYMBOLIZER",
};

/// Says in one line each, on standard error, which settings have a wrong name, and which options of
/// BURROW_DEBUG a wrong value. What else variables hold is judged where it is read. Allocates
/// nothing.
void check_settings();

}  // namespace burrow::os
