// What Burrow asks of the operating system. The essay of this layer.
//
// What. One small set of functions over memory, time, limits, threads, descriptors and signals.
// Nothing above this layer makes a system call for memory itself; porting Burrow means writing
// these headers' functions again in a folder beside linux/.
//
// How. linux/memory.cc reserves address space without access, gives access to parts of it
// (commit), and gives physical pages back (release). linux/limits.cc reads resource limits and
// cgroup limits. linux/process.cc tells time, draws random numbers and reads the environment
// without libc's locale machinery. linux/thread.cc (thread.h) starts threads, and
// linux/thread_stack.cc tells where their stacks are; linux/mappings.cc (mappings.h) lists the
// mappings of the process and which pages they have, and linux/own_memory.cc knows Burrow's own;
// linux/stack_memory.cc (stack_memory.h) maps goroutines' stacks and their guards, and fibers.h
// tells sanitizers of them. linux/poll.cc (poll.h) waits for descriptors. linux/fault.cc (fault.h)
// handles memory faults and the quit signal.
//
// Invariants. No function here allocates from the heap, throws, or changes errno on success.
// All sizes are bytes and, where memory is concerned, multiples of `kOsPageSize`.
//
// Locks. None.
//
// Rejected. libc's sysconf and std::filesystem: they allocate or may. MADV_FREE for release: the
// pages stay in RSS until the kernel is short, and what users and we measure is RSS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace burrow::os {

/// The hardware's page.
inline constexpr size_t kOsPageSize = 4096;

// --- memory -----------------------------------------------------------------------------------

/// Reserves `bytes` of address space aligned to `alignment` (a power of two), without access and
/// without charge. Null when the system refuses.
[[nodiscard]] void* reserve(size_t bytes, size_t alignment);

/// Gives a reservation (or an end of it) back to the system.
void unreserve(void* start, size_t bytes);

/// Makes reserved memory readable and writable; fresh pages read as zero. False when the system
/// refuses (overcommit, RLIMIT_DATA, out of mappings).
[[nodiscard]] bool commit(void* start, size_t bytes);

/// Makes reserved memory readable: it reads as zero and is charged to nobody.
[[nodiscard]] bool protect_read_only(void* start, size_t bytes);

/// Gives the physical pages back; the memory stays readable and writable and reads as zero.
/// False when the system refuses (for example locked pages); the contents are then unknown.
[[nodiscard]] bool release(void* start, size_t bytes);

/// Takes access away, so that any touch faults. False when the system refuses.
[[nodiscard]] bool protect_none(void* start, size_t bytes);

/// Moves the physical pages of [from, from+bytes) to [to, to+bytes) without copying; `from` stays
/// mapped and reads as zero afterwards, what was at `to` is gone. False when the kernel cannot:
/// before 5.7, for locked memory, or for what is not one mapping; then `from` is as it was.
[[nodiscard]] bool move_pages(void* from, void* to, size_t bytes);

/// Makes move_pages refuse from now on, as an old kernel does: for tests.
void forbid_move_pages();

/// Puts a fresh mapping over committed memory: it reads as zero, and the kernel can join it with
/// its neighbours again after `move_pages`. False when the system refuses.
[[nodiscard]] bool renew(void* start, size_t bytes);

/// Asks for huge pages. False when the system has none.
bool advise_huge(void* start, size_t bytes);

/// Anonymous zeroed memory of its own mapping, for tables that live as long as the process.
/// Null when the system refuses.
[[nodiscard]] void* map_memory(size_t bytes);
void unmap_memory(void* start, size_t bytes);

/// Copies memory that may have no access, or lose it meanwhile. False, and nothing of use in `to`,
/// where some of it cannot be read, or where the system has no such call for this process.
[[nodiscard]] bool try_read(void* to, uintptr_t from, size_t bytes);

/// Resident set of the process, in bytes; 0 when unknown.
[[nodiscard]] size_t resident_bytes();

// --- limits -----------------------------------------------------------------------------------

/// RLIMIT_AS's soft limit, if there is one.
[[nodiscard]] std::optional<size_t> address_space_limit();

/// The system call behind setrlimit and prlimit, with its results. `now` and `before` are the
/// system's struct rlimit, either may be null; `process` 0 is the caller.
int change_limit(int process, int resource, const void* now, void* before);

/// True when `resource` is RLIMIT_AS and `process` the caller.
[[nodiscard]] bool is_own_address_space(int process, int resource);

/// Address space in use by the process, in bytes; 0 when unknown.
[[nodiscard]] size_t address_space_used();

/// The smallest memory.max (cgroup v2) or memory.limit_in_bytes (v1) that binds this process, if
/// any. Reads files below `cgroup_root`; `proc_cgroup` tells which ones concern this process.
[[nodiscard]] std::optional<size_t> cgroup_memory_limit(
    const char* cgroup_root = "/sys/fs/cgroup", const char* proc_cgroup = "/proc/self/cgroup");

/// Processors this process may run on; at least 1.
[[nodiscard]] int processor_count();

// --- time, randomness -------------------------------------------------------------------------

/// Nanoseconds on the monotonic clock.
[[nodiscard]] int64_t monotonic_ns();

/// Nanoseconds of processor time that the calling thread has had.
[[nodiscard]] int64_t thread_cpu_ns();

/// Nanoseconds since 1970.
[[nodiscard]] int64_t wall_ns();

/// 64 random bits from the kernel (or from AT_RANDOM and the clock when it refuses).
[[nodiscard]] uint64_t random_u64();

// --- environment and process ------------------------------------------------------------------

/// The process has rights that the user who started it has not (a setuid program, one with
/// capabilities; see ld.so(8), "Secure-execution mode"): it must not do what that user says.
[[nodiscard]] bool secure_execution();

/// The value of an environment variable; null when there is none, and in secure execution. Safe
/// before libc's constructors have run.
[[nodiscard]] const char* env(const char* name);

/// Sets an environment variable, without the setenv of the program's: bash has one of its own,
/// which does something else before main. False when memory is out. REQUIRES: there is one thread.
[[nodiscard]] bool set_env(std::string_view name, std::string_view value);

/// Parses "123", "64K", "1G", "512MiB" (powers of two) into bytes.
[[nodiscard]] std::optional<size_t> parse_bytes(std::string_view text);

/// The value of KEY in an environment variable of the form "a=1,b=2"; nullopt when absent.
/// BURROW_DEBUG is read this way: debug_option("hardened").
[[nodiscard]] std::optional<std::string_view> debug_option(std::string_view key);

/// The kernel's number of the calling thread.
[[nodiscard]] uint32_t thread_id();

/// False when no thread of that number exists (any more).
[[nodiscard]] bool thread_exists(uint32_t thread);

/// Process id, uncached.
[[nodiscard]] uint32_t process_id();

/// True until the process starts its second thread.
[[nodiscard]] bool single_threaded();

/// The path of the program's file, without a null at its end; its length, 0 when unknown.
[[nodiscard]] size_t program_path(char* buffer, size_t capacity);

[[nodiscard]] bool file_exists(const char* path);

/// Removes a file, if it is there and can be removed.
void remove_file(const char* path);

/// Reads up to `capacity` bytes of a file into `buffer`; the number read, or nullopt.
[[nodiscard]] std::optional<size_t> read_file(const char* path, char* buffer, size_t capacity);

}  // namespace burrow::os
