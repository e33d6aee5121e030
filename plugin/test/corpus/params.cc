// Parameters: which of them leak, to where and at which level.
#include <burrow/corpus.h>

int reads(const int* p) {  // -m: p does not escape
  return *p;
}

void writes(int* p) {  // -m: p does not escape
  *p = 1;
}

void leaks(int* p) {  // -m: leaking param: p
  sink = p;
}

void leaks_content(int** p) {  // -m: leaking param content: p
  sink = *p;
}

void leaks_deep(int*** p) {  // -m: leaking param content: p
  sink = **p;
}

int* returns(int* p) {  // -m: leaking param: p to result ~r0 level=0
  return p;
}

int* returns_content(int** p) {  // -m: leaking param: p to result ~r0 level=1
  return *p;
}

int* returns_deep(int*** p) {  // -m: leaking param: p to result ~r0 level=2
  return **p;
}

int* returns_either(int* p, int* q, bool c) {  // -m: leaking param: p to result ~r0 level=0; leaking param: q to result ~r0 level=0
  return c ? p : q;
}

int* returns_one(int* p, int* q) {  // -m: leaking param: p to result ~r0 level=0; q does not escape
  return *q ? p : nullptr;
}

void into_other(int** q, int* p) {  // -m: q does not escape; leaking param: p
  *q = p;
}

Pair makes_pair(int* p, int* q) {  // -m: leaking param: p to result ~r0 level=0; leaking param: q to result ~r0 level=0
  return {p, q};
}

struct Big {
  int* a;
  int* b;
  int* c;
};

Big makes_big(int* p) {  // -m: leaking param: p to result ~r0 level=0
  return {p, p, nullptr};
}

int* second_of(Pair p) {  // -m: leaking param: p to result ~r0 level=0
  return p.second;
}

int* from_reference(Pair& p) {  // -m: leaking param: p to result ~r0 level=1
  return p.second;
}

void passes_on(int* p) {  // -m: leaking param: p
  leaks(p);
}

int passes_on_safely(int* p) {  // -m: p does not escape
  return reads(p);
}

int* passes_through(int* p) {  // -m: leaking param: p to result ~r0 level=0
  return returns(returns(p));
}

int* passes_address(int* p) {  // -m: leaking param: p to result ~r0 level=0
  return returns_content(&p);
}

void to_unknown(void* p) {  // -m: leaking param: p
  unknown(p);
}

void to_promise(void* p) {  // -m: leaking param content: p
  promises(p);
}

int sum(Node* n) {  // -m: n does not escape
  int s = 0;
  for (; n; n = n->next) {
    s += n->value;
  }
  return s;
}

Node* last(Node* n) {  // -m: leaking param: n to result ~r0 level=0
  while (n->next) {
    n = n->next;
  }
  return n;
}

int recursive(Node* n) {  // -m: n does not escape
  return n ? n->value + recursive(n->next) : 0;
}

void recursive_leak(Node* n, int depth) {  // -m: leaking param: n
  if (depth == 0) {
    sink = n;
  } else {
    recursive_leak(n, depth - 1);
  }
}

int odd(Node* n);

int even(Node* n) {  // -m: n does not escape
  return n ? odd(n->next) : 1;
}

int odd(Node* n) {  // -m: n does not escape
  return n ? even(n->next) : 0;
}

struct Holder {
  int* held;
  void hold(int* p) {  // -m: this does not escape; leaking param: p
    held = p;
  }
  int* release() {  // -m: leaking param: this to result ~r0 level=1
    int* p = held;
    held = nullptr;
    return p;
  }
  Holder* self() {  // -m: leaking param: this to result ~r0 level=0
    return this;
  }
};

int uses_holder(int* p) {  // -m: p does not escape
  Holder h{};
  h.hold(p);
  return *h.self()->release();
}

int callers() {
  int* a = make<int>(1);  // -m: does not escape
  int* b = make<int>(1);  // -m: escapes to heap
  int* c = make<int>(1);  // -m: does not escape
  int* d = make<int>(1);  // -m: does not escape
  int* e = make<int>(1);  // -m: escapes to heap
  int* f = make<int>(1);  // -m: does not escape
  leaks(b);
  unknown(nullptr);
  leaks_content(&e);
  Pair pair = makes_pair(c, d);
  Big big = makes_big(f);
  return reads(a) + *second_of(pair) + *from_reference(pair) + *returns(c) + *big.a;
}

int callers_of_lists() {
  Node* a = make<Node>();  // -m: does not escape
  Node* b = make<Node>();  // -m: does not escape [go: escapes to heap]
  a->next = b;
  return sum(a) + last(a)->value + recursive(a) + even(a);
}

Node* returns_last() {
  Node* a = make<Node>();  // -m: escapes to heap
  Node* b = make<Node>();  // -m: escapes to heap
  a->next = b;
  return last(a);
}

void callers_that_leak(int** out) {
  int* a = make<int>(1);  // -m: escapes to heap
  into_other(out, a);
  Node* n = make<Node>();  // -m: escapes to heap
  recursive_leak(n, 3);
  unknown(make<int>(1));   // -m: escapes to heap
  promises(make<int>(1));  // -m: does not escape
}

int* grandchild(int*** p) {  // -m: leaking param: p to result ~r0 level=2
  return **p;
}

int* kept_grandchild(int* v) {  // -m: leaking param: v to result ~r0 level=0 [go: leaking param: v]
  int** a = make<int*>(v);     // -m: does not escape [go: escapes to heap]
  int*** b = make<int**>(a);   // -m: does not escape
  return grandchild(b);
}

void leaks_grandchild() {
  int* v = make<int>(1);      // -m: escapes to heap
  int** a = make<int*>(v);    // -m: does not escape [go: escapes to heap]
  int*** b = make<int**>(a);  // -m: does not escape
  leaks_deep(b);
}
