// What sync.h and timer.h call. Not for direct use.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "burrow/internal/chan.h"

namespace burrow::internal {

/// What a wait is for, as messages show it.
enum class SyncWait : uint8_t { kMutex, kRWMutexRead, kRWMutexWrite, kWaitGroup, kCond };

/// A counting semaphore that starts at 0; who waits does so in a queue. The library's own.
struct Semaphore {
  uint64_t state[3] = {};
};

/// Takes a permit, or waits for one: first in the queue (`lifo`) or last.
void semaphore_acquire(Semaphore& semaphore, SyncWait reason, bool lifo = false);
/// Gives `count` permits, straight to those that wait where there are any. Touches the semaphore no
/// more once a permit is given. With `hand_off` the caller's goroutine lets the woken one run.
void semaphore_release(Semaphore& semaphore, uint32_t count = 1, bool hand_off = false);

/// The waiters of a condition variable. The library's own.
struct NotifyList {
  uint64_t state[4] = {};
};

/// Two steps of a wait: a ticket, before the lock is given back; then the wait.
[[nodiscard]] uint32_t notify_list_add(NotifyList& list);
void notify_list_wait(NotifyList& list, uint32_t ticket);
void notify_list_notify(NotifyList& list, bool all);

void mutex_lock_slow(std::atomic<uint32_t>& state, Semaphore& semaphore);
void mutex_unlock_slow(std::atomic<uint32_t>& state, Semaphore& semaphore, uint32_t now);
void wait_group_add(std::atomic<uint64_t>& state, Semaphore& semaphore, int64_t delta);
void wait_group_wait(std::atomic<uint64_t>& state, Semaphore& semaphore);
/// Ends the program: "fatal error: MESSAGE".
[[noreturn]] void sync_fatal(const char* message);

/// What happens when a timer fires.
struct TimerAction {
  /// Gets the time without waiting; null for none. The timer takes over one reference.
  ChanCore* chan = nullptr;
  /// Starts the goroutine of `after_func`.
  void (*launch)(void* context) = nullptr;
  void (*destroy)(void* context) noexcept = nullptr;
  void* context = nullptr;
};

class TimerCore;

/// A timer that fires after `delay_ns`, then each `period_ns` when that is not 0.
[[nodiscard]] TimerCore* timer_make(const TimerAction& action, int64_t delay_ns, int64_t period_ns);
/// Stops it and frees it.
void timer_free(TimerCore* timer) noexcept;
/// True when it had not fired, or nobody had received what it sent.
bool timer_core_stop(TimerCore* timer);
bool timer_core_reset(TimerCore* timer, int64_t delay_ns, int64_t period_ns);
/// Panics: a ticker's period must be positive.
[[noreturn]] void ticker_panic();
/// One that nobody stops: fires once and frees itself.
void timer_fire_once(ChanCore* chan, int64_t delay_ns);

}  // namespace burrow::internal
