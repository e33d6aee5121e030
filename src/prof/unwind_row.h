// One row of unwind information: how to get from a frame to its caller. See prof.h, How 2.
#pragma once

#include <cstdint>

namespace burrow::prof {

/// What holds at one return address. Offsets are bytes, multiples of 8.
struct UnwindRow {
  /// Where the CFA is, the value of rsp before the call that made the frame. The return address is
  /// always at CFA - 8.
  enum class Cfa : uint8_t {
    kRsp = 1,          ///< rsp + offset
    kRbp = 2,          ///< rbp + offset
    kAtRbp = 4,        ///< the word at rbp + offset (functions that align their stack, GCC)
    kOutermost = 5,    ///< nowhere: the stack ends here
    kNeedsLibgcc = 6,  ///< the unwind information is beyond this form
    kMissing = 7,      ///< not a row: the memo's answer when it has none
  };

  /// Where the caller's rbp is.
  enum class Rbp : uint8_t {
    kSame,   ///< still in rbp
    kAtCfa,  ///< at CFA + rbp_offset
    kAtRbp   ///< at rbp + 0; only with Cfa::kAtRbp
  };

  Cfa cfa = Cfa::kMissing;
  Rbp rbp = Rbp::kSame;
  int32_t cfa_offset = 0;
  int32_t rbp_offset = 0;

  bool operator==(const UnwindRow&) const = default;
};

inline constexpr UnwindRow kNeedsLibgcc{UnwindRow::Cfa::kNeedsLibgcc};
inline constexpr UnwindRow kOutermost{UnwindRow::Cfa::kOutermost};

/// An UnwindRow in 28 bits, made for speed: 3 for Cfa, 7 for rbp (the 8-byte words that it is below
/// the CFA, so that masking them out gives the bytes; 0: the same; 127: at rbp), 18 for the signed
/// CFA offset in words. Never 0.
using PackedRow = uint64_t;
inline constexpr int kPackedRowBits = 28;
inline constexpr PackedRow kMissingRow = 7;

/// Set in rows that take more than `packed_base_is_rsp`, `packed_offset` and `packed_rbp_below`.
inline constexpr PackedRow kSpecialRow = 4;

constexpr bool packed_base_is_rsp(PackedRow row) {
  return (row & 1) != 0;
}

constexpr int64_t packed_offset(PackedRow row) {
  return (static_cast<int64_t>(row << (64 - kPackedRowBits)) >> (64 - 18)) * 8;
}

/// Bytes from rbp's place up to the CFA; 0 when it is unchanged.
constexpr uint64_t packed_rbp_below(PackedRow row) {
  return row & (uint64_t{127} << 3);
}

/// Rows that do not fit (frames over 1 MiB) become kNeedsLibgcc.
constexpr PackedRow pack(const UnwindRow& row) {
  constexpr int32_t kMost = (1 << 17) - 1;
  uint64_t rbp = 0;
  if (row.rbp == UnwindRow::Rbp::kAtRbp) {
    if (row.cfa != UnwindRow::Cfa::kAtRbp) {
      return pack(kNeedsLibgcc);
    }
    rbp = 127;
  } else if (row.rbp == UnwindRow::Rbp::kAtCfa) {
    int32_t words = -row.rbp_offset / 8;
    if (row.rbp_offset % 8 != 0 || words < 1 || words > 126) {
      return pack(kNeedsLibgcc);
    }
    rbp = static_cast<uint64_t>(words);
  }
  int32_t words = row.cfa_offset / 8;
  if (row.cfa_offset % 8 != 0 || words > kMost || words < -kMost) {
    return pack(kNeedsLibgcc);
  }
  return (static_cast<uint64_t>(words) & 0x3FFFF) << 10 | rbp << 3 | static_cast<uint64_t>(row.cfa);
}

constexpr UnwindRow unpack(PackedRow packed) {
  UnwindRow row;
  row.cfa = static_cast<UnwindRow::Cfa>(packed & 7);
  row.cfa_offset = static_cast<int32_t>(packed_offset(packed));
  auto below = static_cast<int32_t>(packed_rbp_below(packed));
  if (below == 127 * 8) {
    row.rbp = UnwindRow::Rbp::kAtRbp;
  } else if (below != 0) {
    row.rbp = UnwindRow::Rbp::kAtCfa;
    row.rbp_offset = -below;
  }
  return row;
}

}  // namespace burrow::prof
