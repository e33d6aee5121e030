// Func values: what they capture is charged where they are made.
#include "headers.h"

using burrow::Func;
using burrow::make;

[[gnu::noinline]] int twice(const Func<int()>& f) {
  return f() + f();
}

[[gnu::noinline]] int apply(const Func<int(int*)>& f, int* p) {
  return f(p);
}

[[gnu::noinline]] int keeps(const Func<int()>& f) {
  kept_function = f;
  return f();
}

[[gnu::noinline]] Func<int()> same(const Func<int()>& f) {
  return f;
}

int called_here(int a, int b, int c) {
  Func<int()> f = [=] { return a + b + c; };  // -m: does not escape
  return f();
}

int passed_on(int a, int b, int c) {
  return twice([=] { return a + b + c; });  // -m: does not escape
}

int kept_by_callee(int a, int b, int c) {
  return keeps([=] { return a + b + c; });  // -m: escapes to heap
}

Func<int()> returned(int a, int b, int c) {
  return [=] { return a + b + c; };  // -m: escapes to heap
}

int given_back(int a, int b, int c) {
  return same([=] { return a + b + c; })();  // -m: does not escape
}

void stored(int a, int b, int c) {
  kept_function = [=] { return a + b + c; };  // -m: escapes to heap
}

int captures_pointer(int a, int b) {
  int* p = make<int>(a);  // -m: does not escape
  return twice([=] { return *p + a + b; });  // -m: does not escape
}

int captures_pointer_in_word(int a) {
  int* p = make<int>(a);  // -m: does not escape
  return twice([=] { return *p; });  // -m: does not escape
}

int captures_by_reference(int a) {
  int* p = make<int>(a);  // -m: does not escape
  return twice([&] { return *p + a; });  // -m: does not escape
}

int leaks_captured(int a, int b) {
  int* p = make<int>(a);  // -m: escapes to heap
  return twice([=] {  // -m: does not escape
    sink = p;
    return a + b;
  });
}

int leaks_captured_in_word(int a) {
  int* p = make<int>(a);  // -m: escapes to heap
  return twice([=] {  // -m: does not escape
    sink = p;
    return 1;
  });
}

int* returns_captured(int a, int b) {
  int* p = make<int>(a);  // -m: escapes to heap
  Func<int*()> f = [=] { return a > b ? p : nullptr; };  // -m: does not escape
  return f();
}

int argument(int a) {
  int* p = make<int>(a);  // -m: escapes to heap
  return apply([](int* q) { return *q; }, p);  // -m: does not escape; q does not escape
}

int argument_kept_in_captured(int a) {
  int* last = nullptr;
  int* p = make<int>(a);  // -m: escapes to heap
  int n = apply(
      [&](int* q) {  // -m: does not escape; leaking param: q
        last = q;
        return a;
      },
      p);
  return n + *last;
}

struct Two {
  int* first;
  int* second;
};

int stores_captured_in_captured(int a) {
  Two* two = make<Two>();  // -m: does not escape
  int* p = make<int>(a);  // -m: does not escape
  int n = twice([=] {  // -m: does not escape
    two->first = p;
    return 1;
  });
  return n + *two->first;
}

void stores_captured_in_kept(int a) {
  Two* two = make<Two>();  // -m: escapes to heap
  int* p = make<int>(a);  // -m: escapes to heap
  sink = two;
  twice([=] {  // -m: does not escape
    two->first = p;
    return 1;
  });
}

int in_a_loop(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    s += twice([=] { return s + i + n; });  // -m: does not escape
  }
  return s;
}

int from_the_iteration_before(int n) {
  Func<int()> before;
  int s = 0;
  for (int i = 0; i < n; ++i) {
    if (before) {
      s += twice(before);
    }
    before = [=] { return s + i + n; };  // -m: escapes to heap
  }
  return s;
}

int nested(int a, int b, int c) {
  return twice([=] {  // -m: does not escape
    return twice([=] { return a + b + c; });  // -m: does not escape
  });
}

int makes_inside(int a) {
  Func<int*()> f = [=] {  // -m: does not escape
    return make<int>(a);  // -m: escapes to heap [O1,O2,O3: does not escape]
  };
  return *f();
}

struct Owner {
  Owner() {}
  Owner(const Owner& o) : n(o.n) {}
  ~Owner() { sink = this; }
  long n = 0;
};

// Go has no destructors.
int captures_destructor(long a) {
  Owner o;
  return twice([=] { return int(o.n + a); });  // -m: escapes to heap
}

int to_unknown(int a, int b, int c) {
  Func<int()> f = [=] { return a + b + c; };  // -m: escapes to heap
  unknown(&f);
  return f();
}
