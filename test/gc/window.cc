// Marking begins in the midst of a store: what is stored must be known to the collector all the
// same. The source lies on a page without access; the first read of it faults, and the handler is
// the collector's first stop: it sets the flag and notes what is in registers. In the end each
// object that arrived must have been in a register then, or have been shaded.
//
// Prints a line for each way of storing that loses one; status 1 then. With PLAIN, compiled by the
// plugin with barriers for plain pointers, stores without `Ptr` too.
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "burrow/any.h"
#include "burrow/func.h"
#include "burrow/gc.h"
#include "burrow/slice.h"

#ifdef PLAIN
#include <immintrin.h>
#endif

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kWords = 2 * kPage / sizeof(void*);

struct alignas(16) Object {
  char bytes[16];
};

std::array<Object, kWords> objects;
std::array<bool, kWords> known;

void know(uintptr_t word) {
  auto first = reinterpret_cast<uintptr_t>(objects.data());
  if (word - first < sizeof(objects)) {
    known[(word - first) / sizeof(Object)] = true;
  }
}

// Two pages to read from; the second one faults, in some tests the first too.
char* source;

void marking_begins(int /*signal*/, siginfo_t* /*info*/, void* raw) {
  if (burrow_gc_marking != 0) {
    abort();
  }
  burrow_gc_marking = 1;
  mprotect(source, 2 * kPage, PROT_READ | PROT_WRITE);
  auto* context = static_cast<ucontext_t*>(raw);
  // What src/os/linux/stop.cc gives the collector.
  const auto* fp = reinterpret_cast<const char*>(context->uc_mcontext.fpregs);
  uint32_t size = 0;
  std::memcpy(&size, fp + 468, sizeof(size));
  auto end = reinterpret_cast<uintptr_t>(fp) + std::clamp<uint32_t>(size, 512, 16384);
  for (auto at = reinterpret_cast<uintptr_t>(context); at + 8 <= end; at += 8) {
    know(*reinterpret_cast<const uintptr_t*>(at));
  }
}

template <class T>
T* opaque(T* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}

using Store = void (*)(char* to, char* from);
int failures = 0;

// `store` copies what lies at `from` to a block of its own; words that it read from `armed` on are
// to be known.
void test(const char* name, Store store, size_t from, size_t armed, size_t shift = 0) {
  auto* to = static_cast<char*>(opaque(aligned_alloc(64, 2 * kPage)));
  std::memset(to, 0, 2 * kPage);
  for (size_t i = 0; i + 1 < kWords; ++i) {
    auto object = reinterpret_cast<uintptr_t>(&objects[i]);
    std::memcpy(source + i * 8 + shift, &object, 8);
  }
  known.fill(false);
  burrow_gc_marking = 0;
  mprotect(source + armed, 2 * kPage - armed, PROT_NONE);
  opaque(store)(to, opaque(source + from));
  size_t arrived = 0;
  size_t lost = 0;
  uintptr_t limit = (armed - shift + 7) / 8;
  for (size_t i = 0; i < 2 * kPage; i += 8) {
    uintptr_t word = 0;
    std::memcpy(&word, to + i, 8);
    word -= reinterpret_cast<uintptr_t>(objects.data());
    if (word < sizeof(objects) && word / sizeof(Object) >= limit) {
      ++arrived;
      lost += known[word / sizeof(Object)] ? 0 : 1;
    }
  }
  if (burrow_gc_marking == 0 || arrived == 0 || lost > 0) {
    ++failures;
    std::printf("%s: %zu of %zu lost\n", name, lost, arrived);
  }
  burrow_gc_marking = 0;
  std::free(to);
}

template <class T>
T& as(char* place) {
  return *reinterpret_cast<T*>(place);
}

using burrow::Ptr;
using Pair = std::pair<Ptr<Object>, Ptr<Object>>;

void headers() {
  auto whole = [](const char* name, Store store) { test(name, store, 0, 0); };
  whole("Ptr", [](char* to, char* from) { as<Ptr<Object>>(to) = as<Ptr<Object>>(from); });
  whole("Ptr of T*", [](char* to, char* from) { as<Ptr<Object>>(to) = as<Object*>(from); });
  whole("Ptr of Ptr<U>", [](char* to, char* from) { as<Ptr<void>>(to) = as<Ptr<Object>>(from); });
  whole("Ptr made", [](char* to, char* from) { ::new (to) Ptr<Object>(as<Ptr<Object>>(from)); });
  whole("two Ptrs", [](char* to, char* from) { as<Pair>(to) = as<Pair>(from); });
  whole("swap",
        [](char* to, char* from) { std::swap(as<Ptr<Object>>(to), as<Ptr<Object>>(from)); });
  // The words beside the pointer are no pointers to collected objects.
  whole("Any", [](char* to, char* from) {
    as<burrow::Any>(to) = as<burrow::Any>(from);
    std::memset(to, 0, 8);
  });
  whole("Func", [](char* to, char* from) {
    as<burrow::Func<void()>>(to) = as<burrow::Func<void()>>(from);
    std::memset(to, 0, 8);
  });
  whole("Slice", [](char* to, char* from) {
    as<burrow::Slice<int>>(to) = as<burrow::Slice<int>>(from);
    std::memset(to + 8, 0, 16);
  });
  whole("Slice's elements", [](char* to, char* from) {
    auto* elements = reinterpret_cast<Ptr<Object>*>(to);
    auto* others = reinterpret_cast<Ptr<Object>*>(from);
    burrow::copy(burrow::Slice<Ptr<Object>>(elements, 9, 9),
                 burrow::Slice<Ptr<Object>>(others, 9, 9));
  });
}

#ifdef PLAIN
using Vector [[gnu::vector_size(16), gnu::may_alias]] = long long;
using Floats [[gnu::vector_size(16), gnu::may_alias]] = float;

union Either {
  double number;
  Object* object;
};

template <size_t N>
struct Some {
  Object* all[N];
};

[[gnu::target("avx2")]] void masked(char* to, char* from) {
  __m256i mask = _mm256_set_epi64x(-1, 0, -1, -1);
  auto* words = reinterpret_cast<long long*>(from);
  _mm256_maskstore_epi64(reinterpret_cast<long long*>(to), mask,
                         _mm256_maskload_epi64(words, mask));
}

void plain() {
  auto whole = [](const char* name, Store store) { test(name, store, 0, 0); };
  auto half = [](const char* name, Store store) { test(name, store, 0, kPage); };
  whole("T*", [](char* to, char* from) { as<Object*>(to) = as<Object*>(from); });
  whole("struct of 2", [](char* to, char* from) { as<Some<2>>(to) = as<Some<2>>(from); });
  whole("struct of 5", [](char* to, char* from) { as<Some<5>>(to) = as<Some<5>>(from); });
  whole("struct of 8", [](char* to, char* from) { as<Some<8>>(to) = as<Some<8>>(from); });
  whole("struct of 99", [](char* to, char* from) { as<Some<99>>(to) = as<Some<99>>(from); });
  whole("odd bytes", [](char* to, char* from) { memcpy(to, from, 42); });
  whole("swap of T*", [](char* to, char* from) { std::swap(as<Object*>(to), as<Object*>(from)); });
  whole("union", [](char* to, char* from) { as<Either>(to).number = as<Either>(from).number; });
  whole("vector", [](char* to, char* from) { as<Vector>(to) = as<Vector>(from); });
  whole("vector of floats", [](char* to, char* from) { as<Floats>(to) = as<Floats>(from); });
  whole("exchange", [](char* to, char* from) {
    __atomic_exchange_n(&as<Object*>(to), as<Object*>(from), __ATOMIC_SEQ_CST);
  });
  whole("compare and exchange", [](char* to, char* from) {
    Object* none = nullptr;
    __atomic_compare_exchange_n(&as<Object*>(to), &none, as<Object*>(from), false, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
  });
  whole("loop", [](char* to, char* from) {
    for (int i = 0; i < 100; ++i) {
      reinterpret_cast<Object**>(to)[i] = reinterpret_cast<Object**>(from)[i];
    }
  });
  whole("loop of bytes", [](char* to, char* from) {
    for (int i = 0; i < 16; ++i) {
      to[i] = *opaque(from + i);
    }
  });
  whole("std::copy", [](char* to, char* from) {
    std::copy_n(reinterpret_cast<Object**>(from), 20, reinterpret_cast<Object**>(to));
  });
  half("memcpy", [](char* to, char* from) { memcpy(to, from, *opaque(&kPage) * 2 - 8); });
  half("mempcpy", [](char* to, char* from) {
    if (mempcpy(to, from, *opaque(&kPage) + 80) != to + kPage + 80) {
      abort();
    }
  });
  half("memcpy that is checked", [](char* to, char* from) {
    __builtin___memcpy_chk(to, from, *opaque(&kPage) + 80, *opaque(&kPage) * 2);
  });
  half("memmove down", [](char* to, char* from) {
    memmove(from, from + 8, *opaque(&kPage) * 2 - 16);
    memcpy(to, from, kPage * 2 - 16);
  });
  half("memmove up", [](char* to, char* from) {
    memmove(from + 8, from, *opaque(&kPage) * 2 - 16);
    memcpy(to, from, kPage * 2 - 16);
  });
  test("from an odd place", [](char* to, char* from) { memcpy(to, from + 4, 160); }, 0, 0, 4);
  if (__builtin_cpu_supports("avx2")) {
    whole("masked vector", masked);
  }
}
#else
void plain() {}
#endif

}  // namespace

unsigned char burrow_gc_marking;

void burrow_gc_shade(void* value) {
  know(reinterpret_cast<uintptr_t>(value));
}

// What the headers mention besides.
thread_local burrow::internal::BumpSlot* burrow_gc_slots;

int main() {
  source = static_cast<char*>(
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  struct sigaction action = {};
  action.sa_sigaction = marking_begins;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
  headers();
  plain();
  return failures == 0 ? 0 : 1;
}
