// How misuse of the collected heap's values ends the program, with Go's words. Not for users.
#pragma once

#include <cstddef>
#include <string_view>

namespace burrow::internal {

/// "panic: runtime error: MESSAGE"; exit code 2.
[[noreturn]] void panic_runtime(std::string_view message);

/// s[index] of a slice of `length`.
[[noreturn]] void panic_index(size_t index, size_t length);

/// Which bound of s(from, to) or s(from, to, max) is wrong.
enum class BadBound : unsigned char {
  kTo,         ///< s(from, TO): above the capacity
  kFrom,       ///< s(FROM, to): above `to`
  kMax,        ///< s(from, to, MAX): above the capacity
  kToOfMax,    ///< s(from, TO, max): above `max`
  kFromOfMax,  ///< s(FROM, to, max): above `to`
};

/// `bound` is wrong because of `other`.
[[noreturn]] void panic_bounds(BadBound which, size_t bound, size_t other);

}  // namespace burrow::internal
