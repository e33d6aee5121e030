// The same work with objects moved to the stack, written by hand on the stack, and on the heap;
// cost_test.py counts instructions.
#include <burrow/make.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

using burrow::make;
using burrow::make_array;

unsigned char burrow_gc_marking;
static long allocations;

void burrow_gc_shade(void*) {}

// Weak: as it lies in a library, nothing is known of it.
[[gnu::weak]] void* burrow_gc_new(size_t bytes, const burrow::internal::TypeInfo*) {
  ++allocations;
  return calloc(1, bytes);
}

[[gnu::weak]] void* burrow_gc_new_array(size_t count, const burrow::internal::TypeInfo* type) {
  ++allocations;
  return calloc(count, type->size);
}

struct Point {
  long x, y;
  Point* next;
};

struct Box {
  const void* kind;
  long value;
};

// Not inlined, so that the objects have addresses and are written and read.
[[gnu::noinline]] static long length(const Point* p) {
  return p->next->x * p->y + p->x;
}

[[gnu::noinline]] static long unboxed(const Box* b) {
  return b->kind ? b->value : 0;
}

[[gnu::noinline]] static long total(const long* data, long n) {
  long s = 0;
  for (long i = 0; i < n; ++i) {
    s += data[i];
  }
  return s;
}

struct Padded {
  int tag;
  long value;
};

[[gnu::noinline]] static long value_of(const Padded* p) {
  return p->tag + p->value;
}

template <class F>
[[gnu::noinline]] static long apply(F* f, long n) {
  return (*f)(n);
}

// The question that Go's -m is first asked: a value or a pointer to it as the result.
static inline Point value(long n) {
  return {n, 2, nullptr};
}

static inline Point* pointer(long n) {
  return make<Point>(Point{n, 2, nullptr});
}

[[gnu::noinline]] static Point value_of_call(long n) {
  return value(n);
}

[[gnu::noinline]] static Point* pointer_of_call(long n) {
  return pointer(n);
}

[[gnu::noinline]] static long sum(const Point* p) {
  return p->x + p->y;
}

constexpr long kRounds = 2000;

extern "C" [[gnu::noinline]] long own_structs() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    Point q{n, 2, nullptr};
    Point p{n, 3, &q};
    s += length(&p);
  }
  return s;
}

extern "C" [[gnu::noinline]] long made_structs() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    Point* q = make<Point>(Point{n, 2, nullptr});
    Point* p = make<Point>(Point{n, 3, q});
    s += length(p);
  }
  return s;
}

extern "C" [[gnu::noinline]] long own_boxes() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    Box b{&allocations, n};
    s += unboxed(&b);
  }
  return s;
}

extern "C" [[gnu::noinline]] long made_boxes() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    Box* b = make<Box>(Box{&allocations, n});
    s += unboxed(b);
  }
  return s;
}

extern "C" [[gnu::noinline]] long own_padded() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    Padded p{1, n};
    s += value_of(&p);
  }
  return s;
}

extern "C" [[gnu::noinline]] long made_padded() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    Padded* p = make<Padded>(Padded{1, n});
    s += value_of(p);
  }
  return s;
}

extern "C" [[gnu::noinline]] long own_closures() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    auto f = [s, n](long m) { return (s ^ n) + m; };
    s += apply(&f, n);
  }
  return s;
}

extern "C" [[gnu::noinline]] long made_closures() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    auto f = [s, n](long m) { return (s ^ n) + m; };
    auto* g = make<decltype(f)>(f);
    s += apply(g, n);
  }
  return s;
}

extern "C" [[gnu::noinline]] long own_slices() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    long a[16] = {};
    a[n & 15] = n;
    s += total(a, 16);
  }
  return s;
}

extern "C" [[gnu::noinline]] long made_slices() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    long* a = make_array<long>(16);
    a[n & 15] = n;
    s += total(a, 16);
  }
  return s;
}

template <Point (*Made)(long)>
[[gnu::always_inline]] inline long sum_of_values() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    Point p = Made(n);
    s += sum(&p);
  }
  return s;
}

template <Point* (*Made)(long)>
[[gnu::always_inline]] inline long sum_of_pointers() {
  long s = 0;
  for (long n = 0; n < kRounds; ++n) {
    s += sum(Made(n));
  }
  return s;
}

extern "C" [[gnu::noinline]] long own_results() {
  return sum_of_values<value>();
}

extern "C" [[gnu::noinline]] long made_results() {
  return sum_of_pointers<pointer>();
}

extern "C" [[gnu::noinline]] long own_results_of_calls() {
  return sum_of_values<value_of_call>();
}

extern "C" [[gnu::noinline]] long made_results_of_calls() {
  return sum_of_pointers<pointer_of_call>();
}

int main(int argc, char** argv) {
  struct Work {
    const char* name;
    long (*own)();
    long (*made)();
  };

  const Work all[] = {{"structs", own_structs, made_structs},
                      {"boxes", own_boxes, made_boxes},
                      {"padded", own_padded, made_padded},
                      {"closures", own_closures, made_closures},
                      {"slices", own_slices, made_slices},
                      {"results", own_results, made_results},
                      {"results_of_calls", own_results_of_calls, made_results_of_calls}};
  for (const Work& work : all) {
    if (argc > 1 && strcmp(argv[1], work.name) == 0) {
      bool same = work.own() == work.made();
      std::printf("%d %ld\n", same, allocations);
    }
  }
}
