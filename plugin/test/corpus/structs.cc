// Fields, struct parameters and results, arrays, interfaces; fields of an object are not told apart.
#include <burrow/corpus.h>

struct X {
  int* p1;
  int* p2;
  int* a[2];
};

struct Y {
  X x;
};

void field_kept() {
  X x{};
  x.p1 = make<int>(1);  // -m: escapes to heap
  sink = x.p1;
}

int field_read() {
  X x{};
  x.p1 = make<int>(1);  // -m: does not escape
  return *x.p1;
}

void other_field_kept() {
  X x{};
  x.p1 = make<int>(1);  // -m: does not escape [O0: escapes to heap] [go: escapes to heap]
  sink = x.p2;
}

void array_element_kept(int n) {
  X x{};
  x.a[0] = make<int>(1);  // -m: escapes to heap
  sink = x.a[n];
}

void nested_field_kept() {
  Y y{};
  y.x.p1 = make<int>(1);  // -m: escapes to heap
  sink = y.x.p1;
}

int nested_field_read() {
  Y y{};
  y.x.p1 = make<int>(1);  // -m: does not escape
  X x = y.x;
  return *x.p1;
}

void copy_kept() {
  X x{};
  x.p1 = make<int>(1);  // -m: escapes to heap
  X y = x;
  sink = y.p1;
}

void object_of_pointer(X* x) {  // -m: x does not escape
  x->p1 = make<int>(1);  // -m: escapes to heap
}

int on_object() {
  X* x = make<X>();      // -m: does not escape
  x->p1 = make<int>(1);  // -m: does not escape [go: escapes to heap]
  x->p2 = x->p1;
  return *x->p2;
}

void object_kept() {
  X* x = make<X>();      // -m: escapes to heap
  x->p1 = make<int>(1);  // -m: escapes to heap
  sink = x;
}

void member_kept() {
  X* x = make<X>();      // -m: does not escape
  x->p1 = make<int>(1);  // -m: escapes to heap
  sink = x->p1;
}

void self_assigned(X* x) {  // -m: x does not escape [go: ignoring self-assignment]
  x->p1 = x->p2;
}

int* first(X x) {  // -m: leaking param: x to result ~r0 level=0
  return x.p1;
}

int* first_of(const X& x) {  // -m: leaking param: x to result ~r0 level=1
  return x.p1;
}

X* itself(X* x) {  // -m: leaking param: x to result ~r0 level=0
  return x;
}

X copied(const X& x) {  // -m: leaking param: x to result ~r0 level=1
  return x;
}

X built(int* p, int* q) {  // -m: leaking param: p to result ~r0 level=0; leaking param: q to result ~r0 level=0
  return {p, q, {nullptr, nullptr}};
}

void keeps_copy(const X& x) {  // -m: leaking param content: x
  sink = x.p1;
}

void keeps_itself(X& x) {  // -m: leaking param: x
  sink = &x;
}

void into(X& x, int* p) {  // -m: x does not escape; leaking param: p
  x.p1 = p;
}

void between(X& to, const X& from) {  // -m: to does not escape; from does not escape [go: to does not escape; leaking param content: from]
  to.p1 = from.p1;
}

int uses() {
  X* a = make<X>();        // -m: does not escape
  int* i = make<int>(1);   // -m: does not escape [go: escapes to heap]
  int* j = make<int>(2);   // -m: does not escape
  into(*a, i);
  X b = built(i, j);
  X c = copied(b);
  between(c, *a);
  return *first(c) + *first_of(b) + *itself(a)->p1;
}

void keeps() {
  X* a = make<X>();        // -m: escapes to heap
  int* i = make<int>(1);   // -m: escapes to heap
  X* b = make<X>();        // -m: does not escape
  int* j = make<int>(2);   // -m: escapes to heap
  X* c = make<X>();        // -m: escapes to heap
  into(*a, i);
  keeps_itself(*a);
  unknown(nullptr);
  into(*b, j);
  keeps_copy(*b);
  unknown(nullptr);
  sink = itself(c);
}

X* returns_object() {
  X* a = make<X>();      // -m: escapes to heap
  a->p1 = make<int>(1);  // -m: escapes to heap
  return a;
}

X returns_value() {
  X a{};
  a.p1 = make<int>(1);  // -m: escapes to heap
  return a;
}

int uses_value() {
  X a = returns_value();
  return *a.p1;
}

X* part_of_larger() {
  Y* y = make<Y>();  // -m: escapes to heap
  return &y->x;
}

int part_read() {
  Y* y = make<Y>();  // -m: does not escape
  X* x = &y->x;
  x->p1 = make<int>(3);  // -m: does not escape [go: escapes to heap]
  return *y->x.p1;
}

int* element(int n) {
  int* a = make_array<int>(8);  // -m: escapes to heap
  return &a[n];
}

int element_read(int n) {
  int* a = make_array<int>(8);  // -m: does not escape
  int* p = &a[n & 7];
  *p = 2;
  return a[2];
}

int pointers_in_array(int n) {
  int** a = make_array<int*>(4);  // -m: does not escape
  a[0] = make<int>(1);            // -m: does not escape [go: escapes to heap]
  a[1] = make<int>(2);            // -m: does not escape [go: escapes to heap]
  return *a[n & 1];
}

int* pointer_from_array(int n) {
  int** a = make_array<int*>(4);  // -m: does not escape
  a[n & 3] = make<int>(1);        // -m: escapes to heap
  return a[0];
}

int** array_kept() {
  int** a = make_array<int*>(4);  // -m: escapes to heap
  a[0] = make<int>(1);            // -m: escapes to heap
  return a;
}

struct Constructed {
  explicit Constructed(int* p) : held(p) {}
  int* held;
};

int constructed() {
  int* p = make<int>(1);                    // -m: does not escape [go: escapes to heap]
  Constructed* c = make<Constructed>(p);    // -m: does not escape
  return *c->held;
}

int* constructed_returns() {
  int* p = make<int>(1);                    // -m: escapes to heap
  Constructed* c = make<Constructed>(p);    // -m: does not escape
  return c->held;
}

struct Registers {
  Registers() { sink = this; }
  int n = 0;
};

int registers_itself() {
  Registers* r = make<Registers>();  // -m: escapes to heap
  return r->n;
}

struct Derived : Constructed {
  explicit Derived(int* p) : Constructed(p) {}
  int* other = nullptr;
};

int derived() {
  Derived* d = make<Derived>(make<int>(1));  // -m: does not escape; does not escape
  Constructed* base = d;
  return *base->held;
}

void derived_kept() {
  Derived* d = make<Derived>(nullptr);  // -m: escapes to heap
  Constructed* base = d;
  sink = base;
}

int swapped_objects() {
  Pair* a = make<Pair>();  // -m: does not escape
  Pair* b = make<Pair>();  // -m: does not escape
  a->first = make<int>(1);  // -m: does not escape [go: escapes to heap]
  b->first = make<int>(2);  // -m: does not escape [go: escapes to heap]
  Pair t = *a;
  *a = *b;
  *b = t;
  return *a->first - *b->first;
}
