// The functions of the heap under test that no header declares, and small helpers.
#pragma once

#include <malloc.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>

// Weak: the program of the preload variant is linked without Burrow.
extern "C" {
__attribute__((weak)) void free_sized(void* p, size_t size);
__attribute__((weak)) void free_aligned_sized(void* p, size_t alignment, size_t size);
}

namespace heap_abi {

/// A function of the heap by name, also one that the C library does not declare; null when the
/// program has none.
void* find(const char* name);

/// Bytes of address space and of memory in use by the process.
size_t address_space_bytes();
size_t resident_bytes();

/// What errno is after `body`, which starts with errno at a value that nothing sets.
inline constexpr int kUntouched = 4711;
int errno_after(const std::function<void()>& body);

/// Hides a value from the optimiser, so that it knows nothing of sizes and pairs of malloc and
/// free.
template <typename T>
T opaque(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

inline bool is_aligned(const void* p, size_t alignment) {
  return reinterpret_cast<uintptr_t>(p) % alignment == 0;
}

/// Fills a block with a pattern of its own, and checks it.
void fill(void* p, size_t bytes, unsigned seed);
bool holds(const void* p, size_t bytes, unsigned seed);

}  // namespace heap_abi
