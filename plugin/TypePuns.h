// Whether types of a translation unit may alias others: see Access.h.
#pragma once

namespace burrow {

/// Whether the frontend saw the whole unit and found that no type in it may alias another: strict
/// aliasing is on, and there is neither may_alias nor a union of pointers and numbers but in the
/// system's headers. Arrays of bytes in a union are no numbers: accesses to them say nothing.
bool typesNeverAlias();

}  // namespace burrow
