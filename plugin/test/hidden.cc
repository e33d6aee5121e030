// Pointers in integers: hidden from the collector where the line says so. See hidden_test.py.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

using Word = std::uintptr_t;

struct Node {
  Word both;
  int value;
};

Node* next(Node* n, Node* before) {
  return reinterpret_cast<Node*>(n->both ^ reinterpret_cast<Word>(before));  // hidden: xor
}

void join(Node* n, Node* a, Node* b) {
  n->both = reinterpret_cast<Word>(a) ^ reinterpret_cast<Word>(b);  // stored
}

Node* complement(Word v) {
  return reinterpret_cast<Node*>(~v);  // hidden: xor
}

void* unboxed(std::uint64_t v) {
  return reinterpret_cast<void*>(v & 0x0000'ffff'ffff'ffffULL);  // hidden: a mask of its upper bits
}

void* untagged(std::uint64_t v) {
  return reinterpret_cast<void*>(v - 0xfff8'0000'0000'0000ULL);  // hidden: a tag in its upper bits
}

void* compressed(std::uint32_t v) {
  return reinterpret_cast<void*>(Word{v} << 3);  // hidden: a shift
}

void* either(bool c, Word v) {
  return reinterpret_cast<void*>(c ? v : v >> 4);  // hidden: a shift
}

// What follows the collector sees: a pointer, or one into the middle of the object.
void* low_tag(Word v) {
  return reinterpret_cast<void*>(v & ~Word{7});
}

void* toggled(Word v) {
  return reinterpret_cast<void*>(v ^ 1);
}

void* aligned(void* p) {
  return reinterpret_cast<void*>((reinterpret_cast<Word>(p) + 63) & ~Word{63});
}

void* plain(Word v) {
  return reinterpret_cast<void*>(v);
}

char* moved(char* base, Word by) {
  return reinterpret_cast<char*>(reinterpret_cast<Word>(base) + by);
}

// Not made a pointer again.
std::size_t hashed(const void* p, std::size_t seed) {
  return seed ^ (std::hash<const void*>()(p) + 0x9e3779b9 + (seed << 6) + (seed >> 2));
}

// The library's own tricks are not the user's.
std::size_t library() {
  std::unordered_set<std::string> words{"one", "two"};
  std::function<std::size_t()> count = [&] { return words.size(); };
  auto shared = std::make_shared<int>(1);
  return count() + static_cast<std::size_t>(*shared);
}
