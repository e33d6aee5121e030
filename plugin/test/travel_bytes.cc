// As travel.cc, with no union in the file but of pointers and bytes: there, types count at -O0 too.
#include <burrow/make.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "travel.h"

[[gnu::always_inline]] static inline P* made() {
  return burrow::make<P>(value, -value);
}

union Bytes {
  P* p;
  unsigned char bytes[sizeof(P*)];
};

union Chars {
  P* p;
  char chars[sizeof(P*)];
};

struct Boxed {
  long n;
  Bytes u;
};

struct Holder {
  P* p;
  int n;
};

struct Halves {
  int low, high;
};

struct Storage {
  alignas(8) unsigned char bytes[sizeof(P*)];
  int n;
};

APART P* read_as_bytes(int) {
  Bytes a, b;
  a.p = made();
  for (unsigned n = 0; n < sizeof(a.bytes); ++n) {
    b.bytes[n] = a.bytes[n];
  }
  return b.p;
}

APART P* read_as_chars(int) {
  Chars a;
  a.p = made();
  uintptr_t u = 0;
  for (unsigned n = sizeof(a.chars); n-- > 0;) {
    u = u << 8 | static_cast<unsigned char>(a.chars[n]);
  }
  return reinterpret_cast<P*>(u);
}

APART P* copied_to_number(int) {
  Bytes a;
  a.p = made();
  uintptr_t u;
  std::memcpy(&u, a.bytes, sizeof(u));
  return reinterpret_cast<P*>(u);
}

APART P* copied_to_halves(int) {
  Bytes a, b;
  a.p = made();
  Halves h;
  std::memcpy(&h, a.bytes, sizeof(h));
  int low = h.low, high = h.high;
  Halves g = {low, high};
  std::memcpy(b.bytes, &g, sizeof(g));
  return b.p;
}

APART static Bytes same(Bytes u) {
  return u;
}

APART P* passed_by_value(int) {
  Bytes a;
  a.p = made();
  return same(a).p;
}

APART static Boxed same_box(Boxed b) {
  return b;
}

APART P* passed_in_a_struct(int) {
  Boxed a{};
  a.u.p = made();
  Bytes b = same_box(a).u;
  uintptr_t u;
  std::memcpy(&u, b.bytes, sizeof(u));
  return reinterpret_cast<P*>(u);
}

APART P* copied_by_make(int) {
  Holder h{made(), 3};
  Holder* copy = burrow::make<Holder>(h);
  return copy->p;
}

APART P* copied_by_make_then_as_bytes(int) {
  Holder h{made(), 3};
  Holder* copy = burrow::make<Holder>(h);
  uintptr_t u;
  std::memcpy(&u, copy, sizeof(u));
  return reinterpret_cast<P*>(u);
}

APART P* storage_copied_by_make(int) {
  Storage s{};
  ::new (s.bytes) P*(made());
  Storage* copy = burrow::make<Storage>(s);
  Halves h;
  std::memcpy(&h, copy->bytes, sizeof(h));
  int low = h.low, high = h.high;
  return reinterpret_cast<P*>(uintptr_t{static_cast<uint32_t>(high)} << 32 |
                              static_cast<uint32_t>(low));
}

APART P* bytes_copied_by_make(int) {
  Boxed b{};
  b.u.p = made();
  Boxed* copy = burrow::make<Boxed>(b);
  Halves h;
  std::memcpy(&h, copy->u.bytes, sizeof(h));
  Halves g = {h.low, h.high};
  return std::bit_cast<P*>(g);
}

APART P* halves_copied_by_make(int) {
  P* p = made();
  Halves h = std::bit_cast<Halves>(p);
  Halves* copy = burrow::make<Halves>(h);
  Halves g = {copy->low, copy->high};
  return std::bit_cast<P*>(g);
}

int main() {
  static const Way kWays[] = {
      WAY(read_as_bytes),          WAY(read_as_chars),
      WAY(copied_to_number),       WAY(copied_to_halves),
      WAY(passed_by_value),        WAY(passed_in_a_struct),
      WAY(copied_by_make),         WAY(copied_by_make_then_as_bytes),
      WAY(storage_copied_by_make), WAY(bytes_copied_by_make),
      WAY(halves_copied_by_make),
  };

  try_all(kWays, 1);
}
