// include/burrow/go.h over the scheduler. See api.h.
#include "burrow/go.h"

#include "base/annotations.h"
#include "sched/blocking.h"
#include "sched/poller.h"
#include "sched/run.h"
#include "sched/spawn.h"
#include "sched/start.h"
#include "sched/timer.h"

namespace burrow {
namespace {

int64_t deadline_ns(Deadline deadline) {
  return deadline == kNoDeadline
             ? sched::kNever
             : std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch())
                   .count();
}

}  // namespace

namespace internal {

BURROW_EXPORT NewGoroutine new_goroutine(size_t closure_bytes, size_t closure_align) {
  sched::NewGoroutine made = sched::new_goroutine(closure_bytes, closure_align);
  return {made.goroutine, made.closure};
}

BURROW_EXPORT void abandon_goroutine(void* goroutine) noexcept {
  sched::abandon_goroutine(static_cast<sched::Goroutine*>(goroutine));
}

BURROW_EXPORT void start_goroutine(void* goroutine, void (*invoke)(void*)) noexcept {
  sched::start_goroutine(static_cast<sched::Goroutine*>(goroutine), invoke,
                         reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
}

BURROW_EXPORT void run_and_wait(void (*main)(void*), void* argument) {
  sched::run_and_wait(main, argument);
}

BURROW_EXPORT bool enter_blocking() noexcept {
  return sched::enter_blocking();
}

BURROW_EXPORT void exit_blocking() noexcept {
  sched::exit_blocking();
}

BURROW_EXPORT void sleep_for_ns(int64_t duration_ns) {
  sched::sleep_ns(duration_ns);
}

}  // namespace internal

BURROW_EXPORT void yield() {
  sched::yield_now();
}

BURROW_EXPORT size_t num_goroutine() {
  return sched::count_goroutines();
}

BURROW_EXPORT int set_processors(int count) {
  return sched::set_processors(count);
}

BURROW_EXPORT bool wait_readable(int fd, Deadline deadline) {
  return sched::wait_fd(fd, {.readable = true, .writable = false}, deadline_ns(deadline));
}

BURROW_EXPORT bool wait_writable(int fd, Deadline deadline) {
  return sched::wait_fd(fd, {.readable = false, .writable = true}, deadline_ns(deadline));
}

}  // namespace burrow
