// Reads unwind rows out of .eh_frame. See prof.h, How 2.
#pragma once

#include <cstdint>
#include <span>

#include "prof/unwind_row.h"

namespace burrow::prof {

/// The call-frame instructions of one function, and how to read them.
struct CfiProgram {
  std::span<const uint8_t> common;  ///< of the CIE
  std::span<const uint8_t> own;     ///< of the FDE
  uint64_t code_factor = 1;
  int64_t data_factor = -8;
};

/// The row in force `target` bytes into the function. kNeedsLibgcc for what it does not
/// understand; never reads outside the spans.
[[nodiscard]] UnwindRow run_cfi(const CfiProgram& program, uint64_t target);

/// The row for a return address by the table at `eh_frame_hdr` (a loaded object's PT_GNU_EH_FRAME
/// segment). kNeedsLibgcc where there is none or it is not understood.
[[nodiscard]] UnwindRow find_row(const uint8_t* eh_frame_hdr, uintptr_t return_address);

}  // namespace burrow::prof
