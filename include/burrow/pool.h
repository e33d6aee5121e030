// Go's sync.Pool: objects that were used and may be used again, until the collector wants them.
//
//     burrow::Pool<Buffer> pool([] { return burrow::make<Buffer>(); });
//     Buffer* b = pool.get();
//     ...
//     pool.put(b);
//
// For what is expensive to make and often needed, not for what must not be lost: two collections
// without use empty a pool.
#pragma once

#include <burrow/internal/cxx20.h>

#include <utility>

#include "burrow/func.h"
#include "burrow/gc.h"
#include "burrow/internal/pool.h"

namespace burrow {

/// A set of collected objects. Any thread or goroutine may get and put at any time, and most often
/// touches nothing that another processor touches.
template <class T>
class Pool {
 public:
  /// Without objects `get` returns null.
  constexpr Pool() noexcept = default;

  /// Without objects `get` returns what `new_object` makes.
  explicit Pool(Func<T*()> new_object) : new_object_(std::move(new_object)) {}

  /// Some object that was put, in no order, or a new one.
  [[nodiscard]] T* get() {
    if (void* object = core_.get(); object != nullptr) {
      return static_cast<T*>(object);
    }
    return new_object_ == nullptr ? nullptr : new_object_();
  }

  /// Gives an object of the collected heap, which the caller must not use any more. Null is
  /// ignored.
  void put(T* object) {
    if (object != nullptr) {
      core_.put(object);
    }
  }

 private:
  internal::PoolCore core_;
  Func<T*()> new_object_;
};

}  // namespace burrow
