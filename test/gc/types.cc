// Prints what the pointer maps of types are whose layout may be misread; types_test.py knows what
// they must be, without the plugin and with it.
#include <any>
#include <array>
#include <atomic>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "burrow/any.h"
#include "burrow/func.h"
#include "burrow/gc.h"
#include "burrow/slice.h"

using burrow::Ptr;

// Storage.
struct Bytes {
  unsigned char bytes[16];
};

struct StdBytes {
  alignas(8) std::array<std::byte, 16> bytes;
};

struct Chars {
  int length;
  char text[12];
};

struct Rows {
  std::byte bytes[4][4];
};

struct Wrapped {
  Bytes in;
  Ptr<int> p;
};

struct Inherited : Bytes {
  Ptr<int> p;
};

class PrivateBytes {
  long n = 0;
  std::byte bytes[32];
};

using Aligned16 [[gnu::aligned(16)]] = unsigned char;

class TypedefBytes {
  Aligned16 first;
  unsigned char rest[15];
};

class Slot {
  struct alignas(16) In {
    char bytes[16];
  } in;
};

class OldStorage {
  std::aligned_storage_t<16, 8> in;
};

class AlignedWords {
  alignas(Ptr<int>) uint64_t words[4];
};

class UnionWords {
  union {
    double number;
    uint64_t words[2];
  };
};

class Room {
  struct alignas(16) In {
  } in;
};

// No storage.
struct ShortText {
  char text[7];
  Ptr<int> p;
};

struct Flags {
  bool flags[64];
  Ptr<int> p;
};

struct Numbers {
  float matrix[4][4];
  int32_t counts[8];
};

struct Told {
  char text[64];
};

BURROW_OPAQUE(Told);

struct HoldsTold {
  Told told;
  Ptr<int> p;
};

// Offsets that the members' sizes do not tell.
struct Empty {};

struct NoAddress {
  [[no_unique_address]] Empty empty;
  Ptr<int> p;
  int size;
  alignas(8) int hits;
};

struct AlignedMember {
  char c;
  alignas(16) char d;
  Ptr<int> p;
};

struct TailPadding {
  NoAddress in;
  int more;
  Ptr<int> p;
};

// Of packed types without alignas, the headers refuse those with pointers: packed.cc.
struct alignas(8) Packed {
  char c;
  int* p;
} __attribute__((packed));

#pragma pack(push, 1)

struct alignas(8) PackedPtr {
  char c;
  Ptr<int> p;
};

#pragma pack(pop)

struct ReusedTail {
  virtual ~ReusedTail() = default;
  int n;
};

struct UsesTail : ReusedTail {
  int m;
  Ptr<int> p;
};

// Members that a structured binding refuses.
struct AnonymousUnion {
  int kind;

  union {
    long n;
    double d;
  };
};

struct AnonymousPointer {
  int kind;

  union {
    long n;
    int* p;
  };
};

struct BitFields {
  unsigned mark : 1;
  unsigned color : 3;
  Ptr<int> p;
};

struct BitNumbers {
  unsigned mark : 1;
  unsigned : 0;
  unsigned color : 3;
};

struct NoElements {
  Ptr<int> p;
  Ptr<int> more[0];
};

struct Reference {
  Ptr<int> p;
  int& r;
};

// Numbers that are more.
struct Address {
  uintptr_t word;
  Ptr<int> p;
};

enum class Tagged : uintptr_t { kNone };

class HoldsTagged {
  Tagged tagged;
};

class AtomicAddress {
  std::atomic<uintptr_t> word;
};

struct Wide {
  __int128 pair;
};

class Vector {
  [[gnu::vector_size(16)]] long long words;
};

class Floats {
  [[gnu::vector_size(16)]] float numbers;
  _Complex double c;
  long double d;
};

struct Codes {
  void (*code)();
  int Address::* member;
  Ptr<int> p;
};

struct Constant {
  const Ptr<int> p;
  const Ptr<int> all[2];
};

struct Volatile {
  volatile long n;
  Ptr<int> p;
};

// What type_map says, in part or in full.
template <class T>
class Boxed {
  long n = 0;
  T* hidden = nullptr;
};

template <class T>
struct burrow::type_map<Boxed<T>> {
  static constexpr internal::PointerMap kFields = internal::map_of_second_word();
};

class HoldsBoxed {
  int n;
  Boxed<int> boxed;
  Ptr<int> p;
};

template <class T>
concept SaysSo = requires { T::kSaysSo; };

struct Unknown {
  static constexpr bool kSaysSo = true;
  long word;
};

template <SaysSo T>
struct burrow::type_map<T> {};

class HoldsUnknown {
  Unknown unknown;
};

struct OneUnknown {
  long word;
};

BURROW_UNKNOWN(OneUnknown);

class Library {
  burrow::Slice<int> slice;
  burrow::Func<void()> func;
  burrow::Any any;
  burrow::Weak<int> weak;
  burrow::Root<int> root;
};

class Standard {
  std::optional<Ptr<int>> optional;
};

template <class T>
void print(const char* name) {
  // As the library reads it: not what the compiler knows of a constant.
  const burrow::internal::TypeInfo* volatile place = &burrow::internal::kTypeInfo<T>;
  const burrow::internal::TypeInfo& info = *place;
  std::printf("%s %d", name, static_cast<int>(info.kind));
  if (info.kind == burrow::internal::ObjectKind::kExact) {
    for (size_t word = 0; word < info.size / 8; ++word) {
      if ((info.pointers[word / 64] >> word % 64 & 1) != 0) {
        std::printf(" %zu", word);
      }
    }
  }
  std::puts("");
}

#define PRINT(...) print<__VA_ARGS__>(#__VA_ARGS__)

// What destructors and constructors of these types mention.
unsigned char burrow_gc_marking;

void burrow_gc_shade(void* /*value*/) {}

void burrow::internal::delete_root(void** /*root*/) {}

int main() {
  PRINT(Bytes);
  PRINT(StdBytes);
  PRINT(Chars);
  PRINT(Rows);
  PRINT(Wrapped);
  PRINT(Inherited);
  PRINT(PrivateBytes);
  PRINT(TypedefBytes);
  PRINT(Slot);
  PRINT(OldStorage);
  PRINT(AlignedWords);
  PRINT(UnionWords);
  PRINT(Room);
  PRINT(ShortText);
  PRINT(Flags);
  PRINT(Numbers);
  PRINT(Told);
  PRINT(HoldsTold);
  PRINT(NoAddress);
  PRINT(AlignedMember);
  PRINT(TailPadding);
  PRINT(Packed);
  PRINT(PackedPtr);
  PRINT(UsesTail);
  PRINT(AnonymousUnion);
  PRINT(AnonymousPointer);
  PRINT(BitFields);
  PRINT(BitNumbers);
  PRINT(NoElements);
  PRINT(Reference);
  PRINT(Address);
  PRINT(HoldsTagged);
  PRINT(AtomicAddress);
  PRINT(Wide);
  PRINT(Vector);
  PRINT(Floats);
  PRINT(Codes);
  PRINT(Constant);
  PRINT(Volatile);
  PRINT(Boxed<int>);
  PRINT(HoldsBoxed);
  PRINT(Unknown);
  PRINT(HoldsUnknown);
  PRINT(OneUnknown);
  PRINT(Library);
  PRINT(Standard);
  PRINT(std::byte);
  PRINT(unsigned char);
  PRINT(std::array<std::byte, 8>);
  PRINT(unsigned char[8]);
  PRINT(std::any);
  PRINT(std::function<void()>);
  PRINT(std::variant<int, double>);
  PRINT(std::variant<int, int*>);
  PRINT(std::optional<long>);
  PRINT(std::mutex);
  PRINT(std::string);
  PRINT(std::complex<double>);
  Ptr<int> p;
  std::byte bytes[16] = {};
  auto holds_bytes = [p, bytes] { return p == nullptr && bytes[0] == bytes[1]; };
  print<decltype(holds_bytes)>("lambda");
}
