// Clang's thread-safety annotations; nothing under other compilers. See base.h.
#pragma once

#if defined(__clang__)
#define BURROW_ANNOTATION(x) __attribute__((x))
#else
#define BURROW_ANNOTATION(x)
#endif

#define BURROW_CAPABILITY(name) BURROW_ANNOTATION(capability(name))
#define BURROW_SCOPED_CAPABILITY BURROW_ANNOTATION(scoped_lockable)
#define BURROW_GUARDED_BY(m) BURROW_ANNOTATION(guarded_by(m))
#define BURROW_PT_GUARDED_BY(m) BURROW_ANNOTATION(pt_guarded_by(m))
#define BURROW_REQUIRES(...) BURROW_ANNOTATION(requires_capability(__VA_ARGS__))
#define BURROW_ACQUIRE(...) BURROW_ANNOTATION(acquire_capability(__VA_ARGS__))
#define BURROW_TRY_ACQUIRE(...) BURROW_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define BURROW_RELEASE(...) BURROW_ANNOTATION(release_capability(__VA_ARGS__))
#define BURROW_EXCLUDES(...) BURROW_ANNOTATION(locks_excluded(__VA_ARGS__))
#define BURROW_NO_THREAD_SAFETY_ANALYSIS BURROW_ANNOTATION(no_thread_safety_analysis)

/// For figures that are read while their owner changes them: an old value is as good as a new one.
#define BURROW_NO_TSAN __attribute__((no_sanitize("thread")))

/// Branch hints and inlining that the fast paths depend on.
// Reads memory that may be anything's: another frame's, say.
#define BURROW_NO_SANITIZE __attribute__((no_sanitize("address", "thread", "undefined")))

#define BURROW_LIKELY(x) __builtin_expect(static_cast<bool>(x), 1)
#define BURROW_UNLIKELY(x) __builtin_expect(static_cast<bool>(x), 0)
#define BURROW_ALWAYS_INLINE inline __attribute__((always_inline))
#define BURROW_NOINLINE __attribute__((noinline))
/// A variable of the runtime's own that never holds a pointer to a collected object: not a root.
/// For big ones only, as it takes its size in the file.
#define BURROW_NO_ROOTS __attribute__((section("burrow_no_roots")))
/// Marks a declaration whose definition is in the same library: no detour through the GOT.
#define BURROW_HIDDEN __attribute__((visibility("hidden")))
/// Marks a symbol that the shared libraries export.
#define BURROW_EXPORT __attribute__((visibility("default")))
