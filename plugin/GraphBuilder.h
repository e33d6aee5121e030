// Turns the instructions of a function into constraints. Internal to Graph.cpp and Calls.cpp.
#pragma once

#include "Graph.h"
#include "Integers.h"

namespace burrow {

class GraphBuilder {
 public:
  GraphBuilder(Graph& Into, const SummaryTable& Table) : G(Into), Summaries(Table), Ints(Into.F) {}

  void run();

 private:
  void parameters();
  NodeId node(const llvm::Value* V);
  void constant(const llvm::Constant* C, NodeId N);
  /// Whether the value has a node: it may be a pointer or hold one.
  bool followed(const llvm::Value* V) const;
  void flow(const llvm::Value* From, const llvm::Value* To, llvm::Instruction* Why);
  void escape(const llvm::Value* V, llvm::Instruction* Why);
  void transfer(const llvm::Value* To, const llvm::Value* From, llvm::Instruction* Why);
  void distance(llvm::BinaryOperator& Sub);

  void visit(llvm::Instruction& I);
  void memory(llvm::Instruction& I);
  void plain(llvm::Instruction& I);

  // Calls.cpp
  void call(llvm::CallBase& Call);
  bool intrinsic(llvm::IntrinsicInst& Call);
  void allocation(llvm::CallBase& Call, Callee Kind);
  void unknown(llvm::CallBase& Call);
  void known(llvm::CallBase& Call, const Summary& S);
  void closure(llvm::CallBase& Call);
  bool memoryIntrinsic(llvm::IntrinsicInst& Call);

  /// The nodes of an argument's levels (Summary.h), made when asked for.
  class ArgumentLevels {
   public:
    ArgumentLevels(Graph& Of, NodeId Argument, llvm::Instruction* Why);
    NodeId operator[](unsigned Level);

   private:
    Graph& G;
    llvm::Instruction* Why;
    std::optional<NodeId> Nodes[Summary::Levels];
  };

  Graph& G;
  const SummaryTable& Summaries;
  Integers Ints;
};

}  // namespace burrow
