// What the analysis knows of functions by their names: allocations, frees, markers. See Graph.h.
#pragma once

#include <optional>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/IntrinsicInst.h"

namespace burrow {

enum class Callee {
  Other,
  Make,         ///< burrow_gc_new(bytes, type)
  MakeArray,    ///< burrow_gc_new_array(count, type)
  New,          ///< operator new or malloc: the program frees it itself
  Free,         ///< operator delete, free
  FreeOther,    ///< realloc and the like: ends the block's life in a way that is not followed
  ClosureMade,  ///< burrow_closure_made(captures, code)
  ClosureUsed,  ///< burrow_closure_used(captures)
};

/// What a call does to allocations; Other where the program may have replaced the function for
/// this call (-fno-builtin, a direct call of ::operator new).
Callee calleeOf(const llvm::CallBase& Call);

/// The constant type description that a Make call passes.
struct TypeFacts {
  const llvm::GlobalVariable* Info = nullptr;  ///< null: not known here, nor is the rest
  uint64_t Size = 0;
  bool HasDestructor = false;
};

TypeFacts typeFacts(const llvm::CallBase& Call);

/// The function that a ClosureMade call joins its captures with; null where it is not constant.
llvm::Function* closureCode(const llvm::CallBase& Call);

/// Bytes that an allocation call asks for, where they are constant.
std::optional<uint64_t> allocationSize(const llvm::CallBase& Call, Callee Kind);

/// Whether an intrinsic neither keeps nor reveals nor yields a pointer.
bool isHarmlessIntrinsic(const llvm::IntrinsicInst& Call);

/// Parameters that a bodyless function of the C++ library links with each other and nothing else:
/// after the call each may be reached from each, and the result may be any of what they reach.
llvm::ArrayRef<unsigned> linkedParams(llvm::StringRef Name);

}  // namespace burrow
