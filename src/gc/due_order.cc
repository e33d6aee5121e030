// The order in which destructors and cleanups run. See due_order.h.
#include "gc/due_order.h"

#include <algorithm>
#include <functional>

#include "base/annotations.h"
#include "gc/faults.h"
#include "gc/no_access.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

// What cannot be read is 0. The program cannot take access away meanwhile: it has no pointer.
BURROW_NO_TSAN __attribute__((no_sanitize("address"))) Address read_word(Address at, bool guarded) {
  Address word = 0;
  if (BURROW_UNLIKELY(guarded)) {
    return os::try_read(&word, at, sizeof(word)) ? word : 0;
  }
  return *reinterpret_cast<const volatile Address*>(at);
}

bool is_pointer_word(Address at) {
  size_t word = (at - heap::g_arena.base) / sizeof(void*);
  return (g_tables.pointers[word / 64].load(std::memory_order_relaxed) >> word % 64 & 1) != 0;
}

}  // namespace

void DueOrder::clear() {
  numbers_.end();
  next_.clear();
  nodes_.clear();
  firsts_.clear();
  path_.clear();
  order_.clear();
}

void DueOrder::note_dead() {
  numbers_.begin();
  for (size_t i = 0; i < dead_->size(); ++i) {
    Address object = dead(i).object();
    next_.push(numbers_.get(object));
    numbers_.set(object, static_cast<uint32_t>(i + 1));
    count_step(1);
  }
}

// Some 20 us of work between looks at the clock.
void DueOrder::count_step(size_t words) {
  constexpr size_t kLook = 1024;
  steps_ += words;
  if (steps_ >= kLook) {
    steps_ = 0;
    turn_->check();
  }
}

void DueOrder::run(const OutsideList<Special>& dead_specials, Turn& turn) {
  dead_ = &dead_specials;
  turn_ = &turn;
  marked_bytes_ = marked_objects_ = 0;
  note_dead();
  for (size_t i = 0; i < dead_->size(); ++i) {
    Address object = dead(i).object();
    if (dead(i).kind == SpecialKind::kDestroy && last_mark(object).set()) {
      visit(find_object(object));
    }
    count_step(1);
  }
  // Cleanups of objects that no destructor can use. They come before what their objects point to.
  for (size_t i = 0; i < dead_->size(); ++i) {
    if (dead(i).kind == SpecialKind::kCleanup && !last_mark(dead(i).object()).get()) {
      numbers_.set(dead(i).object(), 0);
      order_.push(static_cast<uint32_t>(i));
    }
    count_step(1);
  }
  if (g_faults.no_due_order && order_.size() != 0) {
    std::sort(&order_[0], &order_[0] + order_.size(), std::greater<>());
  }
}

// REQUIRES: the object's mark was set just now.
void DueOrder::visit(ObjectRef root) {
  enter(root);
  while (path_.size() != 0) {
    ObjectRef child;
    if (next_child(path_.back(), child)) {
      enter(child);
    } else {
      leave();
    }
  }
}

void DueOrder::enter(ObjectRef object) {
  size_t size = object_size(object);
  marked_bytes_ += size;
  ++marked_objects_;
  bool scans = object.entry.kind() != ObjectKind::kNoscan;
  auto number = static_cast<uint32_t>(nodes_.size());
  nodes_.push({object.start, numbers_.get(object.start)});
  firsts_.push(number);
  path_.push({object.start, object.start + (scans ? size : 0), number,
              object.entry.kind() == ObjectKind::kExact,
              any_no_access() && has_no_access(object.start, object.start + size)});
  numbers_.set(object.start, number | kOnPath);
}

// The next object that was not marked, which it marks.
bool DueOrder::next_child(Frame& frame, ObjectRef& child) {
  Address from = frame.at;
  bool found = false;
  while (!found && frame.at + sizeof(void*) <= frame.end) {
    Address at = frame.at;
    frame.at += sizeof(void*);
    if (frame.exact && !is_pointer_word(at)) {
      continue;
    }
    child = find_object(read_word(at, frame.guarded));
    if (!child || !numbers_.covers(child.start)) {
      continue;  // what was committed since is not theirs
    }
    found = last_mark(child.start).set();
    if (!found) {
      meet(child.start);
    }
  }
  count_step((frame.at - from) / sizeof(void*));
  return found;
}

// An object that was marked: when it is on the path, all from there on are one component.
void DueOrder::meet(Address object) {
  uint32_t number = numbers_.get(object);
  if ((number & kOnPath) != 0) {
    while (firsts_.back() > (number & ~kOnPath)) {
      firsts_.pop();
    }
  }
}

void DueOrder::leave() {
  uint32_t number = path_.back().number;
  path_.pop();
  if (firsts_.back() == number) {
    firsts_.pop();
    finish_component(number);
  }
}

void DueOrder::finish_component(uint32_t first) {
  size_t from = order_.size();
  for (size_t i = first; i < nodes_.size(); ++i) {
    numbers_.set(nodes_[i].start, 0);
    for (uint32_t special = nodes_[i].special; special != 0; special = next_[special - 1]) {
      order_.push(special - 1);
    }
  }
  nodes_.resize(first);
  sort_order(from);
}

// Within a component destructors come before cleanups, and what is younger first, as among a
// function's variables.
void DueOrder::sort_order(size_t from) {
  if (order_.size() - from > 1) {
    std::sort(&order_[from], &order_[from] + (order_.size() - from),
              [this](uint32_t a, uint32_t b) {
                bool destroys = dead(a).kind == SpecialKind::kDestroy;
                bool both = destroys == (dead(b).kind == SpecialKind::kDestroy);
                return both ? dead(a).serial < dead(b).serial : !destroys;
              });
  }
}

}  // namespace burrow::gc
