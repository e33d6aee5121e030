// The collected heap: objects that nobody frees.
//
//     struct Node { burrow::Ptr<Node> next; int value; };
//     Node* n = burrow::make<Node>();
//
// Pointers to collected objects may be kept anywhere: on stacks, in globals, thread_locals,
// malloc'd blocks (and so in std:: containers) and in other collected objects; as plain pointers
// too, and to the middle of an object. What no pointer reaches any more is given back, after its
// destructor has run if that does anything. Pointers must lie at multiples of 8 and look like
// pointers: not packed, tagged in their upper bits, written to files, or kept in memory mapped by
// the program itself (make a `Root` for that).
#pragma once

#include <burrow/internal/cxx20.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "burrow/heap.h"
#include "burrow/internal/field_macros.h"
#include "burrow/internal/object.h"
#include "burrow/internal/type_map.h"

namespace burrow {

/// A new T on the collected heap: zeroed, then constructed from `args`. Never null: when memory is
/// out the program ends, as Go's does. A destructor that does something runs once, on the cleanup
/// goroutine, some time after the object became unreachable. It may use the object and what it
/// points to, whose destructors run later; of objects that point to each other in a cycle, the
/// youngest is destroyed first. It may not bring any of them back.
template <class T, class... Args>
T* make(Args&&... args) {
  static_assert(alignof(T) <= 16, "make cannot align to more than 16 bytes");
  const internal::TypeInfo& type = internal::kTypeInfo<T>;
#ifdef __BURROW_PLUGIN__
  void* memory = burrow_gc_new(sizeof(T), &type);
#else
  void* memory = nullptr;
  if constexpr (sizeof(T) <= internal::kMaxSmallObject) {
    memory = internal::allocate_object<sizeof(T), internal::kPointerMap<T>.kind>();
  } else {
    memory = burrow_gc_allocate(sizeof(T), type.kind);
  }
  if constexpr (internal::kPointerMap<T>.kind == internal::ObjectKind::kExact) {
    burrow_gc_describe(memory, &type, 1);
  }
#endif
  T* object = ::new (memory) T(std::forward<Args>(args)...);
  if constexpr (!std::is_trivially_destructible_v<T>) {
    burrow_gc_on_unreachable(object, type.destroy);
  }
  return object;
}

/// `n` value-initialised Ts in a row; with n = 0 a pointer that may not be dereferenced. Only for
/// types without a destructor of their own.
template <class T>
T* make_array(size_t n) {
  static_assert(std::is_trivially_destructible_v<T>,
                "make_array runs no destructors: use std::vector with burrow::allocator");
  static_assert(alignof(T) <= 16, "make_array cannot align to more than 16 bytes");
  auto* objects = static_cast<T*>(burrow_gc_new_array(n, &internal::kTypeInfo<T>));
  if (!internal::is_zeroed<T>()) {
    using Element = std::remove_all_extents_t<T>;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): T may be no array
    constexpr size_t kEach = sizeof(T) / sizeof(Element);
    std::uninitialized_value_construct_n(reinterpret_cast<Element*>(objects), n * kEach);
  }
  return objects;
}

/// A pointer field of a collected object, with the barrier that lets the collector run beside the
/// program. Converts from and to T*. As cheap as T* to read; a store tests one flag.
template <class T>
class Ptr {
 public:
  constexpr Ptr() noexcept = default;

  constexpr Ptr(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  Ptr(T* p) noexcept { store(p); }  // NOLINT(google-explicit-constructor)

  Ptr(const Ptr& other) noexcept { store(other.p_); }

  /// Of a pointer that converts: to a base, to const, to void.
  template <class U>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*>)
  Ptr(const Ptr<U>& other) noexcept {  // NOLINT(google-explicit-constructor)
    store(other.get());
  }

  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): storing what is there changes nothing
  Ptr& operator=(const Ptr& other) noexcept {
    store(other.p_);
    return *this;
  }

  Ptr& operator=(T* p) noexcept {
    store(p);
    return *this;
  }

  template <class U>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*>)
  Ptr& operator=(const Ptr<U>& other) noexcept {
    store(other.get());
    return *this;
  }

  ~Ptr() = default;

  [[nodiscard]] T* get() const noexcept { return p_; }

  operator T*() const noexcept { return p_; }  // NOLINT(google-explicit-constructor)

  std::add_lvalue_reference_t<T> operator*() const noexcept
    requires(!std::is_void_v<T>)
  {
    return *p_;
  }

  T* operator->() const noexcept { return p_; }

 private:
  void store(T* p) noexcept { p_ = internal::before_store(p); }

  T* p_ = nullptr;
};

/// A full collection: what was unreachable at the call has been given back when it returns, except
/// for objects whose destructors are still to run. Waits; not for use in destructors.
void collect();

/// Sets how much the heap may grow over what lives before a collection starts, in percent (100 by
/// default; BURROW_GC sets it at start); negative turns automatic collection off. Returns the
/// former value.
int set_gc_percent(int percent);

/// Keeps `object` reachable up to the call.
inline void keep_alive(const void* object) {
  asm volatile("" : : "r"(object) : "memory");
}

/// Says that a block from malloc or new holds no pointers to collected objects, until it is freed
/// or realloc gives another one: the collector does not look through it, and bytes in it that
/// happen to look like an address keep nothing. For buffers that are read from files and sockets.
/// Only blocks of more than 32 KiB have a place for that; false: it is smaller, or no block's
/// start.
bool declare_pointer_free(void* block);

/// Has the collector look through [start, start + bytes) for pointers, until `remove_roots`: for
/// memory that the program maps itself or shares with other processes, coroutines' stacks among it.
/// Stacks of threads, globals, thread_locals and what malloc and `make` gave need no mention. What
/// of the range cannot be read is passed by.
void add_roots(const void* start, size_t bytes);

/// Takes the range back that was added with this start. False when there is none. REQUIRES: before
/// the memory is unmapped, or what comes there next would be looked through.
bool remove_roots(const void* start);

/// A cleanup that was added.
class Cleanup {
 public:
  Cleanup() = default;

  /// `drop(call)` frees what was kept for the call.
  Cleanup(uint64_t id, void* call, void (*drop)(void*)) : id_(id), call_(call), drop_(drop) {}

  /// Takes it back, unless it is due or has run; the function and its argument are destroyed then.
  void stop();

 private:
  uint64_t id_ = 0;
  void* call_ = nullptr;
  void (*drop_)(void*) = nullptr;
};

namespace internal {
uint64_t add_cleanup(void* object, void (*function)(void*), void* argument);
}

/// Has `f(argument)` called once, on the cleanup goroutine (a thread in programs that have started
/// no goroutine), some time after `object` became unreachable: after its destructor, and after
/// those of objects that point to it. `f` and `argument` must not refer to the object, or it never
/// does.
template <class T, class F, class A>
Cleanup add_cleanup(T* object, F f, A argument) {
  struct Call {
    F f;
    A argument;
  };

  auto* call = new Call{std::move(f), std::move(argument)};
  uint64_t id = internal::add_cleanup(
      const_cast<std::remove_cv_t<T>*>(object),
      [](void* raw) {
        std::unique_ptr<Call> owned(static_cast<Call*>(raw));
        std::invoke(owned->f, owned->argument);
      },
      call);
  return {id, call, [](void* raw) { delete static_cast<Call*>(raw); }};
}

namespace internal {

/// Cells of weak pointers: collected, without pointers, cleared when the object is unreachable.
std::atomic<uintptr_t>* new_weak_cell(void* object);

/// Memory for one pointer that the collector looks at.
void** new_root(void* object);
void delete_root(void** root);

}  // namespace internal

/// Refers to a collected object without keeping it. Copies refer to the same; as cheap to copy as a
/// `Ptr`. May be a member of a collected object.
template <class T>
class Weak {
 public:
  constexpr Weak() noexcept = default;

  /// `object` may be null, or point into the middle of a collected object. Anything else ends the
  /// program.
  explicit Weak(T* object)
      : cell_(object == nullptr
                  ? nullptr
                  : internal::new_weak_cell(const_cast<std::remove_cv_t<T>*>(object))) {}

  /// The object, which then stays as long as the result is kept; null when it was found to be
  /// unreachable. That is before its destructor and its cleanups run.
  [[nodiscard]] T* get() const noexcept {
    std::atomic<uintptr_t>* cell = cell_;
    if (cell == nullptr) {
      return nullptr;
    }
    // No barrier: when the world is stopped, the collector looks for the object in all registers.
    // After that it clears cells beside the program. Two looks that find the same even number mean
    // that the cell was not read meanwhile. Acquire: pairs with the release that made it even.
    uint32_t turn = burrow_gc_weak_turn.load(std::memory_order_acquire);
    uintptr_t target = cell->load(std::memory_order_acquire);
    if (__builtin_expect(
            turn % 2 != 0 || burrow_gc_weak_turn.load(std::memory_order_relaxed) != turn, 0)) {
      return static_cast<T*>(burrow_gc_weak_get(cell));
    }
    return reinterpret_cast<T*>(target);
  }

 private:
  Ptr<std::atomic<uintptr_t>> cell_;

  friend struct type_map<Weak>;
};

/// Keeps what it points to, wherever it lies itself: also in memory that the collector does not
/// look at, such as mappings that the program made.
template <class T>
class Root {
 public:
  Root() = default;

  Root(T* object) { *this = object; }  // NOLINT(google-explicit-constructor)

  Root(const Root& other) { *this = other.get(); }

  Root(Root&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}

  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): storing what is there changes nothing
  Root& operator=(const Root& other) { return *this = other.get(); }

  Root& operator=(Root&& other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }

  Root& operator=(T* object) {
    void* p = const_cast<std::remove_cv_t<T>*>(object);
    if (cell_ != nullptr) {
      *cell_ = p;
    } else if (p != nullptr) {
      cell_ = internal::new_root(p);
    }
    return *this;
  }

  ~Root() {
    if (cell_ != nullptr) {
      internal::delete_root(cell_);
    }
  }

  [[nodiscard]] T* get() const noexcept {
    return cell_ == nullptr ? nullptr : static_cast<T*>(*cell_);
  }

  operator T*() const noexcept { return get(); }  // NOLINT(google-explicit-constructor)

  std::add_lvalue_reference_t<T> operator*() const noexcept
    requires(!std::is_void_v<T>)
  {
    return *get();
  }

  T* operator->() const noexcept { return get(); }

 private:
  void** cell_ = nullptr;
};

/// For std:: containers: their memory is then collected, and never freed by hand. (With the usual
/// allocator they may hold pointers to collected objects as well; this one also lets containers
/// be part of a cycle, and be dropped without their destructors.)
template <class T>
class allocator {  // NOLINT(readability-identifier-naming): as std::allocator
 public:
  using value_type = T;

  allocator() = default;

  template <class U>
  allocator(const allocator<U>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor)

  /// Zeroed; never null.
  [[nodiscard]] T* allocate(size_t n) {
    static_assert(alignof(T) <= 16, "allocator cannot align to more than 16 bytes");
    // Containers' nodes hold plain pointers besides T: what has any is looked through whole.
    constexpr bool kNone = internal::kPointerMap<T>.kind == internal::ObjectKind::kNoscan;
    size_t bytes = 0;
    if (__builtin_mul_overflow(n, sizeof(T), &bytes)) {
      bytes = SIZE_MAX;
    }
    return static_cast<T*>(internal::allocate_sized(
        bytes, kNone ? internal::ObjectKind::kNoscan : internal::ObjectKind::kRaw));
  }

  void deallocate(T* /*memory*/, size_t /*n*/) noexcept {}

  friend bool operator==(const allocator& /*a*/, const allocator& /*b*/) { return true; }
};

template <class T>
struct type_map<Weak<T>> {
  static constexpr internal::PointerMap kFields =
      internal::pointer_map<Ptr<std::atomic<uintptr_t>>>();
  static constexpr bool kZeroed = true;
};

template <class T>
struct type_map<Root<T>> {
  static constexpr internal::PointerMap kFields = {};
};

}  // namespace burrow
