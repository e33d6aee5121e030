// Names of functions as people read them. See prof.h.
#pragma once

#include <string>
#include <string_view>

namespace burrow::prof {

/// A symbol demangled and simplified; the symbol itself when it is not a mangled one.
[[nodiscard]] std::string readable_name(const std::string& symbol);

/// A demangled name without parameters, template arguments and return type, which is how pprof
/// shows mangled names by default: "int ns::f<char>(int) const" gives "ns::f". Names in it such as
/// "(anonymous namespace)" and "operator()" stay; what cannot be parsed comes back as it is.
[[nodiscard]] std::string simplify_name(std::string_view demangled);

}  // namespace burrow::prof
