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
