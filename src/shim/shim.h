// The C ABI of malloc and C++'s operators new and delete, over the heap.
//
// What. Every function that glibc asks of a replacement malloc ("Replacing malloc" in its manual),
// its private aliases, the C23 sized frees, and the replaceable operators of C++20; besides them
// setrlimit and prlimit, dlopen, and in the preload pthread_create. They are the only functions of
// Burrow that set errno, and the only ones that throw.
//
// How. malloc.cc holds the hot pair, inlined from heap/fast_path.h. aligned.cc checks
// alignments as glibc does. info.cc answers mallinfo2, malloc_info and their kin from
// `heap::read_stats`. operators.cc holds new and delete; when memory is out they call
// `new_failed`, of which there are two: new_failure_throw.cc (libburrow) throws itself,
// new_failure_preload.cc (the preload, which may serve C programs without libstdc++) asks the
// program's own libstdc++ to. In a thread that asked `throws_when_out_of_memory` both throw at
// once. fork.cc keeps fork's handlers in order. limits.cc notices when the program limits its
// address space; thread_start_preload.cc notices when it starts a thread, and scavenger.cc starts
// the heap's own where it is asked for. give_way_preload.cc finds out that the program has Burrow
// in it: the preload does nothing then. deep_bind.cc serves libraries that are opened with
// RTLD_DEEPBIND, and foreign.cc hands blocks of the C library's own malloc back to it, when some
// library was bound to that all the same.
//
// Invariants.
//  - errno is ENOMEM (or EINVAL where documented) after a failure and untouched after a success.
//  - realloc(p, 0) frees and returns null, malloc(0) returns a block of its own: as glibc.
//  - No function here calls into libc in a way that allocates.
//
// Locks. None of its own.
//
// Rejected.
//  - Throwing std::bad_alloc from the preload through a linked-in libstdc++: two runtimes would
//    own one exception. Only what never leaves Burrow's own thread is thrown so.
//  - Opening libraries without RTLD_DEEPBIND, as the sanitizers do: those that ask for it carry
//  names
//    that the program has too, and would be bound to the wrong ones. It is what is left where the C
//    library's symbols cannot be changed, and then a line says so.
//  - Changing the C library's symbols at the start: sixteen pages of every process would become its
//    own for what few do.
//  - __malloc_hook: gone from glibc 2.34 on.
#pragma once

#include <cerrno>
#include <cstddef>

#include "base/annotations.h"

namespace burrow::shim {

/// What operator new does when memory is out: calls the new-handler until memory comes or throws
/// std::bad_alloc. `alignment` is 0 for the plain forms.
[[nodiscard]] void* new_failed(size_t size, size_t alignment);

/// As new_failed, for the nothrow forms: null instead of a throw.
[[nodiscard]] void* new_failed_nothrow(size_t size, size_t alignment) noexcept;

/// Sets errno to ENOMEM when `p` is null, and returns it.
BURROW_ALWAYS_INLINE void* or_enomem(void* p) {
  if (BURROW_UNLIKELY(p == nullptr)) {
    errno = ENOMEM;
  }
  return p;
}

}  // namespace burrow::shim

/// Gives a function both its public name and glibc's private one.
#define BURROW_ALIAS(name) BURROW_EXPORT __attribute__((alias(#name)))
