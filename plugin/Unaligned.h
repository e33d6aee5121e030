// Pointers that lie where the collector does not look: packed types have them off their words.
#pragma once

#include <optional>
#include <string>

#include "TypeMaps.h"

namespace burrow {

/// Where a pointer in an object of the type, or in one element of an array of them, is not aligned:
/// the member's place and name, as a warning has them. Null where each is. What `type_map` says of
/// a type is taken for right.
std::optional<std::string> unalignedPointer(clang::ASTContext& C, TypeMaps& Told,
                                            clang::QualType T);

}  // namespace burrow
