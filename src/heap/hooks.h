// The calls that go up out of the heap: to the profiler and, later, to the collector.
//
// The heap may not include what lies above it, so whoever lies above fills in this table of named
// functions. Every pointer may be null, which means "nobody is interested".
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::heap {

/// The profiler's side of the heap. All functions may be called on any thread, inside malloc, but
/// never under a lock of the heap. What they allocate must not come from the heap.
struct ProfilerHooks {
  /// Bytes until the next sample, drawn anew on every call; INT64_MAX when sampling is off,
  /// 0 when every allocation is to be recorded.
  int64_t (*next_sample_distance)() = nullptr;
  /// An allocation was sampled. `size` is the size class's bytes (what the block really takes),
  /// as in Go. False: the profiler could not record it, and will not be told of its end.
  bool (*sampled_alloc)(void* block, size_t size) = nullptr;
  /// A block for which sampled_alloc returned true is about to be freed.
  void (*sampled_free)(void* block) = nullptr;
  /// Stores the calling thread's return addresses, innermost first, without Burrow's own frames;
  /// returns their number. Used by hardened mode for its reports.
  size_t (*capture_stack)(uintptr_t* pcs, size_t capacity) = nullptr;
};

/// Another heap in the process, whose blocks the program may hand to this one. All functions are
/// called with what is no address of this heap.
struct ForeignHooks {
  /// False: not a block of that heap either.
  bool (*owns)(const void* block) = nullptr;
  void (*free)(void* block) = nullptr;
  size_t (*usable_size)(void* block) = nullptr;
};

/// Installs the table, which must live for ever.
void install_foreign_hooks(const ForeignHooks* hooks);

/// The installed table if the block is of the other heap, else null. REQUIRES: `block` is no
/// address of this heap.
[[nodiscard]] const ForeignHooks* foreign_owner(const void* block);

struct HeapStats;

/// Has `add` called when the process's figures are read: it adds goroutines' stacks.
void install_stack_figures(void (*add)(HeapStats& stats));

/// Adds what the installed function knows; nothing in a program without goroutines.
void add_stack_figures(HeapStats& stats);

/// The collector's side of the heap.
struct CollectorHooks {
  /// An MCache ends whose `collected` is this.
  void (*cache_ends)(void* collected) = nullptr;
  /// The calling thread has got another MCache.
  void (*cache_changes)() = nullptr;
  /// A full collection; has ended on return.
  void (*collect)() = nullptr;
  /// Adds the collected objects and the collections so far.
  void (*add_figures)(HeapStats& stats) = nullptr;
  /// Returns when nobody reads any more what the descriptors of spans said may be read before the
  /// call. False where that cannot be waited for. REQUIRES: the caller holds no lock.
  bool (*await_scans)() = nullptr;
};

/// Installs the collector's table, which must live for ever.
void install_collector_hooks(const CollectorHooks* hooks);

/// The installed table, or null.
[[nodiscard]] const CollectorHooks* collector_hooks();

/// Installs the profiler's table, which must live for ever. Threads that allocate notice at their
/// next slow path: `refresh_sampling` is called.
void install_profiler_hooks(const ProfilerHooks* hooks);

/// The installed table, or null.
[[nodiscard]] const ProfilerHooks* profiler_hooks();

/// Whether the calling thread's allocations are left out of the profile; returns what was set
/// before. For Burrow's own work, which is not the program's.
bool mute_sampling(bool muted);

/// Mutes the calling thread for a scope.
class MutedScope {
 public:
  MutedScope() : before_(mute_sampling(true)) {}

  ~MutedScope() { mute_sampling(before_); }

  MutedScope(const MutedScope&) = delete;
  MutedScope& operator=(const MutedScope&) = delete;

 private:
  bool before_;
};

/// Lets operator new throw std::bad_alloc at once when the calling thread is out of memory: for a
/// thread of Burrow's own that catches it. The program's new-handler and its C++ runtime are not
/// asked.
void throw_when_out_of_memory();

/// Whether the calling thread has asked for that.
[[nodiscard]] bool throws_when_out_of_memory();

/// Makes every thread draw its sample distance anew: call after the sampling rate has changed.
void refresh_sampling();

}  // namespace burrow::heap
