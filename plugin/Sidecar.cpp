// See Sidecar.h.
//
// The section's text: "burrow-escape 3 SYMBOL", then a line "NAME SUMMARY" for each function, then
// an empty line. Linking relocatable objects into one joins the texts.
#include "Sidecar.h"

#include "Options.h"
#include "Warning.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/BinaryFormat/Magic.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/MD5.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;

namespace burrow {

namespace {

constexpr const char* SectionName = ".burrow.escape";
constexpr StringRef Magic = "burrow-escape 3 ";

struct Foreign {
  Summary What;
  std::string Symbol;  ///< the witness of the object that says it
};

/// What the files say, by the functions' names.
class Sidecars {
 public:
  explicit Sidecars(LLVMContext& Context) {
    for (const std::string& Path : Options::summaries()) {
      // Not there (yet): its functions have no summaries.
      if (auto Buffer = MemoryBuffer::getFile(Path, false, false); Buffer && !read(**Buffer)) {
        Context.diagnose(
            Warning("burrow: no object file or archive, so it has no summaries: " + Path));
      }
    }
  }

  const Foreign* find(StringRef Name) const {
    auto It = Known.find(Name);
    return It == Known.end() ? nullptr : &It->second;
  }

 private:
  bool read(MemoryBufferRef Buffer) {
    if (identify_magic(Buffer.getBuffer()) == file_magic::bitcode) {
      return true;  // its functions are seen when the program is linked
    }
    if (identify_magic(Buffer.getBuffer()) == file_magic::archive) {
      return readArchive(Buffer);
    }
    auto Object = object::ObjectFile::createObjectFile(Buffer);
    if (!Object) {
      consumeError(Object.takeError());
      return false;
    }
    for (const object::SectionRef& Section : (*Object)->sections()) {
      Expected<StringRef> Name = Section.getName();
      Expected<StringRef> Contents = Section.getContents();
      if (Name && Contents && *Name == SectionName) {
        parse(*Contents);
      }
      consumeError(Name.takeError());
      consumeError(Contents.takeError());
    }
    return true;
  }

  bool readArchive(MemoryBufferRef Buffer) {
    Error Wrong = Error::success();
    object::Archive Archive(Buffer, Wrong);
    bool Good = !Wrong;
    consumeError(std::move(Wrong));
    if (!Good) {
      return false;
    }
    Error Stop = Error::success();
    for (const object::Archive::Child& Child : Archive.children(Stop)) {
      Expected<MemoryBufferRef> Member = Child.getMemoryBufferRef();
      if (Member) {
        (void)read(*Member);
      }
      consumeError(Member.takeError());
    }
    Good = !Stop;
    consumeError(std::move(Stop));
    return Good;
  }

  /// What cannot be understood, of a newer plugin's perhaps, is no summary.
  void parse(StringRef Text) {
    StringRef Symbol;
    while (!Text.empty()) {
      StringRef Line;
      std::tie(Line, Text) = Text.split('\n');
      if (Line.consume_front(Magic)) {
        Symbol = Line;
      } else if (Line.empty()) {
        Symbol = "";
      } else if (!Symbol.empty()) {
        auto [Name, Said] = Line.rsplit(' ');
        if (std::optional<Summary> S = Summary::parse(Said)) {
          Known[Name] = {std::move(*S), Symbol.str()};
        }
      }
    }
  }

  StringMap<Foreign> Known;
};

/// A definition that no other can take the place of when the program is linked or loaded.
bool isForOthers(const Function& F) {
  return F.hasExternalLinkage() && F.hasExactDefinition() && !F.isInterposable();
}

GlobalVariable* addConstant(Module& M, Constant* Value, GlobalValue::LinkageTypes Linkage,
                            const Twine& Name) {
  auto* Variable = new GlobalVariable(M, Value->getType(), true, Linkage, Value, Name);
  GlobalValue::SanitizerMetadata Plain;
  Plain.NoAddress = true;
  Plain.NoHWAddress = true;
  Variable->setSanitizerMetadata(Plain);
  Variable->setAlignment(Align(1));
  return Variable;
}

/// The linker looks for what kept data refers to.
void relyOn(Module& M, StringRef Symbol) {
  if (M.getNamedValue(Symbol)) {
    return;
  }
  auto* Byte = Type::getInt8Ty(M.getContext());
  auto* Witness = new GlobalVariable(M, Byte, true, GlobalValue::ExternalLinkage, nullptr, Symbol);
  Witness->setVisibility(GlobalValue::HiddenVisibility);
  GlobalVariable* Reference =
      addConstant(M, Witness, GlobalValue::PrivateLinkage, "burrow.relies.on");
  Reference->setSection(".data.rel.ro.burrow");
  Reference->setAlignment(M.getDataLayout().getPointerABIAlignment(0));
  appendToUsed(M, {Reference});
}

}  // namespace

void addSidecarSummaries(Module& M, SummaryTable& Table) {
  bool Shared = M.getPICLevel() != PICLevel::NotPIC && M.getPIELevel() == PIELevel::Default;
  if (Options::summaries().empty() || Shared) {
    return;
  }
  static const Sidecars All(M.getContext());
  for (Function& F : M) {
    const Foreign* Said = F.isDeclaration() && !F.use_empty() ? All.find(F.getName()) : nullptr;
    if (Said && Said->What.fits(F)) {
      Table.set(F, Said->What);
      if (!planted("sidecar-untied")) {
        relyOn(M, Said->Symbol);
      }
    }
  }
}

void writeSidecar(Module& M, const SummaryTable& Table) {
  std::string Lines;
  for (const Function& F : M) {
    const Summary* S = isForOthers(F) ? Table.own(F) : nullptr;
    if (S && !S->Optimistic) {
      Lines += (F.getName() + " " + S->text() + "\n").str();
    }
  }
  if (Lines.empty()) {
    return;
  }
  MD5 Hash;
  Hash.update(Lines);
  std::string File = sys::path::filename(M.getSourceFileName()).str();
  std::string Symbol = "burrow_summaries_changed.compile_again_what_relied_on." + File + "." +
                       Hash.final().digest().str().str();
  GlobalVariable* Witness = addConstant(M, ConstantInt::get(Type::getInt8Ty(M.getContext()), 0),
                                        GlobalValue::ExternalLinkage, Symbol);
  Witness->setVisibility(GlobalValue::HiddenVisibility);
  GlobalVariable* Text =
      addConstant(M,
                  ConstantDataArray::getString(M.getContext(),
                                               (Magic + Symbol + "\n" + Lines + "\n").str(), false),
                  GlobalValue::PrivateLinkage, "burrow.escape");
  Text->setSection(SectionName);
  Text->setMetadata(LLVMContext::MD_exclude, MDNode::get(M.getContext(), {}));
  appendToCompilerUsed(M, {Text});
}

}  // namespace burrow
