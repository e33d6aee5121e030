// Looks for types that may alias others, for modules without TBAA tags. See TypePuns.h.
#include "TypePuns.h"

#include "clang/AST/ASTConsumer.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Attr.h"
#include "clang/AST/DeclCXX.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendAction.h"
#include "clang/Frontend/FrontendPluginRegistry.h"
#include "clang/Serialization/ASTReader.h"

using namespace llvm;

namespace burrow {

namespace {

bool NeverAlias = false;

/// What kinds of scalars an object of the type has in it.
struct Scalars {
  bool Pointers = false, Numbers = false;

  void add(clang::QualType T) {
    T = T.getCanonicalType();
    if (const auto* Array = dyn_cast<clang::ArrayType>(T)) {
      add(Array->getElementType());
    } else if (const clang::RecordDecl* Record = T->getAsRecordDecl()) {
      addRecord(*Record);
    } else if (T->isAnyPointerType() || T->isReferenceType() || T->isMemberPointerType()) {
      Pointers = true;
    } else {
      Numbers = true;
    }
  }

  /// Bytes of an array may be read as what they are of anything: accesses to them say nothing.
  static bool isBytes(clang::QualType T) {
    const auto* Array = dyn_cast<clang::ConstantArrayType>(T.getCanonicalType());
    clang::QualType Element = Array ? Array->getElementType() : clang::QualType();
    return Array && (Element->isCharType() || Element->isStdByteType());
  }

  void addRecord(const clang::RecordDecl& Record) {
    const clang::RecordDecl* Known = Record.getDefinition();
    if (!Known || Known->isInvalidDecl()) {
      return;
    }
    if (const auto* Class = dyn_cast<clang::CXXRecordDecl>(Known)) {
      for (const clang::CXXBaseSpecifier& Base : Class->bases()) {
        add(Base.getType());
      }
    }
    for (const clang::FieldDecl* Field : Known->fields()) {
      if (!(Known->isUnion() && isBytes(Field->getType()))) {
        add(Field->getType());
      }
    }
  }
};

class Consumer : public clang::ASTConsumer {
 public:
  explicit Consumer(const clang::CompilerInstance& Of)
      : Compiler(Of), Strict(!Of.getCodeGenOpts().RelaxedAliasing) {
    NeverAlias = false;
  }

  void HandleTranslationUnit(clang::ASTContext& C) override {
    const auto Reader = Compiler.getASTReader();
    // Of a precompiled header or a module more types may be read when the code is made.
    if (Reader && Reader->getModuleManager().size() != 0) {
      return;
    }
    // Types may be made while they are looked at.
    const std::vector<const clang::Type*> All(C.getTypes().begin(), C.getTypes().end());
    NeverAlias = Strict && none_of(All, [&](const clang::Type* T) { return mayAlias(C, *T); });
  }

 private:
  static bool mayAlias(clang::ASTContext& C, const clang::Type& T) {
    if (const auto* Typedef = dyn_cast<clang::TypedefType>(&T)) {
      return Typedef->getDecl()->hasAttr<clang::MayAliasAttr>() && !T.isVectorType();
    }
    const auto* Record = dyn_cast<clang::RecordType>(&T);
    const clang::RecordDecl* D = Record ? Record->getDecl()->getDefinition() : nullptr;
    if (!D || D->isDependentContext() || D->isInvalidDecl() ||
        C.getSourceManager().isInSystemHeader(D->getLocation())) {
      return false;
    }
    if (D->hasAttr<clang::MayAliasAttr>()) {
      return true;
    }
    Scalars Held;
    if (D->isUnion()) {
      Held.addRecord(*D);
    }
    return Held.Pointers && Held.Numbers;
  }

  const clang::CompilerInstance& Compiler;
  bool Strict;
};

class Action : public clang::PluginASTAction {
 public:
  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& Compiler,
                                                        StringRef /*File*/) override {
    return std::make_unique<Consumer>(Compiler);
  }

  bool ParseArgs(const clang::CompilerInstance& /*Compiler*/,
                 const std::vector<std::string>& /*Arguments*/) override {
    return true;
  }

  ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<Action> Registered("burrow-types",
                                                            "types that may alias others");

}  // namespace

bool typesNeverAlias() {
  return NeverAlias;
}

}  // namespace burrow
