// One row of unwind information: how to get from a frame to its caller. See prof.h, How 2.
#pragma once

#include <cstdint>

namespace burrow::prof {

/// What holds at one return address. Offsets are bytes, multiples of 8.
struct UnwindRow {
  /// Where the CFA is, the value of rsp before the call that made the frame. The return address is
  /// always at CFA - 8.
  enum class Cfa : uint8_t {
    kNone,        ///< no row: an empty place in the memo
    kRsp,         ///< rsp + offset
    kRbp,         ///< rbp + offset
    kAtRbp,       ///< the word at rbp + offset (functions that align their stack, GCC)
    kOutermost,   ///< nowhere: the stack ends here
    kNeedsLibgcc  ///< the unwind information is beyond this form
  };
  /// Where the caller's rbp is.
  enum class Rbp : uint8_t {
    kSame,   ///< still in rbp
    kAtCfa,  ///< at CFA + rbp_offset
    kAtRbp   ///< at rbp + 0
  };

  Cfa cfa = Cfa::kNone;
  Rbp rbp = Rbp::kSame;
  int32_t cfa_offset = 0;
  int32_t rbp_offset = 0;

  bool operator==(const UnwindRow&) const = default;
};

inline constexpr UnwindRow kNeedsLibgcc{UnwindRow::Cfa::kNeedsLibgcc};
inline constexpr UnwindRow kOutermost{UnwindRow::Cfa::kOutermost};

/// An UnwindRow in 28 bits: 3 for Cfa, 7 for rbp (0: the same, 127: at rbp, else the 8-byte words
/// below the CFA), 18 for the signed CFA offset in words.
using PackedRow = uint32_t;
inline constexpr int kPackedRowBits = 28;

/// Rows that do not fit (frames over 1 MiB) become kNeedsLibgcc.
constexpr PackedRow pack(const UnwindRow& row) {
  constexpr int32_t kMost = (1 << 17) - 1;
  uint32_t rbp = 0;
  if (row.rbp == UnwindRow::Rbp::kAtRbp) {
    rbp = 127;
  } else if (row.rbp == UnwindRow::Rbp::kAtCfa) {
    int32_t words = -row.rbp_offset / 8;
    if (row.rbp_offset % 8 != 0 || words < 1 || words > 126) {
      return pack(kNeedsLibgcc);
    }
    rbp = static_cast<uint32_t>(words);
  }
  int32_t words = row.cfa_offset / 8;
  if (row.cfa_offset % 8 != 0 || words > kMost || words < -kMost) {
    return pack(kNeedsLibgcc);
  }
  return (static_cast<uint32_t>(words) & 0x3FFFF) << 10 | rbp << 3 | static_cast<uint32_t>(row.cfa);
}

constexpr UnwindRow unpack(PackedRow packed) {
  UnwindRow row;
  row.cfa = static_cast<UnwindRow::Cfa>(packed & 7);
  row.cfa_offset = (static_cast<int32_t>(packed << 4) >> 14) * 8;
  auto rbp = static_cast<int32_t>(packed >> 3 & 127);
  if (rbp == 127) {
    row.rbp = UnwindRow::Rbp::kAtRbp;
  } else if (rbp != 0) {
    row.rbp = UnwindRow::Rbp::kAtCfa;
    row.rbp_offset = -8 * rbp;
  }
  return row;
}

}  // namespace burrow::prof
