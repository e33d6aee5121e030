// Go's legacy text form of the heap profile. See prof.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "prof/profile.h"
#include "prof/symbolize.h"

namespace burrow::prof {

/// "heap profile: n: b [n: b] @ heap/RATE2", then for each site "n: b [n: b] @ addresses" and a
/// comment line a frame. Figures are sampled ones, as in Go. Piece by piece: of 100,000 sites the
/// text takes 200 MB.
class HeapText {
 public:
  explicit HeapText(HeapProfile profile);

  /// Appends the next sites, some tens of kilobytes of text; false when no more are left. Not to
  /// be called after that.
  [[nodiscard]] bool next(std::string& out);

 private:
  HeapProfile profile_;
  Symbols symbols_;
  std::vector<const ProfileRecord*> sorted_;  ///< the largest first
  size_t written_ = 0;
};

/// The part of a site's text behind its counts: " @ addresses", a comment line a frame, an empty
/// line.
void append_stack(std::string& out, std::span<const uintptr_t> stack, const Symbols& symbols);

}  // namespace burrow::prof
