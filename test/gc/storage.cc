// Objects that are only pointed to from storage made of bytes, from members in unexpected places,
// and from what type_map says, are not freed. Prints what is lost; status 1 then. Once more with
// the plugin: plugin/test/collect_test.py.
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>

#include "burrow/gc.h"
#include "burrow/slice.h"

namespace {

struct Node {
  long value;
};

using burrow::Ptr;

/// A place for a Node* somewhere in `T`.
template <class T>
Node*& in(T& bytes, size_t at = 0) {
  return *std::launder(reinterpret_cast<Node**>(reinterpret_cast<char*>(&bytes) + at));
}

class InlineVector {
  size_t size_ = 0;
  alignas(Node*) std::array<std::byte, 4 * sizeof(Node*)> data_;

 public:
  Node*& place() {
    ++size_;
    return in(data_, 24);
  }
};

class Event {
  long kind_ = 0;
  unsigned char payload_[32];

 public:
  Node*& place() {
    ++kind_;
    return in(payload_);
  }
};

struct Aggregate {
  Event in_event[2];

  Node*& place() { return in_event[1].place(); }
};

struct PlainAggregate {
  alignas(8) char bytes[24];

  Node*& place() { return in(bytes, 16); }
};

class Slot {
  struct alignas(16) In {
    unsigned char bytes[16];
  } in_;

 public:
  Node*& place() { return in(in_, 8); }
};

struct StdArray {
  std::array<std::byte, 64> bytes;

  Node*& place() { return in(bytes, 56); }
};

struct Empty {};

struct NoAddress {
  [[no_unique_address]] Empty empty;
  Ptr<Node> p;
  int size = 0;
  alignas(8) int hits = 0;

  Ptr<Node>& place() { return p; }
};

struct AlignedMember {
  char c = 0;
  alignas(16) char d = 0;
  Ptr<Node> p;

  Ptr<Node>& place() { return p; }
};

template <class T>
class Boxed {
  long words_[4] = {};

 public:
  Node*& place() { return in(words_[2]); }
};

}  // namespace

// Half of a word more than the automatic map would find.
template <class T>
struct burrow::type_map<Boxed<T>> {};

namespace {

template <class T>
[[gnu::noinline]] void fill(T** all, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    all[i] = burrow::make<T>();
    all[i]->place() = burrow::make<Node>(static_cast<long>(i));
  }
}

[[gnu::noinline]] void collect_and_reuse() {
  volatile char room[16384];
  for (volatile char& c : room) {
    c = 0;
  }
  burrow::collect();
  burrow::collect();
  for (int i = 0; i < 5000; ++i) {
    Node* volatile node = burrow::make<Node>(-1);
    (void)node;
  }
}

template <class T>
int lost(const char* name) {
  static T* all[300];
  fill(all, 300);
  collect_and_reuse();
  int lost = 0;
  for (long i = 0; i < 300; ++i) {
    lost += all[i]->place()->value == i ? 0 : 1;
  }
  if (lost > 0) {
    std::printf("%s: %d of 300 lost\n", name, lost);
  }
  return lost;
}

int lost_from_bytes() {
  static std::byte* array = burrow::make_array<std::byte>(300 * sizeof(Node*));
  for (size_t i = 0; i < 300; ++i) {
    in(*array, i * sizeof(Node*)) = burrow::make<Node>(static_cast<long>(i));
  }
  collect_and_reuse();
  int lost = 0;
  for (size_t i = 0; i < 300; ++i) {
    lost += in(*array, i * sizeof(Node*))->value == static_cast<long>(i) ? 0 : 1;
  }
  if (lost > 0) {
    std::printf("std::byte[]: %d of 300 lost\n", lost);
  }
  return lost;
}

}  // namespace

int main() {
  int all = lost<InlineVector>("InlineVector") + lost<Event>("Event") +
            lost<Aggregate>("Aggregate") + lost<PlainAggregate>("PlainAggregate") +
            lost<Slot>("Slot") + lost<StdArray>("StdArray") + lost<NoAddress>("NoAddress") +
            lost<AlignedMember>("AlignedMember") + lost<Boxed<int>>("Boxed") + lost_from_bytes();
  return all == 0 ? 0 : 1;
}
