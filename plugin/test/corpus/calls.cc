// Calls: many parameters, results through references, recursion, conditions and cleanups.
#include <burrow/corpus.h>

#include <utility>

int both_read(int* p, int* q) {  // -m: p does not escape; q does not escape
  return *p + *q;
}

void second_kept(int* p, int* q) {  // -m: p does not escape; leaking param: q
  *p = 1;
  sink = q;
}

int* third(int* p, int* q, int* r) {  // -m: p does not escape; q does not escape; leaking param: r to result ~r0 level=0
  *p = *q;
  return r;
}

int* one_kept_one_returned(int* p, int* q) {  // -m: leaking param: p; leaking param: q to result ~r0 level=0
  sink = p;
  return q;
}

int* kept_and_returned(int* p) {  // -m: leaking param: p
  sink = p;
  return p;
}

int* content_kept_pointer_returned(int** p) {  // -m: leaking param content: p; leaking param: p to result ~r0 level=1
  sink = *p;
  return *p;
}

int** returned_with_content(int** p, int* q) {  // -m: leaking param: p to result ~r0 level=0; leaking param: q
  *p = q;
  return p;
}

void to_both(int** p, int** q, int* r) {  // -m: p does not escape; q does not escape; leaking param: r
  *p = r;
  *q = r;
}

void moved_between(int** to, int** from) {  // -m: to does not escape; from does not escape [go: leaking param content: from]
  *to = *from;
}

void sometimes(int* p, bool c) {  // -m: leaking param: p
  if (c) {
    sink = p;
  }
}

void never(int* p) {  // -m: p does not escape
  if (false) {
    sink = p;
  }
}

int in_a_switch(int* p, int* q, int n) {  // -m: p does not escape; leaking param: q
  switch (n) {
    case 0:
      return *p;
    case 1:
      sink = q;
      return 1;
    default:
      return *q;
  }
}

int walks(Node* n, int depth) {  // -m: n does not escape
  if (!n || depth == 0) {
    return 0;
  }
  return n->value + walks(n->next, depth - 1) + walks(n->next, depth - 2);
}

Node* reversed(Node* n) {  // -m: leaking param: n
  Node* out = nullptr;
  while (n) {
    out = std::exchange(n, std::exchange(n->next, out));
  }
  return out;
}

Node* found(Node* n, int value) {  // -m: leaking param: n to result ~r0 level=0
  return !n || n->value == value ? n : found(n->next, value);
}

Node* ping(Node* n, int k);

Node* pong(Node* n, int k) {  // -m: leaking param: n to result ~r0 level=0
  return k ? ping(n->next, k - 1) : n;
}

Node* ping(Node* n, int k) {  // -m: leaking param: n to result ~r0 level=0
  return k ? pong(n->next, k - 1) : n;
}

void ping_keeps(Node* n, int k);

void pong_keeps(Node* n, int k) {  // -m: leaking param: n
  if (k) {
    ping_keeps(n, k - 1);
  }
}

void ping_keeps(Node* n, int k) {  // -m: leaking param: n
  if (k) {
    pong_keeps(n, k - 1);
  } else {
    sink = n;
  }
}

void append(Node* list, Node* n) {  // -m: list does not escape; leaking param: n
  while (list->next) {
    list = list->next;
  }
  list->next = n;
}

int mutual() {
  Node* a = make<Node>();  // -m: does not escape
  Node* b = make<Node>();  // -m: does not escape
  Node* c = make<Node>();  // -m: does not escape
  append(a, b);
  append(a, c);
  return walks(a, 3) + reversed(a)->value + found(c, 0)->value + ping(a, 1)->value;
}

void mutual_kept() {
  Node* a = make<Node>();  // -m: escapes to heap
  Node* b = make<Node>();  // -m: escapes to heap
  append(a, b);
  ping_keeps(a, 4);
}

int many() {
  int* a = make<int>(1);  // -m: does not escape
  int* b = make<int>(1);  // -m: escapes to heap
  int* c = make<int>(1);  // -m: does not escape
  second_kept(a, b);
  unknown(nullptr);
  return both_read(a, c) + *third(a, c, c);
}

int* many_returned() {
  int* a = make<int>(1);  // -m: does not escape
  int* b = make<int>(1);  // -m: escapes to heap
  return third(a, a, b);
}

int conditions(bool x) {
  int* a = make<int>(1);  // -m: escapes to heap
  int* b = make<int>(1);  // -m: does not escape
  sometimes(a, x);
  never(b);
  return *a + *b;
}

int moved() {
  int* a = make<int>(1);  // -m: does not escape
  int* b = nullptr;
  int* c = nullptr;
  to_both(&b, &c, a);
  int* d = nullptr;
  moved_between(&d, &b);
  return *c + *d;
}

template <class F>
struct Defer {
  F f;
  ~Defer() { f(); }
};

template <class F>
Defer(F) -> Defer<F>;

int deferred() {
  int* p = make<int>(1);  // -m: does not escape
  Defer d{[p] { *p = 2; }};
  return *p;
}

void deferred_keeps() {
  int* p = make<int>(1);  // -m: escapes to heap
  Defer d{[p] { sink = p; }};
}

int deferred_in_a_loop(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    int* p = make<int>(i);  // -m: does not escape
    Defer d{[&] { s += *p; }};
  }
  return s;
}

int deferred_throws(void (*f)()) {
  int* p = make<int>(1);  // -m: does not escape
  Defer d{[p] { *p = 2; }};
  f();
  return *p;
}

int catches(void (*f)(), int* q) {  // -m: f does not escape; q does not escape
  int* p = make<int>(1);  // -m: does not escape
  try {
    f();
  } catch (...) {
    *p += *q;
  }
  return *p;
}

void rethrows(void (*f)()) {
  int* p = make<int>(1);  // -m: escapes to heap
  try {
    f();
  } catch (...) {
    sink = p;
    throw;
  }
}

struct Visitor {
  virtual ~Visitor() = default;
  virtual void visit(int* p) = 0;
};

void visits(Visitor& v, int* p) {  // -m: leaking param: v; leaking param: p
  v.visit(p);
}

template <class V>
int visits_known(V& v, int* p) {  // -m: v does not escape; p does not escape
  v.visit(p);
  return *p;
}

struct Reader final : Visitor {
  void visit(int* p) override { seen = *p; }
  int seen = 0;
};

int visited() {
  Reader r;
  return visits_known(r, make<int>(1)) + r.seen;  // -m: does not escape
}

int& reference(int& r) {  // -m: leaking param: r to result ~r0 level=0
  return r;
}

int&& moved_reference(int&& r) {  // -m: leaking param: r to result ~r0 level=0
  return std::move(r);
}

int references() {
  int* p = make<int>(1);  // -m: does not escape
  int* q = make<int>(2);  // -m: does not escape
  return reference(*p) + moved_reference(std::move(*q));
}

std::pair<int*, int*> pair_of(int* p, int* q) {  // -m: leaking param: p to result ~r0 level=0; leaking param: q to result ~r0 level=0
  return {p, q};
}

int pairs() {
  auto [a, b] = pair_of(make<int>(1), make<int>(2));  // -m: does not escape; does not escape
  return *a + *b;
}

int* pair_kept() {
  auto [a, b] = pair_of(make<int>(1), make<int>(2));  // -m: escapes to heap; escapes to heap [O1,O2,O3,Os: escapes to heap; does not escape]
  return a + *b;
}
