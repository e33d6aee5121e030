// See PointerMap.h.
#include "PointerMap.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "Bases.h"
#include "Diagnose.h"
#include "Options.h"
#include "Padding.h"
#include "TypeMaps.h"
#include "Unaligned.h"
#include "Warning.h"
#include "clang/AST/ASTConsumer.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/AST/Mangle.h"
#include "clang/AST/RecordLayout.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendPluginRegistry.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr uint64_t WordBytes = 8;
/// As the library's header has it: larger types are looked at word by word.
constexpr uint64_t MostWords = 256;

/// ObjectKind of include/burrow/internal/object.h.
enum : uint64_t { Noscan = 0, Raw = 1, Exact = 2 };

struct WordMap {
  std::vector<uint64_t> Bits;
  bool HasPointers = false;
  std::string Inexact;  ///< why any word may be a pointer; empty when the type is exact
  bool Told = false;    ///< the program said what the type holds: that stands
  std::optional<ByteRanges> Values;
};

/// From the half in clang to the one in LLVM, by the mangled name of the constant.
std::map<std::string, WordMap>& wordMaps() {
  static std::map<std::string, WordMap> Maps;
  return Maps;
}

/// What is to be said of types with pointers that the collector does not see.
std::set<std::string>& lostPointers() {
  static std::set<std::string> All;
  return All;
}

class Layout {
 public:
  Layout(clang::ASTContext& Of, TypeMaps& Says, WordMap& Into) : C(Of), Told(Says), Map(Into) {}

  /// An object by itself, or an element: a byte is one of storage.
  void object(clang::QualType T) {
    if (T.getCanonicalType()->isStdByteType()) {
      inexact("a std::byte is storage for other objects");
    }
    type(T, 0, "it");
  }

 private:
  void type(clang::QualType T, uint64_t Offset, const std::string& Name) {
    if (namesAddress(T)) {
      inexact(Name + " is an integer made for pointers");
    }
    T = T.getCanonicalType().getUnqualifiedType();
    if (told(T, Offset, Name)) {
      return;
    }
    if (const auto* Array = C.getAsConstantArrayType(T)) {
      array(*Array, Offset, Name);
    } else if (T->isPointerType() || T->isReferenceType() || T->isBlockPointerType()) {
      if (!T->getPointeeType()->isFunctionType()) {
        plainPointer(Offset, Name);
      }
    } else if (const auto* Atomic = T->getAs<clang::AtomicType>()) {
      type(Atomic->getValueType(), Offset, Name);
    } else if (const auto* Record = T->getAsRecordDecl()) {
      record(*Record, Offset, true, Name);
    } else if (const auto* Vector = T->getAs<clang::VectorType>()) {
      if (!Vector->getElementType()->isRealFloatingType()) {
        inexact(Name + " is a vector that may hold pointers");
      }
    } else if (T->isIntegralOrEnumerationType() &&
               C.getTypeSizeInChars(T).getQuantity() > int64_t(WordBytes)) {
      inexact(Name + " is an integer with room for a pointer and more");
    } else if (!T->isBuiltinType() && !T->isEnumeralType() && !T->isMemberPointerType() &&
               !T->isAnyComplexType()) {
      inexact(Name + " is of a type with no known layout");
    }
  }

  /// What `type_map` says of the type stands. False: nothing.
  bool told(clang::QualType T, uint64_t Offset, const std::string& Name) {
    const ToldMap* Said = planted("map-told") ? nullptr : Told.of(T);
    if (!Said) {
      return false;
    }
    if (!Said->Exact) {
      inexact("type_map says so of " + Name);
      return true;
    }
    for (uint64_t Word : Said->Words) {
      word(Offset + Word * WordBytes, Name);
    }
    return true;
  }

  void inexact(const std::string& Why) {
    if (Map.Inexact.empty()) {
      Map.Inexact = Why;
    }
  }

  void word(uint64_t Offset, const std::string& Name) {
    uint64_t Word = Offset / WordBytes;
    if (Offset % WordBytes != 0 || Word >= MostWords) {
      inexact(Name + (Word >= MostWords ? " lies too far behind" : " is not aligned"));
      return;
    }
    if (UnionDepth && !planted("map-union")) {
      inexact(Name + " is a pointer in a union");
    }
    if (Word > 0 && planted("map-word")) {
      return;
    }
    Map.Bits.resize(std::max<size_t>(Map.Bits.size(), Word / 64 + 1));
    Map.Bits[Word / 64] |= uint64_t{1} << Word % 64;
    Map.HasPointers = true;
  }

  void plainPointer(uint64_t Offset, const std::string& Name) {
    if (!Options::barriers()) {
      inexact(Name + " is a plain pointer");
    } else if (StdDepth) {
      inexact(Name + " is stored to by the C++ library");
    }
    word(Offset, Name);
  }

  void array(const clang::ConstantArrayType& Array, uint64_t Offset, const std::string& Name) {
    clang::QualType Element = Array.getElementType();
    uint64_t Count = Array.getSize().getZExtValue();
    uint64_t Size = C.getTypeSizeInChars(Element).getQuantity();
    if (Count == 0) {
      inexact(Name + " may go on behind the object");
    }
    if (isStorage(C.getBaseElementType(Element), Count * Size) && !planted("map-storage")) {
      inexact(Name + " is storage for other objects");
    }
    if (Element->isBuiltinType()) {
      return;
    }
    for (uint64_t N = 0; N < Count; ++N) {
      type(Element, Offset + N * Size, Name);
      if (!Map.Inexact.empty() || !Map.HasPointers) {
        return;  // more of the same
      }
    }
  }

  /// Whether other objects may be made in an array: one of bytes, or one of numbers whose place
  /// was chosen for what is made there.
  bool isStorage(clang::QualType Element, uint64_t Bytes) const {
    if (Bytes < WordBytes) {
      return false;
    }
    if (Element->isCharType() || Element->isStdByteType() ||
        Element->isSpecificBuiltinType(clang::BuiltinType::SChar)) {
      return true;
    }
    return (UnionDepth || Aligned) && Element->isIntegralOrEnumerationType() &&
           !Element->isBooleanType();
  }

  static bool isEmpty(const clang::RecordDecl& Record) {
    const auto* Class = dyn_cast<clang::CXXRecordDecl>(&Record);
    return !Class || Class->isEmpty();
  }

  /// uintptr_t and intptr_t, by whatever further names, and templates over them.
  static bool namesAddress(clang::QualType T) {
    for (;;) {
      if (const auto* Name = T->getAs<clang::TypedefType>()) {
        StringRef Text = Name->getDecl()->getName();
        if (Text == "uintptr_t" || Text == "intptr_t") {
          return true;
        }
        T = Name->desugar();
      } else if (const auto* Enum = dyn_cast<clang::EnumType>(T.getCanonicalType())) {
        clang::QualType Of = Enum->getDecl()->getIntegerType();
        return !Of.isNull() && !Of->isEnumeralType() && namesAddress(Of);
      } else if (const auto* Special = T->getAs<clang::TemplateSpecializationType>()) {
        return any_of(Special->template_arguments(), [](const clang::TemplateArgument& A) {
          return A.getKind() == clang::TemplateArgument::Type && namesAddress(A.getAsType());
        });
      } else {
        return false;
      }
    }
  }

  /// A member type with a barrier of its own.
  static bool isPtr(const clang::RecordDecl& Record) {
    return Record.getQualifiedNameAsString() == "burrow::Ptr";
  }

  void record(const clang::RecordDecl& Declared, uint64_t Offset, bool Complete,
              const std::string& Name) {
    const clang::RecordDecl* Record = Declared.getDefinition();
    if (!Record || Record->hasFlexibleArrayMember()) {
      inexact(Name + " has no constant size");
      return;
    }
    if (isPtr(*Record)) {
      word(Offset, Name);
      return;
    }
    const clang::ASTRecordLayout& L = C.getASTRecordLayout(Record);
    if (Record->field_empty() && L.getSize().getQuantity() >= int64_t(WordBytes) &&
        isEmpty(*Record)) {
      inexact(Name + " is room without members");
    }
    StdDepth += Record->isInStdNamespace();
    if (const auto* Class = dyn_cast<clang::CXXRecordDecl>(Record)) {
      forEachBase(*Class, L, Offset, Complete, [&](const clang::CXXRecordDecl& Base, uint64_t At) {
        record(Base, At, false, Name);
      });
    }
    UnionDepth += Record->isUnion();
    for (const clang::FieldDecl* Field : Record->fields()) {
      if (Field->isBitField()) {
        continue;
      }
      bool Was = std::exchange(
          Aligned, Field->hasAttr<clang::AlignedAttr>() || Record->hasAttr<clang::AlignedAttr>());
      std::string Inner = Field->getName().empty() ? Name : Field->getNameAsString();
      type(Field->getType(), Offset + L.getFieldOffset(Field->getFieldIndex()) / 8, Inner);
      Aligned = Was;
    }
    UnionDepth -= Record->isUnion();
    StdDepth -= Record->isInStdNamespace();
  }

  clang::ASTContext& C;
  TypeMaps& Told;
  WordMap& Map;
  unsigned UnionDepth = 0, StdDepth = 0;
  bool Aligned = false;
};

class Consumer : public clang::ASTConsumer {
 public:
  explicit Consumer(clang::CompilerInstance& Of) : Compiler(Of) {}

  void HandleTranslationUnit(clang::ASTContext& C) override {
    const auto* Infos = findInternal<clang::VarTemplateDecl>(C, "kTypeInfo");
    if (!Infos || !Compiler.hasSema()) {
      return;
    }
    TypeMaps Told(Compiler.getSema());
    clang::ASTNameGenerator Names(C);
    for (const clang::VarTemplateSpecializationDecl* Info : Infos->specializations()) {
      const clang::TemplateArgument& Argument = Info->getTemplateArgs()[0];
      if (Argument.getKind() != clang::TemplateArgument::Type ||
          Argument.getAsType()->isDependentType()) {
        continue;
      }
      clang::QualType T = Argument.getAsType();
      WordMap Map;
      if (Told.of(T)) {
        Map.Inexact = "type_map says so";
        Map.Told = true;
      } else {
        Layout(C, Told, Map).object(T);
      }
      explain(C, T, Map);
      if (std::optional<std::string> Lost = unalignedPointer(C, Told, T)) {
        lostPointers().insert(*Lost);
      }
      Map.Values = valueBytes(C, T);
      wordMaps()[Names.getName(Info)] = std::move(Map);
    }
  }

 private:
  static void explain(clang::ASTContext& C, clang::QualType T, const WordMap& Map) {
    const clang::RecordDecl* Record = T->getAsRecordDecl();
    if (Options::explain() != Explain::Flows || Map.Inexact.empty() || !Record) {
      return;
    }
    const clang::SourceManager& Sources = C.getSourceManager();
    clang::PresumedLoc At = Sources.getPresumedLoc(Record->getLocation());
    if (At.isValid() && !Sources.isInSystemHeader(Record->getLocation())) {
      Decisions::get().note({At.getFilename(), At.getLine(), At.getColumn()},
                            T.getAsString() + " has no exact pointer map: " + Map.Inexact);
    }
  }

  clang::CompilerInstance& Compiler;
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

const clang::FrontendPluginRegistry::Add<Action> Registered("burrow",
                                                            "exact pointer maps for make");

/// A file that another compiler made has a constant of that name as well, with what the header
/// sees. The linker takes one of the two for both; each file's code goes by what its own says.
void rename(GlobalVariable& Info, Constant* Initializer) {
  Info.setInitializer(Initializer);
  if (planted("one-type-info")) {
    return;
  }
  std::string Name = (Info.getName() + ".burrow").str();
  if (const Comdat* Old = Info.getComdat()) {
    Comdat* New = Info.getParent()->getOrInsertComdat(Name);
    New->setSelectionKind(Old->getSelectionKind());
    Info.setComdat(New);
  }
  Info.setName(Name);
}

/// The constant with the map in it: TypeInfo is size, pointers, destroy, name, kind.
void patch(Module& M, GlobalVariable& Info, const WordMap& Map) {
  auto* Old = cast<ConstantStruct>(Info.getInitializer());
  SmallVector<Constant*> Fields;
  for (const Use& Op : Old->operands()) {
    Fields.push_back(cast<Constant>(Op));
  }
  auto* Kind = dyn_cast<ConstantInt>(Fields[4]);
  if (!Kind) {
    return;
  }
  bool IsRaw = Kind->getZExtValue() == Raw;
  if (!Map.Inexact.empty()) {
    // The header does not see by what name an integer was declared.
    if (!IsRaw) {
      Fields[4] = ConstantInt::get(Kind->getType(), Raw);
      rename(Info, ConstantStruct::get(Old->getType(), Fields));
    }
    return;
  }
  // What the header found exact by itself is; only what it could not see is filled in.
  if (!IsRaw) {
    return;
  }
  if (Map.HasPointers) {
    auto* Size = cast<ConstantInt>(Fields[0]);
    std::vector<uint64_t> Bits = Map.Bits;
    Bits.resize(std::max<size_t>(1, (Size->getZExtValue() / WordBytes + 63) / 64));
    Constant* Words = ConstantDataArray::get(M.getContext(), Bits);
    auto* Array = new GlobalVariable(M, Words->getType(), true, GlobalValue::PrivateLinkage, Words,
                                     "burrow.pointers");
    Fields[1] = Array;
  }
  Fields[4] = ConstantInt::get(Kind->getType(), Map.HasPointers ? Exact : Noscan);
  rename(Info, ConstantStruct::get(Old->getType(), Fields));
}

}  // namespace

PreservedAnalyses PointerMapPass::run(Module& M, ModuleAnalysisManager& /*Analyses*/) {
  for (const std::string& Lost : std::exchange(lostPointers(), {})) {
    M.getContext().diagnose(Warning(Lost));
  }
  for (const auto& [Name, Map] : wordMaps()) {
    GlobalVariable* Info = M.getGlobalVariable(Name, /*AllowInternal=*/true);
    if (!Info || !Info->hasInitializer() || !Info->isConstant()) {
      continue;
    }
    if (Map.Values) {
      noteValueBytes(*Info, *Map.Values);
    }
    if (Map.Told) {
      continue;
    }
    auto* Init = dyn_cast<ConstantStruct>(Info->getInitializer());
    if (Init && Init->getNumOperands() >= 5) {
      patch(M, *Info, Map);
    }
  }
  return PreservedAnalyses::all();
}

}  // namespace burrow
