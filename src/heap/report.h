// The one-line messages about pointers that a program misused. See mheap.h, "Misuse".
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/printer.h"

namespace burrow::heap {

/// Prints "POINTER (block START+OFFSET, span START of N pages, class C)", as much of it as is
/// known. Takes no lock.
void print_pointer(Printer& out, const void* p);

/// Ends the program if `p` is in the collected heap.
void refuse_collected(const void* p);

/// Each of these says of an object of the collected heap that nobody but the collector frees it.
/// Ends the program: `p` was passed to `function` and is not a live block's start.
[[noreturn]] void report_invalid_free(const void* p);
/// Ends the program: the block is free already.
[[noreturn]] void report_double_free(const void* p);
/// Ends the program: a free block's first word was overwritten.
[[noreturn]] void report_write_after_free(const void* p);

/// What a live block was wanted for.
enum class PointerUse : uint8_t { kRealloc, kUsableSize };
/// Ends the program: the pointer is not the start of a live block.
[[noreturn]] void report_invalid_pointer(PointerUse use, const void* p);
/// Ends the program: the block is free.
[[noreturn]] void report_freed_pointer(PointerUse use, const void* p);
/// Ends the program: the size given to a sized delete does not fit the block.
[[noreturn]] void report_wrong_size(const void* p, size_t size);

}  // namespace burrow::heap
