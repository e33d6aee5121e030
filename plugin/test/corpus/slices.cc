// Slices, maps, channels and goroutines, as C++ programs have them; and levels of pointers.
#include <burrow/corpus.h>

template <class T>
struct Slice {
  T* data = nullptr;
  long length = 0, capacity = 0;

  T& operator[](long n) { return data[n]; }
};

template <class T>
Slice<T> fixed() {
  return {make_array<T>(16), 0, 16};  // -m: escapes to heap; escapes to heap [O1,O2,O3,Os: does not escape; does not escape] [go: escapes to heap; escapes to heap]
}

template <class T>
void append(Slice<T>& s, T v) {
  s.data[s.length++ & 15] = v;
}

int slice_of_numbers() {
  Slice<int> s = fixed<int>();
  append(s, 1);
  promises(s.data);
  return s[0];
}

int* slice_of_pointers() {
  Slice<int*> s = fixed<int*>();
  append(s, make<int>(1));  // -m: escapes to heap
  return s[0];
}

int read_from_slice(Slice<int> s) {  // -m: s does not escape
  return s[0];
}

void slice_kept(Slice<int> s) {  // -m: leaking param: s
  sink = s.data;
}

Slice<int> subslice(Slice<int> s, long from) {  // -m: leaking param: s to result ~r0 level=0
  return {s.data + from, s.length - from, s.capacity - from};
}

int made_here() {
  Slice<int> s{make_array<int>(4), 4, 4};  // -m: does not escape
  s[1] = 3;
  return read_from_slice(s);
}

int made_here_and_cut() {
  Slice<int> s{make_array<int>(4), 4, 4};  // -m: does not escape
  s[1] = 3;
  return read_from_slice(subslice(s, 1));
}

void made_here_and_kept() {
  Slice<int> s{make_array<int>(4), 4, 4};  // -m: escapes to heap
  slice_kept(s);
}

Slice<int> made_here_and_returned() {
  return {make_array<int>(4), 4, 4};  // -m: escapes to heap
}

struct Table {
  struct Entry {
    long key;
    int* value;
    Entry* next;
  };
  Entry* buckets[8] = {};

  void set(long key, int* value) {  // -m: leaking param content: this; leaking param: value
    Entry* e = make<Entry>();  // -m: escapes to heap [O2,O3,Os: does not escape]
    e->key = key;
    e->value = value;
    e->next = buckets[key & 7];
    buckets[key & 7] = e;
  }

  int* get(long key) const {  // -m: leaking param: this to result ~r0 level=2
    for (Entry* e = buckets[key & 7]; e; e = e->next) {
      if (e->key == key) {
        return e->value;
      }
    }
    return nullptr;
  }
};

int table() {
  Table* t = make<Table>();  // -m: does not escape
  int* v = make<int>(1);     // -m: escapes to heap [O2,O3,Os: does not escape] [go: escapes to heap]
  promises(t);
  t->set(1, v);
  return *t->get(1);
}

extern "C" void start(void (*code)(void*), void* environment);
extern "C" void send(void* channel, void* value);
extern "C" void* receive(void* channel);

struct Task {
  int* p;
};

void goroutine() {
  Task* t = make<Task>();  // -m: escapes to heap
  t->p = make<int>(1);     // -m: escapes to heap
  start([](void* e) { sink = static_cast<Task*>(e)->p; }, t);
}

void sent(void* channel) {  // -m: leaking param: channel [go: channel does not escape]
  send(channel, make<int>(1));  // -m: escapes to heap
}

int received(void* channel) {
  int* p = make<int>(1);  // -m: does not escape
  int* q = static_cast<int*>(receive(channel));
  return *p + *q;
}

// Levels: what is stored where, and what comes out.
void level0() {
  int* i = make<int>(1);  // -m: escapes to heap
  sink = i;
}

void level1() {
  int* i = make<int>(1);      // -m: escapes to heap
  int** p0 = make<int*>(i);   // -m: escapes to heap
  sink = p0;
}

void level2() {
  int* i = make<int>(1);     // -m: escapes to heap
  int** p0 = make<int*>(i);  // -m: does not escape
  sink = *p0;
}

void level3() {
  int* i = make<int>(1);         // -m: escapes to heap
  int** p0 = make<int*>(i);      // -m: escapes to heap
  int*** p1 = make<int**>(p0);   // -m: does not escape
  sink = *p1;
}

void level4() {
  int* i = make<int>(1);         // -m: escapes to heap
  int** p0 = make<int*>(i);      // -m: does not escape [go: escapes to heap]
  int*** p1 = make<int**>(p0);   // -m: does not escape
  sink = **p1;
}

int level5() {
  int* i = make<int>(1);           // -m: does not escape [go: escapes to heap]
  int** p0 = make<int*>(i);        // -m: does not escape [go: escapes to heap]
  int*** p1 = make<int**>(p0);     // -m: does not escape [go: escapes to heap]
  int**** p2 = make<int***>(p1);   // -m: does not escape
  return ****p2;
}

void level6() {
  int* i = make<int>(1);           // -m: escapes to heap
  int** p0 = make<int*>(i);        // -m: escapes to heap
  int*** p1 = make<int**>(p0);     // -m: escapes to heap
  int**** p2 = make<int***>(p1);   // -m: does not escape
  sink = *p2;
}

int** indirect(int* p) {  // -m: leaking param: p
  return make<int*>(p);  // -m: escapes to heap
}

int* direct(int** p) {  // -m: leaking param: p to result ~r0 level=1
  return *p;
}

int through_heap() {
  int* p = make<int>(1);  // -m: escapes to heap [O1,O2,O3,Os: does not escape] [go: escapes to heap]
  return **indirect(p);
}

int* through_both(int* p) {  // -m: leaking param: p
  return direct(indirect(p));
}

int* chain1(int* p) {  // -m: leaking param: p to result ~r0 level=0
  return p;
}

int* chain2(int* p) {  // -m: leaking param: p to result ~r0 level=0
  return chain1(p);
}

int* chain3(int* p, bool c) {  // -m: leaking param: p to result ~r0 level=0
  return c ? chain2(p) : chain1(p);
}

int chained() {
  int* p = make<int>(1);  // -m: does not escape
  return *chain3(p, *p);
}

void out1(int** to, int* p) {  // -m: to does not escape; leaking param: p
  *to = p;
}

void out2(int** to, int* p) {  // -m: to does not escape; leaking param: p
  out1(to, p);
}

void out3(int*** to, int* p) {  // -m: to does not escape; leaking param: p
  **to = p;
}

int outs() {
  int* p = make<int>(1);  // -m: does not escape [go: escapes to heap]
  int* q = nullptr;
  out2(&q, p);
  int* r = nullptr;
  int** rr = &r;
  out3(&rr, q);
  return *r;
}

int* outs_returned() {
  int* p = make<int>(1);  // -m: escapes to heap
  int* r = nullptr;
  int** rr = &r;
  out3(&rr, p);
  return r;
}

void into_heap_object(int* p) {  // -m: leaking param: p
  int** heap = static_cast<int**>(sink);
  *heap = p;
}

void of_callee() {
  into_heap_object(make<int>(1));  // -m: escapes to heap
}

void sets_and_reads(Node* a, Node* b) {  // -m: a does not escape; leaking param: b
  a->next = b;
}

int lists() {
  Node* a = make<Node>();  // -m: does not escape [go: escapes to heap]
  Node* b = make<Node>();  // -m: does not escape [go: escapes to heap]
  Node* c = make<Node>();  // -m: does not escape [go: escapes to heap]
  sets_and_reads(a, b);
  sets_and_reads(b, c);
  sets_and_reads(c, a);
  return a->next->next->next->value;
}

void lists_kept() {
  Node* a = make<Node>();  // -m: escapes to heap
  Node* b = make<Node>();  // -m: escapes to heap
  Node* c = make<Node>();  // -m: does not escape
  sets_and_reads(a, b);
  sets_and_reads(c, a);
  sink = c->next;
}
