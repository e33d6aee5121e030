// Ordinary new and malloc, moved with --elide-new; flags: -mllvm -burrow-elide-new
#include <burrow/corpus.h>

#include <cstdlib>
#include <memory>

volatile int seen;

[[gnu::noinline]] static void look(const int* p) {  // -m: p does not escape
  seen = *p;
}

[[gnu::noinline]] static void frees(int* p) { delete p; }

[[gnu::noinline]] static void frees_content(int** p) { delete *p; }

void freed_here() {
  int* p = new int(1);  // -m: moved to stack
  look(p);
  delete p;
}

void never_freed() {
  int* p = new int(1);  // -m: moved to stack
  look(p);
}

void freed_by_callee() {
  int* p = new int(1);  // -m: escapes to heap
  look(p);
  frees(p);
}

void freed_by_callee_through_content() {
  int* p = new int(1);  // -m: escapes to heap
  look(p);
  frees_content(&p);
}

void freed_by_unknown() {
  int* p = new int(1);  // -m: escapes to heap
  look(p);
  promises(p);
}

void freed_elsewhere_on_one_way(bool c) {
  int* p = new int(1);  // -m: escapes to heap
  look(p);
  if (c) {
    frees(p);
  } else {
    delete p;
  }
}

void one_of_two_freed(bool c) {
  int* p = new int(1);  // -m: escapes to heap
  int* q = new int(2);  // -m: escapes to heap
  look(p);
  look(q);
  delete (c ? p : q);
}

int* returned() {
  return new int(1);  // -m: escapes to heap
}

void stored() {
  sink = new int(1);  // -m: escapes to heap
}

void array(int n) {
  int* p = new int[8];  // -m: moved to stack
  p[n & 7] = 1;
  look(p);
  delete[] p;
}

void array_of_unknown_size(int n) {
  int* p = new int[n];  // -m: escapes to heap
  p[0] = 1;
  look(p);
  delete[] p;
}

void by_malloc() {
  int* p = static_cast<int*>(malloc(sizeof(int)));  // -m: moved to stack
  *p = 1;
  look(p);
  free(p);
}

void by_realloc() {
  int* p = static_cast<int*>(malloc(sizeof(int)));  // -m: escapes to heap
  *p = 1;
  p = static_cast<int*>(realloc(p, 100));
  look(p);
  free(p);
}

void called_directly() {
  void* p = ::operator new(4);
  look(static_cast<int*>(p));
  ::operator delete(p);
}

void in_a_loop(int n) {
  for (int i = 0; i < n; ++i) {
    int* p = new int(i);  // -m: moved to stack
    look(p);
    delete p;
  }
}

void freed_an_iteration_later(int n) {
  int* before = nullptr;
  for (int i = 0; i < n; ++i) {
    int* now = new int(i);  // -m: escapes to heap
    look(now);
    if (before) {
      look(before);
    }
    delete before;
    before = now;
  }
  delete before;
}

void unique() {
  auto p = std::make_unique<int>(1);  // -m: moved to stack [O0: ]
  look(p.get());
}

int* released() {
  auto p = std::make_unique<int>(1);  // -m: escapes to heap [O0: ]
  look(p.get());
  return p.release();
}

void moved_on() {
  auto p = std::make_unique<int>(1);  // -m: moved to stack [O0: ]
  auto q = std::move(p);
  look(q.get());
}

struct Owner {
  Owner() : p(new int(1)) {}  // -m: moved to stack [O0: escapes to heap]
  ~Owner() { delete p; }
  int* p;
};

void owned() {
  Owner o;
  look(o.p);
}
