// What the collected heap's inlined allocation shares with the library. Not for users: see gc.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace burrow::internal {

/// What the collector must know of an object's words.
enum class ObjectKind : uint8_t {
  kNoscan = 0,  ///< no pointers: never looked into
  kRaw = 1,     ///< every aligned word may be a pointer, and stores to them carry no barrier
  kExact = 2,   ///< pointers only where `TypeInfo::pointers` says, each stored with the barrier
};

inline constexpr size_t kObjectKinds = 3;

/// What `make` tells the collector of a type; one constant for each type.
struct TypeInfo {
  size_t size = 0;                     ///< sizeof(T)
  const uint64_t* pointers = nullptr;  ///< kExact: one bit for each word, lowest first
  void (*destroy)(void*) = nullptr;    ///< T's destructor; null where it does nothing
  const char* name = nullptr;          ///< for messages of the verifier
  ObjectKind kind = ObjectKind::kRaw;
};

/// Largest size with a class of its own.
inline constexpr size_t kMaxSmallObject = size_t{32} * 1024;
/// Slots of one kind in `BumpSlot` arrays. Slot 0 of all holds no run: see `processor_number`.
inline constexpr size_t kObjectClasses = 1 + 8 + 8 * 8;

/// The size class of an object, as heap/size_classes.h has it. Mark bits stand for 16 bytes, the
/// least that a block has.
constexpr size_t object_class(size_t size) {
  if (size <= 128) {
    return size <= 16 ? 1 : (size + 15) / 16;
  }
  size_t doubling = static_cast<size_t>(63 - __builtin_clzll((size - 1) >> 7));
  size_t step = size_t{16} << doubling;
  return 8 + doubling * 8 + (size - (size_t{128} << doubling) + step - 1) / step;
}

/// Bytes of a block of the class.
constexpr size_t object_class_size(size_t index) {
  if (index <= 8) {
    return index * 16;
  }
  size_t doubling = (index - 9) / 8;
  size_t step = (index - 9) % 8 + 1;
  return (size_t{128} << doubling) + step * (size_t{16} << doubling);
}

/// Bytes that an object of `bytes` really gets.
constexpr size_t object_room(size_t bytes) {
  constexpr size_t kPage = size_t{8} * 1024;
  return bytes <= kMaxSmallObject ? object_class_size(object_class(bytes))
                                  : (bytes + kPage - 1) / kPage * kPage;
}

/// A run of zeroed memory that the next objects of one kind and class are cut from. Its owner is
/// one thread; the collector reads it while that thread is stopped.
struct BumpSlot {
  char* next;
  char* end;
};

constexpr size_t slot_index(ObjectKind kind, size_t class_index) {
  return static_cast<size_t>(kind) * kObjectClasses + class_index;
}

}  // namespace burrow::internal

#pragma GCC visibility push(default)
extern "C" {
/// The calling thread's slots, by `slot_index`; a table of empty slots before its first object.
extern thread_local burrow::internal::BumpSlot* burrow_gc_slots
    __attribute__((tls_model("initial-exec")));
/// 1 while a collection marks: stores to pointer fields then call burrow_gc_shade.
extern unsigned char burrow_gc_marking;

/// Odd while weak pointers to what a collection did not reach are being cleared.
extern std::atomic<uint32_t> burrow_gc_weak_turn;

/// A zeroed object of at least `bytes`, by the slow path. Ends the program when memory is out.
void* burrow_gc_allocate(size_t bytes, burrow::internal::ObjectKind kind);
/// A zeroed object of `type`: what `make` calls where nothing is inlined. `bytes` is sizeof(T).
void* burrow_gc_new(size_t bytes, const burrow::internal::TypeInfo* type);
/// Zeroed memory for `count` objects of `type`.
void* burrow_gc_new_array(size_t count, const burrow::internal::TypeInfo* type);
/// Writes an exact object's pointer bitmap, `count` times one after the other.
void burrow_gc_describe(void* object, const burrow::internal::TypeInfo* type, size_t count);
/// Has `destroy` called for the object when nothing reaches it any more.
void burrow_gc_on_unreachable(void* object, void (*destroy)(void*));
#ifdef __BURROW_PLUGIN__
/// Marks for the plugin, which takes them out: `captures` become those that `code` is called with,
/// and they are about to be handed to such code. Both give their first argument.
void* burrow_closure_made(void* captures, void* code) noexcept;
void* burrow_closure_used(void* captures) noexcept;
#endif
/// What the cell of a weak pointer refers to, at any time.
void* burrow_gc_weak_get(const std::atomic<uintptr_t>* cell);
/// The barrier: `value` is about to be stored where the collector may have looked already.
void burrow_gc_shade(void* value);
/// As memmove, with the barrier for each word: of plain pointers in exact objects, which only the
/// plugin makes.
void burrow_gc_copy(void* to, const void* from, size_t bytes);
}
#pragma GCC visibility pop

namespace burrow::internal {

/// The slots, read afresh at each call: a goroutine may have come to another thread meanwhile,
/// where a compiler that remembers the variable's address would go wrong.
inline BumpSlot* object_slots() {
  BumpSlot* slots;  // NOLINT(cppcoreguidelines-init-variables): the assembly sets it
  asm volatile(
      "movq burrow_gc_slots@gottpoff(%%rip), %0\n\t"
      "movq %%fs:(%0), %0"
      : "=r"(slots));
  return slots;
}

/// The number of what the calling thread allocates from: of its processor when it runs goroutines,
/// otherwise its own. No two threads that run have the same. 0: it has none (yet).
inline size_t processor_number() {
  return reinterpret_cast<size_t>(object_slots()[0].next);
}

/// True while a collection marks. Volatile: a loop over many stores must look each time, as the
/// collector vouches only for a value that was in a register when marking began.
inline bool marking() {
  return __builtin_expect(*static_cast<const volatile unsigned char*>(&burrow_gc_marking) != 0, 0);
}

/// `p`, which is about to be stored, after the barrier. With it the value comes before the flag:
/// one that was read from memory after the flag was looked at would be in no register when marking
/// begins in between. (The plugin sees to that itself.)
template <class T>
inline T* before_store(T* p) {
#ifndef __BURROW_PLUGIN__
  if (!__builtin_constant_p(p)) {
    asm volatile("" : "+r"(p));
  }
#endif
  if (marking() && p != nullptr) {
    burrow_gc_shade(const_cast<void*>(static_cast<const volatile void*>(p)));
  }
  return p;
}

/// Zeroed memory for one object of a size known only now.
inline void* allocate_sized(size_t bytes, ObjectKind kind) {
  if (__builtin_expect(bytes <= kMaxSmallObject, 1)) {
    size_t index = object_class(bytes);
    size_t room = object_class_size(index);
    BumpSlot& slot = object_slots()[slot_index(kind, index)];
    char* p = slot.next;
    if (__builtin_expect(static_cast<size_t>(slot.end - p) >= room, 1)) {
      slot.next = p + room;
      return p;
    }
  }
  return burrow_gc_allocate(bytes, kind);
}

/// Zeroed memory for one small object of a size known to the compiler.
template <size_t Size, ObjectKind Kind>
inline void* allocate_object() {
  constexpr size_t kClass = object_class(Size);
  constexpr size_t kBytes = object_class_size(kClass);
  BumpSlot& slot = object_slots()[slot_index(Kind, kClass)];
  char* p = slot.next;
  if (__builtin_expect(static_cast<size_t>(slot.end - p) >= kBytes, 1)) {
    slot.next = p + kBytes;
    return p;
  }
  return burrow_gc_allocate(Size, Kind);
}

}  // namespace burrow::internal
