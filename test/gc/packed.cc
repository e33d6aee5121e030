// Packed types, one at a time by -DCASE=N. "refused": the headers do not compile it, where it can
// be seen there. "warned: MEMBER": the plugin warns of that member. types_test.py reads these
// lines.
#include <burrow/gc.h>
#include <burrow/slice.h>

#pragma pack(push, 1)
#if CASE == 1  // refused, warned: p
struct T {
  char c;
  int* p;
};
#elif CASE == 2  // refused, warned: p
struct T {
  int* p;  // off its word in the second element of a slice
  char c;
};
#elif CASE == 3  // refused, warned: p_
struct T {
  int i;
  burrow::Ptr<int> p;
};
#elif CASE == 4  // warned: r
struct T {
  char c;
  int& r;
};
#elif CASE == 5  // warned: p
struct T {
  T() : p() {}

  char c = 0;

 private:
  int* p;
};
#elif CASE == 6  // warned: p
struct alignas(8) T {
  char c;
  int* p;
};
#elif CASE == 7  // warned: p
struct Inner {
  char c;

  union {
    int* p;
    long n;
  } u[2];
};

#pragma pack(pop)
#pragma pack(push, 8)

struct T {
  virtual void f() {}

  long l;
  Inner inner;
};
#elif CASE == 8   // refused, warned: p
struct T {
  char c;
  int* p;
};

struct Other {};

BURROW_OPAQUE(Other);
#elif CASE == 9   // refused
struct T {
  char c;
  burrow::Ptr<int> p;
};

BURROW_FIELDS(T, p);
#elif CASE == 10  // fine: no pointers to objects
struct T {
  char c;
  void (*f)();
  long l;
  char name[9];
  double d;
};
#elif CASE == 11  // fine: said so
struct T {
  char c;
  const char* literal;
};

BURROW_OPAQUE(T);
#elif CASE == 12  // fine: all lie on their words
struct alignas(8) T {
  long l;
  int* p;
  int a, b;
  burrow::Ptr<int> q;
  T* next[2];
};
#endif
#pragma pack(pop)

#if CASE == 12
static_assert(sizeof(T) == 48);
#endif

T* made() {
#if CASE == 4
  static int i;
  return burrow::make<T>('c', i);
#else
  return burrow::make<T>();
#endif
}
