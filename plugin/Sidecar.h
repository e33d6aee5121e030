// Summaries across files: each object carries those of the functions that it defines, and a later
// compile that is given the object relies on them.
//
// What keeps them from being stale: the object defines a symbol that has a hash of its summaries in
// its name, hidden, beside the functions; who relied on them refers to that symbol. If the object
// was compiled anew and says something else now, or another definition of the functions is linked,
// the program does not link, and the name says why. Functions that the loader may replace (of a
// shared library) have no summaries for others, nor has what goes into one.
#pragma once

#include "Summary.h"

namespace burrow {

/// Adds what the files of -burrow-summaries say of functions that the module only declares, and
/// ties the module to the objects that say it.
void addSidecarSummaries(llvm::Module& M, SummaryTable& Table);

/// Writes the summaries of the module's own functions into a section that no program keeps.
void writeSidecar(llvm::Module& M, const SummaryTable& Table);

}  // namespace burrow
