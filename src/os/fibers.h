// Tells sanitizers of stacks that are switched: nothing at all in other builds. See os.h.
#pragma once

#include <cstddef>

#include "base/annotations.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BURROW_ASAN_FIBERS 1
#endif
#if __has_feature(thread_sanitizer)
#define BURROW_TSAN_FIBERS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BURROW_ASAN_FIBERS 1
#endif
#if defined(__SANITIZE_THREAD__)
#define BURROW_TSAN_FIBERS 1
#endif

#if defined(BURROW_ASAN_FIBERS)
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(BURROW_TSAN_FIBERS)
#include <sanitizer/tsan_interface.h>
#endif

namespace burrow::os {

/// True in builds that need more stack than others.
#if defined(BURROW_ASAN_FIBERS) || defined(BURROW_TSAN_FIBERS)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

#if defined(BURROW_TSAN_FIBERS)
inline constexpr bool kThreadSanitized = true;
#else
inline constexpr bool kThreadSanitized = false;
#endif

/// What a sanitizer knows of one stack.
struct Fiber {
#if defined(BURROW_ASAN_FIBERS)
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  size_t bytes = 0;
#endif
#if defined(BURROW_TSAN_FIBERS)
  void* state = nullptr;
#endif
};

/// Before a stack is used again: whoever ended on it left marks of his frames at its upper end.
inline void unpoison_stack([[maybe_unused]] const void* bottom, [[maybe_unused]] size_t bytes) {
#if defined(BURROW_ASAN_FIBERS)
  size_t top = bytes < 65536 ? bytes : 65536;
  __asan_unpoison_memory_region(static_cast<const char*>(bottom) + bytes - top, top);
#endif
}

/// A stack that is about to be used for the first time.
inline void make_fiber([[maybe_unused]] Fiber& fiber, [[maybe_unused]] const void* bottom,
                       [[maybe_unused]] size_t bytes) {
#if defined(BURROW_ASAN_FIBERS)
  fiber.fake_stack = nullptr;
  fiber.bottom = bottom;
  fiber.bytes = bytes;
#endif
#if defined(BURROW_TSAN_FIBERS)
  fiber.state = __tsan_create_fiber(0);
#endif
}

/// A stack that has been left for good. Called on another one.
inline void end_fiber([[maybe_unused]] Fiber& fiber) {
#if defined(BURROW_TSAN_FIBERS)
  __tsan_destroy_fiber(fiber.state);
  fiber.state = nullptr;
#endif
}

/// The calling thread's own stack.
inline void adopt_thread([[maybe_unused]] Fiber& fiber) {
#if defined(BURROW_ASAN_FIBERS)
  pthread_attr_t attributes;
  void* bottom = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &bottom, &fiber.bytes);
  pthread_attr_destroy(&attributes);
  fiber.bottom = bottom;
#endif
#if defined(BURROW_TSAN_FIBERS)
  fiber.state = __tsan_get_current_fiber();
#endif
}

/// Immediately before the switch. `last`: the stack that is left will not be switched to again.
/// (Inlined, so that ThreadSanitizer sees each function begin and end on one stack.)
BURROW_ALWAYS_INLINE void before_switch([[maybe_unused]] Fiber& from,
                                        [[maybe_unused]] const Fiber& to,
                                        [[maybe_unused]] bool last) {
#if defined(BURROW_ASAN_FIBERS)
  __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.bottom, to.bytes);
#endif
#if defined(BURROW_TSAN_FIBERS)
  __tsan_switch_to_fiber(to.state, 0);
#endif
}

/// Immediately after it, on the stack `to`.
BURROW_ALWAYS_INLINE void after_switch([[maybe_unused]] const Fiber& to) {
#if defined(BURROW_ASAN_FIBERS)
  __sanitizer_finish_switch_fiber(to.fake_stack, nullptr, nullptr);
#endif
}

}  // namespace burrow::os
