// Prints what the pointer maps of many types are; maps_test.py knows what they must be.
#include <burrow/make.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

using burrow::Ptr;

unsigned char burrow_gc_marking;

void burrow_gc_shade(void*) {}

void* burrow_gc_new(size_t, const burrow::internal::TypeInfo*) {
  abort();
}

class Private {
  Ptr<int> a;
  long b = 0;
  Ptr<int> c;
};

class PrivateNumbers {
  long a = 0;
  double b = 0;
};

struct Base {
  virtual ~Base() = default;
  Ptr<int> a;
};

struct Derived : Base {
  int n = 0;
  Ptr<int> b;
};

struct Virtual1 : virtual Base {
  Ptr<int> v;
};

struct Virtual2 : virtual Base {
  Ptr<int> w;
};

struct Diamond : Virtual1, Virtual2 {
  Ptr<int> d;
};

struct Nested {
  int n;
  Private inner[2];
};

struct Three {
  Nested all[3];
};

struct Plain {
  int* p;
  Ptr<int> q;
};

struct Self {
  Plain* next;
  long n;
};

union Either {
  long n;
  int* p;
};

struct WithUnion {
  long n;
  Either e;
};

union Numbers {
  long n;
  double d;
};

struct WithNumbers {
  Numbers n;
  Ptr<int> p;
};

class Storage {
  alignas(8) unsigned char bytes[16];
};

class Text {
  char bytes[16];
};

struct Code {
  void (*f)();
  int Private::* m;
  Ptr<int> p;
};

struct Told {
  long n;
};

template <>
struct burrow::type_map<Told> {};

struct HoldsTold {
  HoldsTold() {}

  Told t;
  Ptr<int> p;
};

struct Bits {
  Bits() {}

  int a : 3;
  Ptr<int> p;
  int b : 5;
};

template <class T>
void print(const char* name) {
  // As the library reads it: not what the compiler knows of a constant.
  const burrow::internal::TypeInfo* volatile place = &burrow::internal::kTypeInfo<T>;
  const burrow::internal::TypeInfo& info = *place;
  std::printf("%s %d", name, static_cast<int>(info.kind));
  for (size_t word = 0; info.pointers && word < info.size / 8; ++word) {
    if (info.pointers[word / 64] >> word % 64 & 1) {
      std::printf(" %zu", word);
    }
  }
  std::puts("");
}

int main() {
  print<Private>("Private");
  print<PrivateNumbers>("PrivateNumbers");
  print<Derived>("Derived");
  print<Diamond>("Diamond");
  print<Nested>("Nested");
  print<Three>("Three");
  print<Plain>("Plain");
  print<Self>("Self");
  print<WithUnion>("WithUnion");
  print<WithNumbers>("WithNumbers");
  print<Storage>("Storage");
  print<Text>("Text");
  print<Code>("Code");
  print<Told>("Told");
  print<HoldsTold>("HoldsTold");
  print<Bits>("Bits");
  print<std::string>("string");
  print<std::vector<int>>("vector");
  print<std::function<void()>>("function");
  print<std::optional<Ptr<int>>>("optional<Ptr>");
  print<std::optional<long>>("optional<long>");
  print<std::variant<int, double>>("variant");
  print<std::array<Private, 2>>("array");
  Ptr<int> captured;
  int* plain = nullptr;
  auto by_value = [captured, n = 1] { return captured == nullptr && n; };
  auto by_reference = [&captured] { return captured == nullptr; };
  auto plain_value = [plain] { return plain; };
  print<decltype(by_value)>("lambda");
  print<decltype(by_reference)>("lambda&");
  print<decltype(plain_value)>("lambda*");
}
