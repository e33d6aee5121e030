// The mappings of the process, and reads of them that cannot fault. See os.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace burrow::os {

/// A range of addresses with the same rights: a line of /proc/self/maps.
struct Mapping {
  uintptr_t start = 0;
  uintptr_t limit = 0;
  bool readable = false;
  bool writable = false;
  bool shared = false;
  bool file = false;  ///< holds a file's pages, a device's or the kernel's own
};

/// Calls `visit` with each mapping, lowest first. One that changes meanwhile may be seen as it was,
/// as it is, or not at all. False when the system does not tell.
bool for_each_mapping(void (*visit)(void* argument, const Mapping& mapping), void* argument);

template <typename F>
bool for_each_mapping(F visit) {
  return for_each_mapping([](void* f, const Mapping& mapping) { (*static_cast<F*>(f))(mapping); },
                          &visit);
}

/// The mapping around an address; both ends are 0 when there is none.
[[nodiscard]] Mapping mapping_of(uintptr_t address);

/// Calls `visit` with each part of [from, to) that has pages, in memory or swapped out: the rest
/// was never written to. Where the system does not tell, that is all of it. The answer itself reads
/// no page. REQUIRES: page-aligned.
void for_each_present(uintptr_t from, uintptr_t to,
                      void (*visit)(void* argument, uintptr_t from, uintptr_t to), void* argument);

template <typename F>
void for_each_present(uintptr_t from, uintptr_t to, F visit) {
  for_each_present(
      from, to,
      [](void* f, uintptr_t part, uintptr_t part_end) { (*static_cast<F*>(f))(part, part_end); },
      &visit);
}

/// Copies memory that may have no access, or lose it meanwhile, page by page where that is needed.
/// Pages that the program took its own access from are read as well, where the kernel lets the
/// process do so. What cannot be read is zero in `to`. Returns the bytes that could be read.
size_t read_what_is_there(void* to, uintptr_t from, size_t bytes);

/// A range of addresses to read.
struct Piece {
  uintptr_t from = 0;
  size_t bytes = 0;
};

/// Copies all pieces one behind the other by one system call, which costs as much as some 20 KiB.
/// False, and nothing of use in `to`, where `read_what_is_there` has to read them one by one.
/// REQUIRES: at most kMostPieces.
inline constexpr size_t kMostPieces = 64;
[[nodiscard]] bool try_read_all(void* to, std::span<const Piece> pieces);

/// Makes the call behind `try_read` fail from now on, as a filter of system calls does: for tests.
void forbid_process_reads();

// --- Burrow's own memory ------------------------------------------------------------------------

/// Memory of Burrow's own, which holds no roots or is looked through in other ways. Any thread.
void note_own_memory(const void* start, size_t bytes);
/// Before it is unmapped: all of what was noted, or its upper end.
void forget_own_memory(const void* start);
/// Upper end of the noted memory that holds `address`; 0 when none does.
[[nodiscard]] uintptr_t own_memory_end(uintptr_t address);

/// Calls `visit` with the parts of [from, to) that were not noted.
void for_each_not_own(uintptr_t from, uintptr_t to,
                      void (*visit)(void* argument, uintptr_t from, uintptr_t to), void* argument);

template <typename F>
void for_each_not_own(uintptr_t from, uintptr_t to, F visit) {
  for_each_not_own(
      from, to,
      [](void* f, uintptr_t part, uintptr_t part_end) { (*static_cast<F*>(f))(part, part_end); },
      &visit);
}

// --- stacks -------------------------------------------------------------------------------------

/// A stack that the system or the program gave a thread when it was made: [low, limit).
struct StackBounds {
  uintptr_t low = 0;
  uintptr_t limit = 0;

  [[nodiscard]] bool holds(uintptr_t address) const { return address >= low && address < limit; }
};

/// The stack that a thread began on, from its thread pointer; both ends are 0 when it is not known.
/// Reads the C library's descriptor; no lock and no system call.
[[nodiscard]] StackBounds thread_stack(uintptr_t thread_pointer);

/// The stack of the first thread as far as it has grown, and what lies above it. Looks the mapping
/// up when `sp` is not on what is known of it, or when `all` of it is asked for: it may have grown
/// below `sp`.
[[nodiscard]] StackBounds first_stack(uintptr_t sp, bool all = false);

/// The same without a look at the mappings: as far as it was known to have grown.
[[nodiscard]] StackBounds known_first_stack();

/// Finds out where the C library's descriptor tells of stacks, if that is not known. To be called
/// by a thread of Burrow's own.
void learn_thread_stacks();

/// Finds the C library's lists of threads. To be called before `for_each_thread_descriptor`; takes
/// the loader's lock.
void learn_thread_descriptors();

/// Calls `visit` with each thread's descriptor, also of threads that have ended and were not joined
/// yet: their results lie there. None where the C library does not tell, as in a static program.
/// REQUIRES: the world is stopped. (A thread may be stopped while it changes the list: glibc keeps
/// the way forward whole.)
void for_each_thread_descriptor(void (*visit)(void* argument, uintptr_t from, uintptr_t to),
                                void* argument);

}  // namespace burrow::os
