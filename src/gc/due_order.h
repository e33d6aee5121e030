// The order in which destructors and cleanups run. See gc.h, "Cleanups".
//
// Tarjan's strongly connected components, in Gabow's form with two stacks: they come out last
// first, as no object does before all that it points to. The objects are unreachable, so nothing
// changes them meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gc/object_numbers.h"
#include "gc/outside_list.h"
#include "gc/special.h"
#include "gc/tables.h"
#include "gc/turn.h"

namespace burrow::gc {

class DueOrder {
 public:
  constexpr DueOrder() = default;

  /// `dead`: destructors and cleanups of objects that the last marking did not reach. Marks the
  /// objects of destructors and all that they reach, in the bitmap of that marking, and finds the
  /// order.
  void run(const OutsideList<Special>& dead, Turn& turn);

  /// Forgets it.
  void clear();

  /// Places in `dead`, all of them: the last runs first.
  [[nodiscard]] const OutsideList<uint32_t>& reversed() const { return order_; }

  [[nodiscard]] uint64_t marked_bytes() const { return marked_bytes_; }

  [[nodiscard]] uint64_t marked_objects() const { return marked_objects_; }

 private:
  /// An object whose component is not complete.
  struct Node {
    Address start;
    uint32_t special;  ///< place + 1 in `dead` of its first special; 0: it has none
  };

  /// An object on the path, and how far it was looked through.
  struct Frame {
    Address at;
    Address end;
    uint32_t number;  ///< its place among the nodes
    bool exact;
    bool guarded;  ///< some of it may not be read: see no_access.h
  };

  static constexpr uint32_t kOnPath = uint32_t{1} << 31;

  [[nodiscard]] const Special& dead(size_t i) const { return (*dead_)[i]; }

  void note_dead();
  void visit(ObjectRef root);
  void enter(ObjectRef object);
  [[nodiscard]] bool next_child(Frame& frame, ObjectRef& child);
  void meet(Address object);
  void leave();
  void finish_component(uint32_t first);
  void add_order(uint32_t special);
  void sort_order(size_t from);
  void count_step(size_t words);

  const OutsideList<Special>* dead_ = nullptr;
  Turn* turn_ = nullptr;
  // Of an object: place + 1 of its first special; or its node's place, with kOnPath.
  ObjectNumbers numbers_;
  OutsideList<uint32_t> next_;  ///< by place: place + 1 of the same object's next special
  OutsideList<Node> nodes_;
  OutsideList<uint32_t> firsts_;  ///< first nodes of what may be components
  OutsideList<Frame> path_;
  OutsideList<uint32_t> order_;
  uint64_t marked_bytes_ = 0;
  uint64_t marked_objects_ = 0;
  size_t steps_ = 0;
};

}  // namespace burrow::gc
