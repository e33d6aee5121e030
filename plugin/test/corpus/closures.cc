// Lambdas: what they capture, by value and by reference.
#include <burrow/corpus.h>

template <class F>
void call(F&& f) {
  f();
}

int by_reference() {
  int* p = make<int>(1);  // -m: does not escape
  auto f = [&] { *p = 2; };
  f();
  return *p;
}

int by_value() {
  int* p = make<int>(1);  // -m: does not escape
  auto f = [p] { return *p; };
  return f();
}

void leaks_capture() {
  int* p = make<int>(1);  // -m: escapes to heap
  auto f = [p] { sink = p; };
  f();
}

void leaks_referenced_capture() {
  int* p = make<int>(1);  // -m: escapes to heap
  auto f = [&] { sink = p; };
  f();
}

int leaks_argument() {
  int* p = make<int>(1);  // -m: escapes to heap
  auto f = [](int* q) {  // -m: leaking param: q
    sink = q;
  };
  f(p);
  return *p;
}

int reads_argument() {
  int* p = make<int>(1);  // -m: does not escape
  auto f = [](int* q) {  // -m: q does not escape
    return *q;
  };
  return f(p);
}

int* returns_argument() {
  int* p = make<int>(1);  // -m: escapes to heap
  auto f = [](int* q) {  // -m: leaking param: q to result ~r0 level=0 [go: leaking param: q]
    return q;
  };
  return f(p);
}

int assigns_to_captured() {
  int* kept = nullptr;
  auto f = [&](int* q) {  // -m: leaking param: q
    kept = q;
  };
  int* p = make<int>(1);  // -m: does not escape
  f(p);
  return *kept;
}

int* assigns_to_captured_and_returns() {
  int* kept = nullptr;
  auto f = [&](int* q) {  // -m: leaking param: q
    kept = q;
  };
  int* p = make<int>(1);  // -m: escapes to heap
  f(p);
  return kept;
}

int passed_to_template() {
  int* p = make<int>(1);  // -m: does not escape
  call([&] { *p = 3; });
  return *p;
}

void passed_to_template_that_leaks() {
  int* p = make<int>(1);  // -m: escapes to heap
  call([&] { sink = p; });
}

auto returned() {
  int* p = make<int>(1);  // -m: escapes to heap
  return [p] { return *p; };
}

int calls_returned() { return returned()(); }

int makes_inside() {
  auto f = [] { return make<int>(1); };  // -m: escapes to heap [O1,O2,O3,Os: does not escape]
  return *f();
}

int in_a_loop(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    int* p = make<int>(i);  // -m: does not escape
    auto f = [&] { return *p; };
    s += f();
  }
  return s;
}

int kept_by_a_loop(int n) {
  int* kept = nullptr;
  auto keep = [&](int* q) { kept = q; };
  int s = 0;
  for (int i = 0; i < n; ++i) {
    if (kept) {
      s += *kept;
    }
    keep(make<int>(i));  // -m: escapes to heap
  }
  return s;
}

int nested() {
  int* p = make<int>(1);  // -m: does not escape
  auto outer = [&] {
    auto inner = [&] { return *p; };
    return inner();
  };
  return outer();
}

struct Boxed {
  int (*code)(void*);
  void* environment;
};

int boxed() {
  int* p = make<int>(1);  // -m: escapes to heap [O1,O2,O3,Os: does not escape]
  Boxed f{[](void* e) { return *static_cast<int*>(e); }, p};
  return f.code(f.environment);
}

int calls_boxed(Boxed* f) {  // -m: leaking param content: f
  return f->code(f->environment);
}

struct Cleanup {
  int** place;
  ~Cleanup() { *place = nullptr; }
};

int cleanup() {
  int* p = make<int>(1);  // -m: does not escape
  int* q = p;
  Cleanup c{&q};
  return *q;
}

struct LeakingCleanup {
  int* p;
  ~LeakingCleanup() { sink = p; }
};

void leaking_cleanup() {
  int* p = make<int>(1);  // -m: escapes to heap
  LeakingCleanup c{p};
}

struct Shape {
  virtual int area(int* p) = 0;
};

int virtual_call(Shape* s) {  // -m: leaking param: s
  return s->area(make<int>(1));  // -m: escapes to heap
}

struct Square final : Shape {
  int area(int* p) override { return *p; }
};

int devirtualised() {
  Square s;
  return s.area(make<int>(1));  // -m: does not escape
}
