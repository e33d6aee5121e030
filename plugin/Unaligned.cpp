// See Unaligned.h.
#include "Unaligned.h"

#include "Bases.h"
#include "Options.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/RecordLayout.h"
#include "clang/Basic/SourceManager.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr int64_t WordBytes = 8;

class Finder {
 public:
  Finder(clang::ASTContext& Of, TypeMaps& Says) : C(Of), Told(Says) {}

  /// The member whose pointer is not aligned in a T that lies Offset bytes behind a word.
  const clang::FieldDecl* find(clang::QualType T, int64_t Offset, const clang::FieldDecl* Member) {
    T = T.getCanonicalType().getUnqualifiedType();
    if (Told.of(T)) {
      return nullptr;
    }
    if (const auto* Array = C.getAsConstantArrayType(T)) {
      // As many elements as show every place that one may have.
      int64_t Size = C.getTypeSizeInChars(Array->getElementType()).getQuantity();
      int64_t Count = std::min<int64_t>(Array->getSize().getZExtValue(), WordBytes);
      for (int64_t N = 0; N < Count; ++N) {
        if (const auto* Found =
                find(Array->getElementType(), (Offset + N * Size) % WordBytes, Member)) {
          return Found;
        }
      }
      return nullptr;
    }
    if (const clang::RecordDecl* Record = T->getAsRecordDecl()) {
      return record(*Record, Offset, true, Member);
    }
    bool Pointer = T->isPointerType() || T->isReferenceType() || T->isBlockPointerType();
    return Pointer && !T->getPointeeType()->isFunctionType() && Offset % WordBytes != 0 ? Member
                                                                                        : nullptr;
  }

 private:
  const clang::FieldDecl* record(const clang::RecordDecl& Declared, int64_t Offset, bool Complete,
                                 const clang::FieldDecl* Member) {
    const clang::RecordDecl* Record = Declared.getDefinition();
    if (!Record || Record->isInvalidDecl()) {
      return nullptr;
    }
    const clang::ASTRecordLayout& L = C.getASTRecordLayout(Record);
    const clang::FieldDecl* Found = nullptr;
    if (const auto* Class = dyn_cast<clang::CXXRecordDecl>(Record)) {
      forEachBase(*Class, L, Offset, Complete, [&](const clang::CXXRecordDecl& Base, int64_t At) {
        Found = Found ? Found : record(Base, At, false, Member);
      });
    }
    for (const clang::FieldDecl* Field : Record->fields()) {
      if (!Found && !Field->isBitField()) {
        int64_t At = int64_t(L.getFieldOffset(Field->getFieldIndex()) / 8);
        Found = find(Field->getType(), Offset + At, Field->getName().empty() ? Member : Field);
      }
    }
    return Found;
  }

  clang::ASTContext& C;
  TypeMaps& Told;
};

}  // namespace

std::optional<std::string> unalignedPointer(clang::ASTContext& C, TypeMaps& Told,
                                            clang::QualType T) {
  Finder F(C, Told);
  const clang::FieldDecl* Found = nullptr;
  int64_t Size = C.getTypeSizeInChars(T).getQuantity();
  // An element of a slice lies behind others.
  for (int64_t N = 0; N < WordBytes && !Found; ++N) {
    Found = F.find(T, N * Size % WordBytes, nullptr);
  }
  if (!Found || planted("unaligned")) {
    return std::nullopt;
  }
  const std::string Name = T.getAsString(C.getPrintingPolicy());
  clang::PresumedLoc At = C.getSourceManager().getPresumedLoc(Found->getLocation());
  std::string Place = At.isValid() ? (Twine(At.getFilename()) + ":" + Twine(At.getLine()) + ":" +
                                      Twine(At.getColumn()) + ": ")
                                         .str()
                                   : "burrow: ";
  return Place + "the pointer in " + Found->getNameAsString() + " of " + Name +
         " is not aligned, and the collector does not see it there: leave `packed` off, or say "
         "BURROW_OPAQUE(" +
         Name + ") if it is to no collected object";
}

}  // namespace burrow
