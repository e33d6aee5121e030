// Ways in which a pointer travels as something else. Each function makes an object and returns it
// by one of them, so none of these objects may live in its frame. Prints the ways that lost theirs.
#include "travel.h"

#include <burrow/closure.h>
#include <burrow/make.h>

#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <bit>
#include <complex>
#include <coroutine>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <variant>
#include <vector>

static P* made() {
  return burrow::make<P>(value, -value);
}

template <class To, class From>
static To as(const From& from) {
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

// Wide: copied as numbers of a pointer's width, or in vectors.
APART P* words(int n) {
  P* a[2] = {made(), made()};
  uintptr_t u[2];
  std::memcpy(u, a, sizeof(u));
  return reinterpret_cast<P*>(u[n]);
}

APART static void copy_words(void* to, void* const* from, size_t count) {
  std::memcpy(to, from, count * sizeof(void*));
}

APART P* words_by_a_helper(int n) {
  P* a[2] = {made(), made()};
  uintptr_t u[2];
  copy_words(u, reinterpret_cast<void**>(a), 2);
  return reinterpret_cast<P*>(u[n]);
}

APART P* doubles(int n) {
  P* a[2] = {made(), made()};
  double u[2], r[1];
  std::memcpy(u, a, sizeof(u));
  r[0] = u[n];
  return as<P*>(r);
}
enum class Id : uint64_t {};

APART P* enumeration(int n) {
  P* a[2] = {made(), made()};
  Id u[2];
  std::memcpy(u, a, sizeof(u));
  return reinterpret_cast<P*>(static_cast<uintptr_t>(u[n]));
}

APART P* bit_cast(int n) {
  std::array<P*, 2> a = {made(), made()};
  auto u = std::bit_cast<std::array<uintptr_t, 2>>(a);
  return reinterpret_cast<P*>(u[n]);
}

typedef float Floats __attribute__((vector_size(16), aligned(1), may_alias));

APART P* vector(int n) {
  P* a[2] = {made(), made()};
  P* b[2];
  *reinterpret_cast<Floats*>(b) = *reinterpret_cast<const Floats*>(a);
  return b[n];
}

APART static void copy_vectors(void* to, const void* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 16) {
    *reinterpret_cast<Floats*>(static_cast<char*>(to) + i) =
        *reinterpret_cast<const Floats*>(static_cast<const char*>(from) + i);
  }
}

APART P* vectors_by_a_helper(int n) {
  P* a[2] = {made(), made()};
  P* b[2];
  copy_vectors(b, a, sizeof(a));
  return b[n];
}

typedef long long Longs __attribute__((vector_size(32)));

[[gnu::target("avx2"), gnu::noinline]] static P* with_masks(int n) {
  P* a[4] = {made(), made(), made(), made()};
  P* b[4] = {};
  Longs all = {-1, -1, -1, -1};
  Longs got = __builtin_ia32_maskloadq256(reinterpret_cast<const Longs*>(a), all);
  __builtin_ia32_maskstoreq256(reinterpret_cast<Longs*>(b), all, got);
  return b[n];
}

APART P* masked(int n) {
  return __builtin_cpu_supports("avx2") ? with_masks(n) : words(n);
}

APART P* wide_integer(int n) {
  P* a[2] = {made(), made()};
  auto u = as<unsigned __int128>(a);
  return reinterpret_cast<P*>(static_cast<uintptr_t>(u >> (64 * n)));
}

APART static std::complex<double> same_complex(std::complex<double> c) {
  return c;
}

APART P* complex_number(int n) {
  P* a[2] = {made(), made()};
  auto c = same_complex(as<std::complex<double>>(a));
  double parts[2] = {c.real(), c.imag()};
  return as<P*>(parts[n]);
}

struct Doubles {
  double a, b;
};

APART static Doubles two_doubles(P* p) {
  return {as<double>(p), 1};
}

APART P* returned_doubles(int) {
  return as<P*>(two_doubles(made()).a);
}

struct HalfFloats {
  float a, b;
};

APART static HalfFloats same_floats(HalfFloats h) {
  return h;
}

APART P* two_floats(int) {
  return as<P*>(same_floats(as<HalfFloats>(made())));
}

APART P* converted(int) {
  auto number = static_cast<double>(reinterpret_cast<uintptr_t>(made()));
  return reinterpret_cast<P*>(static_cast<uintptr_t>(number));
}

// Unions.
union Value {
  double number;
  P* object;
};

struct Cell {
  Value as;
};

APART static void assign(Cell* to, const Cell* from) {
  Cell copy = *from;
  *to = copy;
}

APART P* union_assigned(int) {
  Cell v, w;
  v.as.object = made();
  assign(&w, &v);
  return w.as.object;
}

APART P* union_swapped(int) {
  Cell v, w;
  w.as.number = 1;
  v.as.object = made();
  std::swap(v, w);
  return w.as.object;
}

static Cell kept_cell;

APART static void define(const Cell* v) {
  Cell copy = *v;
  std::printf("%s", "");
  kept_cell = copy;
}

APART P* union_kept(int) {
  Cell v;
  v.as.object = made();
  define(&v);
  return kept_cell.as.object;
}

union Split {
  P* object;

  struct {
    uint32_t low, high;
  } half;
};

APART static uint64_t joined(const Split* s) {
  return s->half.low | static_cast<uint64_t>(s->half.high) << 32;
}

APART P* union_of_halves(int) {
  Split s;
  s.object = made();
  return reinterpret_cast<P*>(joined(&s));
}

// Narrow: bytes, halves, and other parts.
APART static void put(char* to, char c) {
  *to = c;
}

APART static char get(const char* from) {
  return *from;
}

template <class Copy>
static P* bytewise(int n, Copy copy) {
  P* a[2] = {made(), made()};
  P* b[2] = {};
  copy(reinterpret_cast<char*>(b), reinterpret_cast<char*>(a), sizeof(a));
  return b[n];
}

APART P* bytes_put(int n) {
  P* a[2] = {made(), made()};
  P* b[2];
  for (size_t i = 0; i < sizeof(a); ++i) {
    put(reinterpret_cast<char*>(b) + i, reinterpret_cast<char*>(a)[i]);
  }
  return b[n];
}

APART P* bytes_got(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      to[i] = get(from + i);
    }
  });
}

APART P* bytes_pushed(int) {
  P* a = made();
  std::vector<char> v;
  for (size_t i = 0; i < sizeof(a); ++i) {
    v.push_back(reinterpret_cast<char*>(&a)[i]);
  }
  P* q;
  std::memcpy(&q, v.data(), sizeof(q));
  return q;
}

APART P* bytes_transformed(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    std::transform(from, from + size, to, [](char c) { return c; });
  });
}

APART P* bytes_held(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      char c = from[i];
      to[i] = c;
    }
  });
}

APART P* bytes_set(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      std::memset(to + i, from[i], 1);
    }
  });
}

APART P* bytes_swapped(int n) {
  return bytewise(
      n, [](char* to, char* from, size_t size) { std::swap_ranges(from, from + size, to); });
}

APART P* bytes_xored(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      from[i] ^= to[i];
      to[i] ^= from[i];
      from[i] ^= to[i];
    }
  });
}

APART P* bytes_reversed(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    char t[16];
    std::reverse_copy(from, from + size, t);
    std::reverse_copy(t, t + size, to);
  });
}

APART P* bytes_of_spans(int n) {
  std::array<P*, 2> a = {made(), made()}, b = {};
  std::ranges::copy(std::as_bytes(std::span(a)), std::as_writable_bytes(std::span(b)).begin());
  return b[n];
}

APART P* words_of_four_bytes(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    for (size_t i = 0; i < size; i += 4) {
      std::memcpy(to + i, from + i, 4);
    }
  });
}

typedef uint16_t __attribute__((may_alias)) Half;

APART P* halves_that_alias(int n) {
  return bytewise(n, [](char* to, char* from, size_t size) {
    for (size_t i = 0; i < size / 2; ++i) {
      reinterpret_cast<Half*>(to)[i] = reinterpret_cast<Half*>(from)[i];
    }
  });
}

struct Halves {
  uint32_t low, high;
};

APART P* struct_of_halves(int) {
  auto h = as<Halves>(made());
  Halves k{h.low, h.high};
  return as<P*>(k);
}

APART static Halves same_halves(Halves h) {
  return h;
}

APART P* halves_passed(int) {
  return as<P*>(same_halves(as<Halves>(made())));
}

APART static uint32_t low(const Halves* h) {
  return h->low;
}

APART static uint32_t high(const Halves* h) {
  return h->high;
}

APART P* halves_read_apart(int) {
  auto h = as<Halves>(made());
  Halves k{low(&h), high(&h)};
  return as<P*>(k);
}

struct Fields {
  uint64_t low : 20, middle : 20, high : 24;
};

APART P* bit_fields(int) {
  auto f = as<Fields>(made());
  Fields g;
  g.low = f.low;
  g.middle = f.middle;
  g.high = f.high;
  return as<P*>(g);
}

struct Bytes {
  unsigned char at[8];
};

APART static Bytes same_bytes(Bytes b) {
  return b;
}

APART P* bytes_passed(int) {
  return as<P*>(same_bytes(as<Bytes>(made())));
}

// Integers computed from pointers.
template <class T>
struct Relative {
  uintptr_t off = 1;

  void set(T* p) { off = reinterpret_cast<uintptr_t>(p) - reinterpret_cast<uintptr_t>(this); }

  T* get() const { return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(this) + off); }
};

struct Two {
  Relative<P> a, b;
};

APART static void fill(Two* t, P* a, P* b) {
  t->a.set(a);
  t->b.set(b);
}

APART P* relative(int) {
  Relative<P> r;
  r.set(made());
  return r.get();
}

APART P* relative_called(int) {
  Two t;
  P* a = made();
  fill(&t, a, made());
  return t.a.get();
}

APART static ptrdiff_t way(const char* from, const char* to) {
  return to - from;
}

APART P* relative_by_pointers(int) {
  char here = 0;
  ptrdiff_t d = way(&here, reinterpret_cast<const char*>(made()));
  return reinterpret_cast<P*>(&here + d);
}

APART P* relative_scaled(int) {
  alignas(16) long here[2] = {};
  long d =
      static_cast<long>(reinterpret_cast<uintptr_t>(made()) - reinterpret_cast<uintptr_t>(&here)) >>
      3;
  here[1] = d;
  return reinterpret_cast<P*>(reinterpret_cast<uintptr_t>(&here) +
                              (static_cast<uintptr_t>(here[1]) << 3));
}

APART P* arithmetic(int n) {
  auto u = reinterpret_cast<uintptr_t>(made());
  auto v = reinterpret_cast<uintptr_t>(made());
  uintptr_t chosen = n ? u : v;
  for (int i = 0; i < n + 3; ++i) {
    chosen = (chosen ^ 0x5555) + 7;
  }
  for (int i = 0; i < n + 3; ++i) {
    chosen = (chosen - 7) ^ 0x5555;
  }
  return reinterpret_cast<P*>(chosen);
}

static uintptr_t global_integer;

APART P* global(int) {
  global_integer = reinterpret_cast<uintptr_t>(made()) ^ 1;
  return reinterpret_cast<P*>(global_integer ^ 1);
}

APART P* atomic_integer(int) {
  std::atomic<uintptr_t> a{0};
  a.fetch_add(reinterpret_cast<uintptr_t>(made()));
  uintptr_t old = a.load();
  a.compare_exchange_strong(old, old + 1);
  return reinterpret_cast<P*>(a.exchange(0) - 1);
}

APART P* atomic_double(int) {
  std::atomic<double> a{0};
  a.store(as<double>(made()));
  return as<P*>(a.load());
}

APART P* assembly(int) {
  P* p = made();
  P* q;
  asm("" : "=r"(q) : "0"(p));
  return q;
}

APART P* assembly_in_memory(int) {
  P* p = made();
  P* q = p;
  double d = 0;
  asm("movsd %1, %0" : "=x"(d) : "m"(p));
  asm("movsd %1, %0" : "=m"(q) : "x"(d));
  return q;
}

// Through the language and its library.
APART static double first_of(int n, ...) {
  va_list list;
  va_start(list, n);
  double d = va_arg(list, double);
  va_end(list);
  return d;
}

APART P* variadic(int n) {
  return as<P*>(first_of(n, as<double>(made())));
}

APART static void throws(double d) {
  throw d;
}

APART P* thrown(int) {
  try {
    throws(as<double>(made()));
  } catch (double d) {
    return as<P*>(d);
  }
  return nullptr;
}

APART P* function_object(int n) {
  P* p = made();
  std::function<double()> f = [d = as<double>(p), n] { return n ? d : 0; };
  return as<P*>(f());
}

APART P* any_value(int) {
  std::any a = as<Doubles>(std::array<P*, 2>{made(), nullptr});
  return as<P*>(std::any_cast<Doubles>(a).a);
}

APART P* variant_value(int) {
  std::variant<double, P*, Bytes> v, w;
  v = made();
  w = v;
  std::swap(v, w);
  return std::get<P*>(v);
}

APART P* optional_value(int) {
  std::optional<double> a = as<double>(made());
  auto b = a;
  return as<P*>(b.value_or(0));
}

APART P* tuple_value(int) {
  auto h = as<Halves>(made());
  std::tuple<uint32_t, char, uint32_t> t{h.low, 'x', h.high};
  auto u = t;
  return as<P*>(Halves{std::get<0>(u), std::get<2>(u)});
}

struct Task {
  struct promise_type {
    double yielded = 0;

    Task get_return_object() { return {Handle::from_promise(*this)}; }

    std::suspend_never initial_suspend() { return {}; }

    std::suspend_always final_suspend() noexcept { return {}; }

    std::suspend_always yield_value(double d) {
      yielded = d;
      return {};
    }

    void return_void() {}

    void unhandled_exception() {}
  };

  using Handle = std::coroutine_handle<promise_type>;
  Handle handle;
};

APART static Task yields(long n) {
  P* p = made();
  co_yield n ? as<double>(p) : 0;
  co_yield as<double>(p);
}

APART P* coroutine(int n) {
  Task t = yields(n);
  t.handle.resume();
  P* p = as<P*>(t.handle.promise().yielded);
  t.handle.destroy();
  return p;
}

// By the code of a closure that an inline function calls.
struct Loop {
  int calls = 0;

  APART void post(const burrow::Closure<void>& task) {
    ++calls;
    task();
  }

  APART P* ask(const burrow::Closure<P*>& question) {
    ++calls;
    return question();
  }
};

static P* kept;

APART P* posted(int n) {
  Loop loop;
  P* p = made();
  int a = n, b = n;
  loop.post([p, a, b] {
    if (a == b) {
      kept = p;
    }
  });
  return kept;
}

APART P* asked(int n) {
  Loop loop;
  P* p = made();
  int a = n, b = n;
  return loop.ask([p, a, b] { return a == b ? p : nullptr; });
}

int main() {
  static const Way kWays[] = {
      WAY(words),
      WAY(words_by_a_helper),
      WAY(doubles),
      WAY(enumeration),
      WAY(bit_cast),
      WAY(vector),
      WAY(vectors_by_a_helper),
      WAY(masked),
      WAY(wide_integer),
      WAY(complex_number),
      WAY(returned_doubles),
      WAY(two_floats),
      WAY(converted),
      WAY(union_assigned),
      WAY(union_swapped),
      WAY(union_kept),
      WAY(union_of_halves),
      WAY(bytes_put),
      WAY(bytes_got),
      WAY(bytes_pushed),
      WAY(bytes_transformed),
      WAY(bytes_held),
      WAY(bytes_set),
      WAY(bytes_swapped),
      WAY(bytes_xored),
      WAY(bytes_reversed),
      WAY(bytes_of_spans),
      WAY(words_of_four_bytes),
      WAY(halves_that_alias),
      WAY(struct_of_halves),
      WAY(halves_passed),
      WAY(halves_read_apart),
      WAY(bit_fields),
      WAY(bytes_passed),
      WAY(relative),
      WAY(relative_called),
      WAY(relative_by_pointers),
      WAY(relative_scaled),
      WAY(arithmetic),
      WAY(global),
      WAY(atomic_integer),
      WAY(atomic_double),
      WAY(assembly),
      WAY(assembly_in_memory),
      WAY(variadic),
      WAY(thrown),
      WAY(function_object),
      WAY(any_value),
      WAY(variant_value),
      WAY(optional_value),
      WAY(tuple_value),
      WAY(coroutine),
      WAY(posted),
      WAY(asked),
  };

  volatile int second = 1;
  try_all(kWays, second);
}
