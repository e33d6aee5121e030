// Every operator new and delete of C++20, called by name; the new-handler; std::bad_alloc.
#include <gtest/gtest.h>

#include <cstring>
#include <new>

#include "under_test.h"

namespace heap_abi {
namespace {

constexpr size_t kSizes[] = {0, 1, 8, 24, 100, 1024, 5000, 32768, 32769, 1 << 20};
constexpr std::align_val_t kAlignments[] = {std::align_val_t{8}, std::align_val_t{16},
                                            std::align_val_t{64}, std::align_val_t{4096}};
// More than any machine has, and not so much that it is refused unseen.
const size_t kTooMuch = size_t{1} << 45;

void check(void* p, size_t size, size_t alignment) {
  ASSERT_NE(p, nullptr);
  EXPECT_TRUE(is_aligned(p, alignment)) << size << " " << alignment;
  memset(p, 0x5a, size);
}

// The forms of each kind; an array's and a single object's go with their own.
struct Form {
  void* (*allocate)(size_t n, std::align_val_t a);
  void (*release[3])(void* p, size_t n, std::align_val_t a);
  bool aligned;
};

const Form kForms[] = {
    {[](size_t n, std::align_val_t) { return ::operator new(n); },
     {[](void* p, size_t, std::align_val_t) { ::operator delete(p); },
      [](void* p, size_t n, std::align_val_t) { ::operator delete(p, n); },
      [](void* p, size_t, std::align_val_t) { ::operator delete(p, std::nothrow); }},
     false},
    {[](size_t n, std::align_val_t) { return ::operator new[](n); },
     {[](void* p, size_t, std::align_val_t) { ::operator delete[](p); },
      [](void* p, size_t n, std::align_val_t) { ::operator delete[](p, n); },
      [](void* p, size_t, std::align_val_t) { ::operator delete[](p, std::nothrow); }},
     false},
    {[](size_t n, std::align_val_t) { return ::operator new(n, std::nothrow); },
     {[](void* p, size_t, std::align_val_t) { ::operator delete(p); },
      [](void* p, size_t n, std::align_val_t) { ::operator delete(p, n); },
      [](void* p, size_t, std::align_val_t) { ::operator delete(p, std::nothrow); }},
     false},
    {[](size_t n, std::align_val_t) { return ::operator new[](n, std::nothrow); },
     {[](void* p, size_t, std::align_val_t) { ::operator delete[](p); },
      [](void* p, size_t n, std::align_val_t) { ::operator delete[](p, n); },
      [](void* p, size_t, std::align_val_t) { ::operator delete[](p, std::nothrow); }},
     false},
    {[](size_t n, std::align_val_t a) { return ::operator new(n, a); },
     {[](void* p, size_t, std::align_val_t a) { ::operator delete(p, a); },
      [](void* p, size_t n, std::align_val_t a) { ::operator delete(p, n, a); },
      [](void* p, size_t, std::align_val_t a) { ::operator delete(p, a, std::nothrow); }},
     true},
    {[](size_t n, std::align_val_t a) { return ::operator new[](n, a); },
     {[](void* p, size_t, std::align_val_t a) { ::operator delete[](p, a); },
      [](void* p, size_t n, std::align_val_t a) { ::operator delete[](p, n, a); },
      [](void* p, size_t, std::align_val_t a) { ::operator delete[](p, a, std::nothrow); }},
     true},
    {[](size_t n, std::align_val_t a) { return ::operator new(n, a, std::nothrow); },
     {[](void* p, size_t, std::align_val_t a) { ::operator delete(p, a); },
      [](void* p, size_t n, std::align_val_t a) { ::operator delete(p, n, a); },
      [](void* p, size_t, std::align_val_t a) { ::operator delete(p, a, std::nothrow); }},
     true},
    {[](size_t n, std::align_val_t a) { return ::operator new[](n, a, std::nothrow); },
     {[](void* p, size_t, std::align_val_t a) { ::operator delete[](p, a); },
      [](void* p, size_t n, std::align_val_t a) { ::operator delete[](p, n, a); },
      [](void* p, size_t, std::align_val_t a) { ::operator delete[](p, a, std::nothrow); }},
     true},
};

TEST(Operators, EveryNewGoesWithEveryDeleteOfItsKind) {
  size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (const Form& form : kForms) {
    for (size_t n : kSizes) {
      for (std::align_val_t a : kAlignments) {
        for (auto release : form.release) {
          void* p = opaque(form.allocate(n, a));
          check(p, n, form.aligned ? static_cast<size_t>(a) : n >= 16 ? 16 : 8);
          release(p, n, a);
        }
      }
    }
  }
  EXPECT_EQ(mallinfo2().uordblks + mallinfo2().hblkhd, before);
}

TEST(Operators, DeleteOfNullDoesNothing) {
  void* null = opaque<void*>(nullptr);
  ::operator delete(null);
  ::operator delete[](null);
  ::operator delete(null, 10);
  ::operator delete[](null, 10);
  ::operator delete(null, std::nothrow);
  ::operator delete(null, std::align_val_t{64});
  ::operator delete[](null, 10, std::align_val_t{64});
}

// Calls each throwing form for a size; returns how many threw std::bad_alloc.
int count_bad_allocs(size_t n) {
  int thrown = 0;
  for (int form = 0; form < 4; ++form) {
    try {
      switch (form) {
        case 0:
          (void)opaque(::operator new(n));
          break;
        case 1:
          (void)opaque(::operator new[](n));
          break;
        case 2:
          (void)opaque(::operator new(n, std::align_val_t{64}));
          break;
        default:
          (void)opaque(::operator new[](n, std::align_val_t{64}));
      }
    } catch (const std::bad_alloc&) {
      ++thrown;
    }
  }
  return thrown;
}

TEST(Operators, WithoutMemoryNewThrowsAndNothrowReturnsNull) {
  for (size_t n : {kTooMuch, SIZE_MAX, size_t{PTRDIFF_MAX} + 1}) {
    n = opaque(n);
    EXPECT_EQ(count_bad_allocs(n), 4) << n;
    EXPECT_EQ(opaque(::operator new(n, std::nothrow)), nullptr);
    EXPECT_EQ(opaque(::operator new[](n, std::nothrow)), nullptr);
    EXPECT_EQ(opaque(::operator new(n, std::align_val_t{64}, std::nothrow)), nullptr);
    EXPECT_EQ(opaque(::operator new[](n, std::align_val_t{64}, std::nothrow)), nullptr);
  }
}

int g_calls = 0;

// Gives up after three calls, as a handler that cannot free anything does.
void give_up_at_last() {
  if (++g_calls % 3 == 0) {
    std::set_new_handler(nullptr);
  }
}

void throw_bad_alloc() {
  ++g_calls;
  throw std::bad_alloc();
}

TEST(Operators, TheNewHandlerIsCalledUntilItGivesUp) {
  size_t n = opaque(kTooMuch);
  for (int form = 0; form < 4; ++form) {
    g_calls = 0;
    std::set_new_handler(give_up_at_last);
    bool thrown = false;
    try {
      switch (form) {
        case 0:
          (void)opaque(::operator new(n));
          break;
        case 1:
          (void)opaque(::operator new[](n, std::align_val_t{128}));
          break;
        case 2:
          EXPECT_EQ(opaque(::operator new(n, std::nothrow)), nullptr);
          thrown = true;
          break;
        default:
          EXPECT_EQ(opaque(::operator new[](n, std::align_val_t{128}, std::nothrow)), nullptr);
          thrown = true;
      }
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
    EXPECT_EQ(g_calls, 3) << form;
  }
  std::set_new_handler(throw_bad_alloc);
  g_calls = 0;
  EXPECT_EQ(opaque(::operator new(n, std::nothrow)), nullptr);
  EXPECT_THROW((void)opaque(::operator new(n)), std::bad_alloc);
  EXPECT_EQ(g_calls, 2);
  std::set_new_handler(nullptr);
}

TEST(Operators, AnAlignmentThatIsNoneIsBadAlloc) {
  auto a = static_cast<std::align_val_t>(opaque<size_t>(48));
  EXPECT_THROW((void)opaque(::operator new(100, a)), std::bad_alloc);
  EXPECT_EQ(opaque(::operator new(100, a, std::nothrow)), nullptr);
}

TEST(Operators, ExceptionsAndContainersWork) {
  struct alignas(128) Wide {
    char bytes[300];
  };

  for (int i = 0; i < 100; ++i) {
    try {
      std::vector<std::string> text(static_cast<size_t>(i), std::string(100, 'x'));
      throw std::runtime_error(std::string(static_cast<size_t>(i) * 50, 'e'));
    } catch (const std::runtime_error& e) {
      EXPECT_EQ(strlen(e.what()), static_cast<size_t>(i) * 50);
    }
    auto wide = std::make_unique<Wide[]>(static_cast<size_t>(i));
    EXPECT_TRUE(is_aligned(wide.get(), 128));
  }
}

}  // namespace
}  // namespace heap_abi
