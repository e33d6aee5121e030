// A warning of the plugin, as clang prints its own; -Wno-backend-plugin silences it.
#pragma once

#include <string>

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"

namespace burrow {

class Warning : public llvm::DiagnosticInfo {
 public:
  explicit Warning(std::string Says)
      : DiagnosticInfo(llvm::getNextAvailablePluginDiagnosticKind(), llvm::DS_Warning),
        Text(std::move(Says)) {}

  void print(llvm::DiagnosticPrinter& Printer) const override { Printer << Text; }

 private:
  std::string Text;
};

}  // namespace burrow
