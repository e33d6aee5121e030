// Decisions told to the user: -m on standard error, sorted by place and worded as Go's, and
// remarks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "Graph.h"
#include "Options.h"
#include "Promote.h"
#include "Summary.h"
#include "llvm/Analysis/OptimizationRemarkEmitter.h"

namespace burrow {

/// A place in the user's own source.
struct Place {
  std::string File;
  unsigned Line = 0, Column = 0;

  auto operator<=>(const Place&) const = default;
  std::string text() const;
};

/// Where the instruction comes from: the innermost inlined frame that is not a library's. Library
/// is set to the name of the outermost library function that was skipped, or left alone.
Place placeOf(const llvm::Instruction& I, std::string* Library = nullptr);

/// Headers of the system, of the compiler and of Burrow: their lines are not the user's.
bool isLibraryFile(llvm::StringRef File);

/// Collects the decisions on one module, and prints them when the last of them is made.
class Decisions {
 public:
  /// Of the module's process; a compiler looks at one module at a time.
  static Decisions& get();

  /// A site's verdict; a Late one is final, because it is of the code that stays.
  void site(const Graph& G, const Verdict& V, bool Late);
  void parameters(const llvm::Function& F, const Summary& S);
  /// A func literal whose captures lie in the func value itself.
  void literal(const llvm::CallBase& Made);
  /// A line that is neither: what cannot be exact, pointers hidden in integers.
  void note(const Place& At, std::string Text);
  /// Prints what there is to standard error and forgets it.
  void print(Explain How);

 private:
  struct Line {
    std::string What, Decision, Reason;
    std::vector<std::string> Flow;
    bool Late = false;
  };

  using Key = std::pair<Place, std::string>;

  void add(const Place& At, Line L);

  std::map<Key, Line> Sites;
  std::map<Place, std::vector<Line>> Others;
};

void remark(const Verdict& V, llvm::OptimizationRemarkEmitter& Emitter);

}  // namespace burrow
