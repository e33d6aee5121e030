// Every value of a moved object starts out as zero, though its constructor sets none and the stack
// held something else; padding is nobody's business. maps_test.py runs it.
#include <burrow/make.h>

#include <cstdio>
#include <cstdlib>

using burrow::make;

unsigned char burrow_gc_marking;

void burrow_gc_shade(void*) {}

void* burrow_gc_new(size_t, const burrow::internal::TypeInfo*) {
  std::puts("an object was not moved");
  exit(1);
}

struct Gap {
  Gap() {}

  bool zero() const volatile { return !a && !b; }

  int a;
  long b;
};

struct Tail {
  Tail() {}

  bool zero() const volatile { return !a && !b && !c; }

  long a;
  char b, c;
};

struct Bits {
  Bits() {}

  bool zero() const volatile { return !a && !b && !c && !d && !e; }

  unsigned a : 3;
  unsigned b : 9;
  unsigned : 0;
  unsigned c : 1;
  char d;
  unsigned long e : 40;
};

struct Array {
  Array() {}

  bool zero() const volatile {
    for (const volatile Gap& gap : gaps) {
      if (!gap.zero()) {
        return false;
      }
    }
    return !last;
  }

  Gap gaps[3];
  short last;
};

struct Either {
  Either() {}

  bool zero() const volatile { return !tag && !many[0] && !many[1] && !many[2]; }

  char tag;

  union {
    char one;
    int many[3];
  };
};

struct Root {
  Root() {}

  virtual void unused() {}

  char r;
};

struct Left : virtual Root {
  Left() {}

  long l;
};

struct Right : virtual Root {
  Right() {}

  short s;
};

struct Diamond : Left, Right {
  Diamond() {}

  bool zero() const volatile { return !l && !s && !n && !r; }

  char n;
};

struct Empty {};

struct Reused : Tail {
  Reused() {}

  bool zero() const volatile { return Tail::zero() && !more && !wide; }

  [[no_unique_address]] Empty empty;
  char more;
  long double wide;
};

/// More pieces than are zeroed one by one.
struct Many {
  Many() {}

  bool zero() const volatile {
    for (const volatile Gap& gap : gaps) {
      if (!gap.zero()) {
        return false;
      }
    }
    return true;
  }

  Gap gaps[12];
};

[[gnu::noinline]] void dirty() {
  volatile char junk[4096];
  for (volatile char& c : junk) {
    c = static_cast<char>(0xff);
  }
}

template <class T>
[[gnu::noinline]] bool zero(const T* object) {
  return object->zero();
}

template <class T>
[[gnu::noinline]] bool made() {
  return zero(make<T>());
}

template <class T>
void check(const char* name) {
  dirty();
  std::printf("%s %s\n", name, made<T>() ? "zero" : "junk");
}

int main() {
  check<Gap>("Gap");
  check<Tail>("Tail");
  check<Bits>("Bits");
  check<Array>("Array");
  check<Either>("Either");
  check<Diamond>("Diamond");
  check<Reused>("Reused");
  check<Many>("Many");
}
