// Sizes, destructors, and code of which nothing is known.
#include <burrow/corpus.h>

#include <atomic>
#include <csetjmp>
#include <cstdarg>

struct Large {
  char bytes[64 * 1024];
};

struct TooLarge {
  char bytes[64 * 1024 + 1];
};

int large() {
  Large* p = make<Large>();  // -m: does not escape
  return p->bytes[0];
}

int too_large() {
  TooLarge* p = make<TooLarge>();  // -m: escapes to heap
  return p->bytes[0];
}

__attribute__((leaf)) void calls_nothing_back(const void* p __attribute__((noescape)));

int budget() {
  Large* p = make<Large>();  // -m: does not escape
  calls_nothing_back(p);
  int* q = make<int>(1);  // -m: escapes to heap [go: does not escape]
  calls_nothing_back(q);
  return p->bytes[0] + *q;
}

int recursive_budget(int n) {
  struct Some {
    char bytes[8192];
  };
  Some* p = make<Some>();  // -m: escapes to heap [go: does not escape]
  p->bytes[n] = 1;
  return n ? recursive_budget(n - 1) + p->bytes[n] : 0;
}

int array() {
  int* a = make_array<int>(100);  // -m: does not escape
  a[7] = 1;
  return a[7];
}

int unknown_count(int n) {
  int* a = make_array<int>(n);  // -m: escapes to heap
  a[0] = 1;
  return a[0];
}

int too_many() {
  int* a = make_array<int>(16 * 1024 + 1);  // -m: escapes to heap
  a[0] = 1;
  return a[0];
}

int none_at_all() {
  int* a = make_array<int>(0);  // -m: does not escape
  return a != nullptr;
}

struct Loud {
  int value;
  ~Loud() { sink = nullptr; }
};

int destructor() {
  Loud* p = make<Loud>();  // -m: escapes to heap
  return p->value;
}

struct Holds {
  Loud loud;
};

int destructor_of_a_member() {
  Holds* p = make<Holds>();  // -m: escapes to heap
  return p->loud.value;
}

void assembly() {
  int* p = make<int>(1);  // -m: escapes to heap
  asm volatile("" : : "r"(p) : "memory");
}

void atomic_store(std::atomic<int*>& to) {
  to.store(make<int>(1));  // -m: escapes to heap
}

int atomic_local() {
  std::atomic<int*> a{nullptr};
  a.store(make<int>(1));  // -m: escapes to heap
  promises(&a);
  return *a.load();
}

void exchange(std::atomic<int*>& to) {
  int* expected = nullptr;
  to.compare_exchange_strong(expected, make<int>(1));  // -m: escapes to heap
}

int integer_round_trip() {
  int* p = make<int>(1);  // -m: does not escape [O0: escapes to heap]
  auto bits = reinterpret_cast<uintptr_t>(p);
  return *reinterpret_cast<int*>(bits & ~uintptr_t{1});
}

uintptr_t hidden;

void integer_kept() {
  hidden = reinterpret_cast<uintptr_t>(make<int>(1));  // -m: escapes to heap
}

uintptr_t integer_returned() {
  return reinterpret_cast<uintptr_t>(make<int>(1));  // -m: escapes to heap [go: does not escape]
}

extern "C" void takes_integer(uintptr_t bits);

void integer_passed() {
  takes_integer(reinterpret_cast<uintptr_t>(make<int>(1)));  // -m: escapes to heap
}

int integer_in_a_variable() {
  int* p = make<int>(1);  // -m: escapes to heap [O1,O2,O3,Os: does not escape]
  uintptr_t bits = reinterpret_cast<uintptr_t>(p);
  bits ^= 1;
  return *reinterpret_cast<int*>(bits ^ 1);
}

extern "C" int variadic(int n, ...);

void passed_to_variadic() {
  variadic(1, make<int>(1));  // -m: escapes to heap
}

void* first_variadic(int n, ...) {
  va_list list;
  va_start(list, n);
  void* p = va_arg(list, void*);
  va_end(list);
  return p;
}

void* passed_to_known_variadic() {
  return first_variadic(1, make<int>(1));  // -m: escapes to heap
}

void thrown() {
  throw make<int>(1);  // -m: escapes to heap
}

int not_thrown() {
  int* p = make<int>(1);  // -m: does not escape
  try {
    unknown(nullptr);
  } catch (int) {
    return *p;
  }
  return 0;
}

int* caught() {
  try {
    unknown(nullptr);
  } catch (int* p) {
    return p;
  }
  return nullptr;
}

jmp_buf environment;

int long_jump() {
  int* p = make<int>(1);  // -m: escapes to heap [go: does not escape]
  if (setjmp(environment)) {
    return *p;
  }
  unknown(nullptr);
  return 0;
}

__attribute__((weak)) int replaceable(int* p) { return *p; }

int passed_to_replaceable() {
  return replaceable(make<int>(1));  // -m: escapes to heap [go: does not escape]
}

int passed_to_pointer(int (*f)(int*)) {
  return f(make<int>(1));  // -m: escapes to heap
}

volatile void* watched;

void volatile_store() {
  watched = make<int>(1);  // -m: escapes to heap
}

int distance() {
  int* a = make_array<int>(10);  // -m: does not escape
  int* b = a + 4;
  return static_cast<int>(b - a);
}

void bytes_copied(char* to, int n) {
  int* p = make<int>(1);  // -m: escapes to heap
  const char* from = reinterpret_cast<const char*>(&p);
  for (int i = 0; i < n; ++i) {
    to[i] = from[i];
  }
}

void object_copied(void* to) {
  int* p = make<int>(1);  // -m: escapes to heap
  __builtin_memcpy(to, &p, sizeof(p));
}

int index_from_null() {
  int* p = make<int>(1);  // -m: escapes to heap [O1,O2,O3,Os: does not escape]
  auto bits = reinterpret_cast<uintptr_t>(p);
  return *reinterpret_cast<int*>(static_cast<char*>(nullptr) + bits);
}

struct Wide {
  uintptr_t bits;
  long other;
};

Wide in_an_aggregate() {
  int* p = make<int>(1);  // -m: escapes to heap
  return {reinterpret_cast<uintptr_t>(p), 1};
}
