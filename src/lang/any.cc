// What an interface value does when it is not what it was taken for. See burrow/any.h.
#include "burrow/any.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/annotations.h"
#include "base/printer.h"
#include "burrow/internal/panic.h"

namespace burrow {

BURROW_EXPORT BadAny::BadAny(const Type* is, const Type* wanted) noexcept : text_{} {
  FixedPrinter<sizeof(text_)> out;
  out << "interface conversion: interface is " << (is != nullptr ? is->name() : "nil") << ", not "
      << (wanted != nullptr ? wanted->name() : "nil");
  std::string_view text = out.text();
  std::memcpy(text_, text.data(), std::min(text.size(), sizeof(text_) - 1));
}

// By the names that the ABI gives them, not by `name()`, which local types share.
BURROW_EXPORT bool Type::is_same(const Type& a, const Type& b) noexcept {
  if (a.info_ == nullptr || b.info_ == nullptr || a.size_ != b.size_) {
    return false;
  }
  const char* name = a.info_->name();
  if (name == b.info_->name()) {
    return true;
  }
  // Unnamed namespaces, and functions with internal linkage: each library may have its own. gcc
  // marks their names too.
  bool own = *name == '*' || std::strstr(name, "_GLOBAL__N_") != nullptr ||
             std::strstr(name, "ZL") != nullptr;
  return !own && std::strcmp(name, b.info_->name()) == 0;
}

namespace internal {

BURROW_EXPORT void throw_bad_any(const Type* is, const Type* wanted) {
  throw BadAny(is, wanted);
}

BURROW_EXPORT void panic_uncomparable(const Type* type) {
  FixedPrinter<512> out;
  out << "comparing uncomparable type " << type->name();
  panic_runtime(out.text());
}

}  // namespace internal
}  // namespace burrow
