// What a stop's owner and the handlers of threads share. See os/stop.h.
#pragma once

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "os/stop.h"

namespace burrow::os {

// As other collectors do: SIGPWR is otherwise unused.
inline constexpr int kSignal = SIGPWR;
inline constexpr size_t kMostThreads = 65536;
inline constexpr int64_t kAskAgainNs = 50'000;
inline constexpr int64_t kAwakeAmongFewNs = 60'000;
// The kernel's PID_MAX_LIMIT.
inline constexpr uint32_t kThreadNumbers = 1 << 22;
inline constexpr uint32_t kNever = UINT32_MAX;
inline constexpr uint32_t kStopping = UINT32_MAX - 1;

inline constinit StopCallbacks g_callbacks;
inline constinit StoppedThread* g_slots = nullptr;
// By thread number: 0, but while its handler is at work kStopping or the generation in which it has
// stopped, as for one that is traced; kNever for those that are not asked. Made by whoever comes
// first; release, and acquire when read.
inline constinit std::atomic<std::atomic<uint32_t>*> g_stopped_in{nullptr};
// Odd while a stop is on. Release on change, acquire in handlers: what the stop's owner wrote.
inline constinit std::atomic<uint32_t> g_generation{0};
// Places that were taken, and above them the generation in which more may be: a handler that is
// late takes none of the next stop's. Acquire and release: a handler that gets one sees what the
// owner wrote before it opened the stop.
inline constinit std::atomic<uint64_t> g_places{0};
// Places that are filled. Release in a handler after its slot is filled; acquire in `wait_for`.
inline constinit std::atomic<uint32_t> g_acks{0};
// The stop's owner sleeps on g_acks, or is about to.
inline constinit std::atomic<bool> g_acks_awaited{false};

// Threads that sleep until they are resumed, or are about to. Sequentially consistent, as is the
// change of g_generation: who resumes sees the sleeper, or the sleeper the change.
inline constinit std::atomic<uint32_t> g_sleepers{0};
// There is a processor for each thread that is likely to be stopped. Written by the stop's owner
// before g_generation.
inline constinit std::atomic<bool> g_few{false};

inline std::atomic<uint32_t>& stopped_in(uint32_t tid) {
  return g_stopped_in.load(std::memory_order_acquire)[tid % kThreadNumbers];
}

// True for a thread that has stopped, and for one that is never asked to.
inline bool is_settled(uint32_t tid, uint32_t generation) {
  uint32_t seen = stopped_in(tid).load(std::memory_order_acquire);
  return seen == generation || seen == kNever;
}

inline void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG, value,
          nullptr, nullptr, 0);
}

inline uint64_t places_of(uint32_t generation, uint32_t taken) {
  return uint64_t{generation} << 32 | taken;
}

/// Makes what `stopped_in` looks up in; once. False when memory is out.
[[nodiscard]] bool make_table();

/// A place in the stop; none when it is over.
StoppedThread* take_place(uint32_t generation);

/// With `tid`, `thread_pointer` and the registers set. REQUIRES: the thread is stopped.
void fill_place(StoppedThread& slot, uintptr_t sp);

/// What pairs with is_settled and wait_for: whoever sees the thread as stopped sees its place too.
void announce(uint32_t tid, uint32_t generation);

}  // namespace burrow::os
