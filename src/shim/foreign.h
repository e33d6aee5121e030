// The C library's own malloc, beside ours. See shim.h.
#pragma once

namespace burrow::shim {

/// Finds the functions of the C library's malloc, before its names lead to ours.
void find_foreign_heap();

}  // namespace burrow::shim
