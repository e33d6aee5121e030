// The loaded objects that a stack walk comes through, and whether they are still the same ones.
// See prof.h, How 2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "prof/row_memo.h"

namespace burrow::prof {

/// A loaded object.
struct CodeModule {
  uintptr_t start;
  uintptr_t limit;
  const uint8_t* eh_frame_hdr;
  /// Rows of this object may be kept: if another one comes to its addresses, it will be noticed.
  bool lasting;

  bool operator==(const CodeModule&) const = default;

  [[nodiscard]] bool contains(uintptr_t address) const { return address - start < limit - start; }
};

/// Fills in the object around `address`, which must be on the calling thread's stack as a return
/// address (less one), so that nobody may unload it now. When an object is met whose addresses
/// another one had before, all rows in `memo` are forgotten first. False when there is none.
/// Lock-free; makes no system call.
[[nodiscard]] bool find_code_module(uintptr_t address, RowMemo& memo, CodeModule& module);

/// The object around `address` when it is one of those that are never unloaded, else null.
[[nodiscard]] const CodeModule* find_permanent_module(uintptr_t address);

/// Notes the objects that are never unloaded; call once, while there is one thread.
void note_permanent_modules();

/// False when the system has no way to find objects without a lock.
[[nodiscard]] bool code_modules_work();

/// In the child of a fork, where another thread may have been adding a module.
void reset_code_modules_after_fork();

}  // namespace burrow::prof
