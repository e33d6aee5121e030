// Two files of one program: the one with APP is compiled with the plugin, the other by any
// compiler. They differ on what an Entry holds: only the plugin sees that a uintptr_t may be a
// pointer. Prints how many objects were lost that an entry of the other file leads to by its Ptr,
// one of this file by its Ptr, and one of this file by its number.
#include <burrow/gc.h>

#include <cstdint>
#include <cstdio>
#include <vector>

struct Node {
  long value;
  long more[3];
};

struct Entry {
  burrow::Ptr<Node> p;
  uintptr_t id;
  long x;
};

Entry* make_elsewhere();

#ifndef APP
Entry* make_elsewhere() {
  return burrow::make<Entry>();
}
#else
void* volatile sink;

[[gnu::noinline]] Node* node(long value) {
  Node* n = burrow::make<Node>();
  n->value = value;
  sink = n;
  return n;
}

[[gnu::noinline]] Entry* make_here() {
  Entry* e = burrow::make<Entry>();
  sink = e;
  return e;
}

int main() {
  std::vector<Entry*> others;
  std::vector<Entry*> ours;
  for (int i = 0; i < 1000; ++i) {
    others.push_back(make_elsewhere());
    others.back()->p = node(1);
    ours.push_back(make_here());
    ours.back()->p = node(2);
    ours.back()->id = reinterpret_cast<uintptr_t>(node(3));
  }
  burrow::collect();
  for (int i = 0; i < 20000; ++i) {
    node(-1);
  }
  int lost[3] = {};
  for (Entry* e : others) {
    lost[0] += e->p->value != 1 ? 1 : 0;
  }
  for (Entry* e : ours) {
    lost[1] += e->p->value != 2 ? 1 : 0;
    lost[2] += reinterpret_cast<Node*>(e->id)->value != 3 ? 1 : 0;
  }
  std::printf("%d %d %d\n", lost[0], lost[1], lost[2]);
}
#endif
