// What the command line sets (-mllvm -burrow-...); `burrow c++` has shorter names for them.
#pragma once

#include <cstdint>
#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace burrow {

enum class Explain { None, Decisions, Flows, Json };

struct Options {
  static Explain explain();
  static bool elideNew();
  static void setElideNew();
  static bool promote();
  /// Objects and archives whose summaries may be relied on: see Sidecar.h.
  static llvm::ArrayRef<std::string> summaries();
  /// Plain pointers carry barriers, in all of the program.
  static bool barriers();
  /// Largest object moved to the stack, and what all of a frame may take together. The budget of a
  /// function that may call itself is smaller.
  static uint64_t maxObject();
  static uint64_t frameBudget();
  static uint64_t recursiveBudget();
  /// What blocks of new and malloc may take of a frame: threads with small stacks run such code
  /// too.
  static uint64_t elideBudget();
};

/// Whether a test planted this fault in the analysis; never in the plugin that users get.
#ifdef BURROW_PLUGIN_FAULTS
bool planted(llvm::StringRef Fault);
#else
constexpr bool planted(llvm::StringRef) {
  return false;
}
#endif

}  // namespace burrow
