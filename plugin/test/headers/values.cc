// Values in Any, and slices.
#include "headers.h"

using burrow::Any;
using burrow::append;
using burrow::make;
using burrow::make_slice;
using burrow::Slice;

[[gnu::noinline]] long read(const Any& a) {
  const Big* b = a.try_as<Big>();
  return b ? b->a : 0;
}

[[gnu::noinline]] void keep(const Any& a) {
  kept_any = a;
}

long boxed(long n) {
  Any a = Big{n, n, n};  // -m: does not escape
  return read(a);
}

long boxed_argument(long n) {
  return read(Big{n, n, n});  // -m: does not escape
}

void boxed_and_kept(long n) {
  keep(Big{n, n, n});  // -m: escapes to heap
}

Any boxed_and_returned(long n) {
  return Big{n, n, n};  // -m: escapes to heap
}

void boxed_in_global(long n) {
  kept_any = Big{n, n, n};  // -m: escapes to heap
}

long boxed_copied(long n) {
  Any a = Big{n, n, n};  // -m: does not escape
  Any b = a;
  return read(b);
}

void boxed_copied_and_kept(long n) {
  Any a = Big{n, n, n};  // -m: escapes to heap
  Any b = a;
  keep(b);
}

// In the Any itself: nothing is allocated.
long pointer_in_any(int n) {
  int* p = make<int>(n);  // -m: does not escape
  Any a = p;
  return **a.try_as<int*>();
}

void pointer_in_any_kept(int n) {
  int* p = make<int>(n);  // -m: escapes to heap
  keep(p);
}

long number_in_any(int n) {
  return read(n);
}

[[gnu::noinline]] int sum(Slice<int> s) {
  int all = 0;
  for (int x : s) {
    all += x;
  }
  return all;
}

[[gnu::noinline]] Slice<int> tail(Slice<int> s) {
  return s(1, s.len());
}

int slice() {
  Slice<int> s = make_slice<int>(10);  // -m: does not escape
  s[3] = 4;
  return sum(s);
}

int slice_with_room() {
  Slice<int> s = make_slice<int>(2, 10);  // -m: does not escape
  s[1] = 4;
  return sum(s);
}

int slice_cut() {
  Slice<int> s = make_slice<int>(10);  // -m: does not escape
  return sum(tail(s));
}

Slice<int> slice_returned() {
  return make_slice<int>(10);  // -m: escapes to heap
}

void slice_kept() {
  Slice<int> s = make_slice<int>(10);  // -m: escapes to heap
  sink = s.data();
}

int slice_of_unknown_size(size_t n) {
  Slice<int> s = make_slice<int>(n);  // -m: escapes to heap
  return sum(s);
}

int slice_too_large() {
  Slice<int> s = make_slice<int>(20000);  // -m: escapes to heap
  return sum(s);
}

int slice_literal() {
  Slice<int> s = {1, 2, 3};  // -m: does not escape [O0: escapes to heap]
  return sum(s);
}

int appended() {
  Slice<int> s = make_slice<int>(0, 4);  // -m: does not escape
  s = append(s, 1);
  s = append(s, 2, 3);
  return sum(s);
}

int* element_of_slice(int n) {
  Slice<int*> s = make_slice<int*>(4);  // -m: does not escape
  s[0] = make<int>(n);  // -m: escapes to heap
  return s[0];
}

int slice_in_a_loop(int n) {
  int all = 0;
  for (int i = 0; i < n; ++i) {
    Slice<int> s = make_slice<int>(4);  // -m: does not escape [O0,Os: escapes to heap]
    s[1] = i;
    all += sum(s);
  }
  return all;
}
