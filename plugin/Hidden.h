// Warns of pointers that the program hides from the collector in integers.
//
// The collector finds a pointer as the word it is, tagged in its low bits or pointing inside an
// object perhaps. A pointer that is kept in another form (xor of two, shifted, with a tag in its
// upper bits) it does not find. The sign of that is the pointer made from such an integer. One kept
// as a plain integer is found only where words are looked at whatever their type, so -m names the
// store.
#pragma once

#include "llvm/IR/Function.h"

namespace burrow {

/// Looks at a function as the source has it, before inlining.
void warnOfHiddenPointers(llvm::Function& F);

}  // namespace burrow
