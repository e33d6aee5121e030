// The instructions of write barriers. See Barrier.h.
#pragma once

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

namespace burrow {

class BarrierCode {
 public:
  explicit BarrierCode(llvm::Module& Of);

  /// The value is there before the instruction, which looks at the flag.
  void pin(llvm::Instruction& Look, llvm::Value* What);

  /// The barrier for a value that the instruction stores.
  void beforeStore(llvm::Instruction& Store, llvm::Value* What);

  /// The same for the word that the store completes.
  void beforePart(llvm::StoreInst& Store);

  /// The barrier for what a copy from the function's own variable stores.
  void beforeCopy(llvm::AnyMemTransferInst& Move);
  void beforeCopy(llvm::Instruction& Copy, llvm::Value* To, llvm::Value* From, llvm::Value* Bytes);

  /// A short copy to an aligned place, word by word; takes the former one out.
  void copyInline(llvm::AnyMemTransferInst& Move, uint64_t Bytes);

  /// A call that copies, before the instruction.
  void copyByLibrary(llvm::Instruction& Before, llvm::Value* To, llvm::Value* From,
                     llvm::Value* Bytes);

  /// Calls the function of `Call` with the same arguments before it, on the condition alone.
  void callOnlyIf(llvm::Value* Condition, llvm::CallInst& Call);

 private:
  /// Calls `Use` with each word of the value, or with all of a part that is narrower.
  template <class F>
  void forEachWord(llvm::IRBuilder<>& B, llvm::Value* V, F Use);
  void pinAt(llvm::IRBuilder<>& B, llvm::Value* V);
  void shade(llvm::IRBuilder<>& B, llvm::Value* V);
  /// Where the code goes that runs while marking.
  llvm::Instruction* ifMarking(llvm::Instruction& Before);
  llvm::FunctionCallee shadeWords();

  llvm::Module& M;
  llvm::LLVMContext& C;
  llvm::Constant* Flag;
  llvm::FunctionCallee Shade, Copy;
};

}  // namespace burrow
