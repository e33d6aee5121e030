// Assignments: to variables, through pointers, to globals; results.
#include <burrow/corpus.h>

int local() {
  int* p = make<int>(1);  // -m: does not escape
  return *p;
}

int* result() {
  return make<int>(1);  // -m: escapes to heap
}

void global() {
  sink = make<int>(1);  // -m: escapes to heap
}

int* by_way_of_a_variable() {
  int* p = make<int>(1);  // -m: escapes to heap
  int* q = p;
  return q;
}

int* one_of_two(bool c) {
  int* p = make<int>(1);  // -m: escapes to heap
  int* q = make<int>(2);  // -m: does not escape
  *q = *p;
  return c ? p : nullptr;
}

int choice(bool c) {
  int* p = make<int>(1);      // -m: does not escape
  int* q = make<int>(2);      // -m: does not escape
  int* r = c ? p : q;
  return *r;
}

int* choice_kept(bool c) {
  int* p = make<int>(1);      // -m: escapes to heap
  int* q = make<int>(2);      // -m: escapes to heap
  return c ? p : q;
}

int pointer_to_pointer() {
  int** pp = make<int*>();  // -m: does not escape
  *pp = make<int>(1);       // -m: does not escape [go: escapes to heap]
  return **pp;
}

int* pointee_returned() {
  int** pp = make<int*>();  // -m: does not escape
  *pp = make<int>(1);       // -m: escapes to heap
  return *pp;
}

int** both_returned() {
  int** pp = make<int*>();  // -m: escapes to heap
  *pp = make<int>(1);       // -m: escapes to heap
  return pp;
}

void stored_in_a_global_object() {
  int** pp = static_cast<int**>(sink);
  *pp = make<int>(1);  // -m: escapes to heap
}

void param_written(int** pp) {  // -m: pp does not escape
  *pp = make<int>(1);           // -m: escapes to heap
}

int variable_written() {
  int* p = nullptr;
  param_written(&p);
  return *p;
}

int three_levels() {
  int*** ppp = make<int**>();  // -m: does not escape
  *ppp = make<int*>();         // -m: does not escape [go: escapes to heap]
  **ppp = make<int>(1);        // -m: does not escape [go: escapes to heap]
  return ***ppp;
}

int* deepest_of_three() {
  int*** ppp = make<int**>();  // -m: does not escape
  *ppp = make<int*>();         // -m: does not escape [go: escapes to heap]
  **ppp = make<int>(1);        // -m: escapes to heap
  return **ppp;
}

struct Self {
  Self* me;
};

bool points_to_itself() {
  Self* s = make<Self>();  // -m: does not escape [go: escapes to heap]
  s->me = s;
  return s->me == s;
}

bool in_a_circle() {
  Self* a = make<Self>();  // -m: does not escape [go: escapes to heap]
  Self* b = make<Self>();  // -m: does not escape [go: escapes to heap]
  a->me = b;
  b->me = a;
  return a->me->me == a;
}

void circle_kept() {
  Self* a = make<Self>();  // -m: escapes to heap
  Self* b = make<Self>();  // -m: escapes to heap
  a->me = b;
  b->me = a;
  sink = a;
}

int compared(int* q) {    // -m: q does not escape
  int* p = make<int>(1);  // -m: does not escape
  return p == q;
}

int overwritten_before_it_leaves() {
  int* p = make<int>(1);  // -m: does not escape [O0: escapes to heap] [go: escapes to heap]
  int v = *p;
  p = nullptr;
  sink = p;
  return v;
}

static int* of_file;

void file_scope() {
  of_file = make<int>(1);  // -m: escapes to heap
}

int* read_file_scope() { return of_file; }

thread_local int* of_thread;

void thread_scope() {
  of_thread = make<int>(1);  // -m: escapes to heap
}

int* once() {
  static int* kept = make<int>(1);  // -m: escapes to heap
  return kept;
}

void swap_pointers(int** a, int** b) {  // -m: a does not escape; b does not escape [go: leaking param content: a; leaking param content: b]
  int* t = *a;
  *a = *b;
  *b = t;
}
