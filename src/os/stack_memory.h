// Memory for goroutines' stacks, and the signal stacks of their workers. See os.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::os {

/// Address space for stacks: readable and writable at once, pages on first touch, never huge
/// pages, charged for nothing. Placed at `hint` where that is free (so that neighbours become one
/// mapping), else anywhere at `offset` above a multiple of `alignment`. Null when the system
/// refuses.
[[nodiscard]] void* map_stacks(void* hint, size_t bytes, size_t alignment, size_t offset);

/// How guards are made here.
enum class GuardKind : uint8_t {
  kInstall,  ///< MADV_GUARD_INSTALL (Linux 6.13): in the page tables, splits no mapping
  kProtect,  ///< PROT_NONE: each guard makes two more mappings of vm.max_map_count
};

/// The best kind that works, found out by trying. BURROW_DEBUG=guardinstall=0 says kProtect.
[[nodiscard]] GuardKind guard_kind();

/// Makes any touch of the range fault. False when the system refuses (kProtect: out of mappings).
[[nodiscard]] bool make_guard(void* start, size_t bytes, GuardKind kind);

/// What of a range has pages.
struct Residency {
  size_t bytes = 0;
  size_t first = SIZE_MAX;  ///< offset of the lowest page; SIZE_MAX: there is none
};

[[nodiscard]] Residency resident_in(const void* start, size_t bytes);

/// Tells `stack_end` (thread.h) of stacks: equal slots that fill [start, start + bytes). Areas
/// that adjoin the former are joined with it. Not for concurrent calls.
void add_stack_area(uintptr_t start, size_t bytes, size_t slot_bytes);

/// Upper end of the slot that holds `address` in an area of `add_stack_area`; 0 when none does.
[[nodiscard]] uintptr_t stack_slot_end(uintptr_t address);

/// Gives the calling thread a stack for signal handlers, unless it has one. For threads that run
/// goroutines and live for ever.
void use_signal_stack();

}  // namespace burrow::os
