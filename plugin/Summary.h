// What a call of a function does with its arguments, without looking at its body.
//
// A parameter has five levels: 0 is the argument itself, 1 the pointers that what it points to
// holds, 2 all deeper ones; 3 is what it points to holds in another form than as pointers (the raw
// plane of Access.h), and 4 all that is reached over a value in such a form. So a number that is
// read and kept keeps nothing of what is known by pointers alone. A flow says that the value at a
// level of a parameter may come to a sink. What a summary does not say does not happen; a function
// without a summary may do anything.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "Access.h"
#include "llvm/IR/Function.h"

namespace burrow {

class Graph;

enum class SinkKind { Heap, Result, Content, Freed };

struct Flow {
  unsigned Param = 0, Level = 0;  ///< the source
  SinkKind Sink = SinkKind::Heap;
  unsigned SinkParam = 0, SinkLevel = 0;  ///< Content: what this level's pointers point to
  Planes SinkPlane = Planes::Typed;       ///< Content: Typed or Raw

  auto operator<=>(const Flow&) const = default;
};

struct Summary {
  std::set<Flow> Flows;
  /// The result, or the content of the level of a parameter, may be or hold a pointer to the heap.
  bool HeapResult = false;
  std::set<std::pair<unsigned, unsigned>> HeapContent;
  /// Holds only where closures are charged at their creation, so not to be kept past that.
  bool Optimistic = false;

  static constexpr unsigned Levels = 5;

  /// The level of what memory at a level holds in a plane, and how many pointers deep it is.
  static constexpr unsigned below(unsigned Level, Planes Plane) {
    unsigned Typed = Level == 0 ? 1 : 2;
    return Plane == Planes::Raw || Level > 2 ? Typed + 2 : Typed;
  }

  static constexpr unsigned depth(unsigned Level) { return Level > 2 ? Level - 2 : Level; }

  bool operator==(const Summary&) const = default;
  std::string text() const;
  static std::optional<Summary> parse(llvm::StringRef Text);
  /// Of a function that links the parameters with each other: see linkedParams.
  static Summary linking(llvm::ArrayRef<unsigned> Params);
  /// What the solved graph of a function says.
  static Summary of(const Graph& G);
  bool fits(const llvm::Function& F) const;
};

/// The summaries known while a module is looked at.
class SummaryTable {
 public:
  /// The summary that a call of F may rely on, or null: unknown, or F may be replaced.
  const Summary* find(const llvm::Function& F) const;

  /// The summary of F's own body, whether or not a call may rely on it.
  const Summary* own(const llvm::Function& F) const {
    auto It = Known.find(&F);
    return It == Known.end() ? nullptr : &It->second;
  }

  void set(const llvm::Function& F, Summary S) { Known[&F] = std::move(S); }

  void forget(const llvm::Function& F) { Known.erase(&F); }

 private:
  std::map<const llvm::Function*, Summary> Known;
};

}  // namespace burrow
