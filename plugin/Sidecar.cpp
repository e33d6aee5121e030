// See Sidecar.h.
//
// The section's text: "burrow-escape 3 SYMBOL", then a line "NAME SUMMARY" for each function, then
// an empty line. Linking relocatable objects into one joins the texts.
#include "Sidecar.h"

#include <utility>

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
constexpr StringRef AnyMagic = "burrow-escape ";
constexpr StringRef Magic = "burrow-escape 3 ";

struct Foreign {
  Summary What;
  std::string Symbol;  ///< the witness of the object that says it
};

std::string hashOf(StringRef Lines) {
  MD5 Hash;
  Hash.update(Lines);
  return Hash.final().digest().str().str();
}

/// What the files say, by the functions' names. A file that says nothing is named in a warning: the
/// user gave it for what it says.
class Sidecars {
 public:
  explicit Sidecars(LLVMContext& Context) {
    for (const std::string& Path : Options::summaries()) {
      std::string Wrong = read(Path);
      if (!Wrong.empty()) {
        Context.diagnose(Warning("burrow: --summaries: " + Path + " " + Wrong));
      }
    }
  }

  const Foreign* find(StringRef Name) const {
    auto It = Known.find(Name);
    return It == Known.end() ? nullptr : &It->second;
  }

 private:
  /// What was found in the file at hand.
  struct Found {
    bool Summaries = false, OtherVersion = false, Damaged = false, Bitcode = false;
  };

  /// Why the file says nothing, or less than it should.
  std::string read(const std::string& Path) {
    auto Buffer = MemoryBuffer::getFile(Path, false, false);
    if (!Buffer) {
      return "cannot be read: " + Buffer.getError().message();
    }
    In = Found();
    if (!read(**Buffer)) {
      return "is no object file or archive, so it has no summaries";
    }
    if (In.Damaged) {
      return "has damaged summaries, which do not count: compile it again";
    }
    if (In.OtherVersion) {
      return "has summaries of another version of the plugin, which do not count: compile it again";
    }
    if (!In.Summaries && !In.Bitcode) {
      return "has no summaries: compile it with the plugin, too";
    }
    return "";
  }

  bool read(MemoryBufferRef Buffer) {
    if (identify_magic(Buffer.getBuffer()) == file_magic::bitcode) {
      In.Bitcode = true;  // its functions are seen when the program is linked
      return true;
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

  /// The texts of one object, or of several that were linked into one.
  void parse(StringRef Text) {
    while (!Text.empty()) {
      auto [First, Rest] = Text.split('\n');
      size_t End = Rest.find("\n\n");
      if (!First.consume_front(Magic)) {
        (First.starts_with(AnyMagic) ? In.OtherVersion : In.Damaged) = true;
      } else if (End == StringRef::npos || !First.ends_with(hashOf(Rest.take_front(End + 1)))) {
        In.Damaged = true;
      } else {
        In.Summaries = true;
        lines(Rest.take_front(End + 1), First);
      }
      Text = End == StringRef::npos ? "" : Rest.substr(End + 2);
    }
  }

  void lines(StringRef Text, StringRef Symbol) {
    while (!Text.empty()) {
      StringRef Line;
      std::tie(Line, Text) = Text.split('\n');
      auto [Name, Said] = Line.rsplit(' ');
      if (std::optional<Summary> S = Summary::parse(Said)) {
        Known[Name] = {std::move(*S), Symbol.str()};
      }
    }
  }

  StringMap<Foreign> Known;
  Found In;
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
  if (Options::summaries().empty()) {
    return;
  }
  if (Shared) {
    static bool Said = false;  // each run of the analysis comes here
    if (!std::exchange(Said, true)) {
      M.getContext().diagnose(
          Warning("burrow: --summaries has no effect with -fPIC: a shared library's functions may "
                  "be replaced when it is loaded"));
    }
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
  // The linker sees the functions of bitcode itself (-flto), and needs no summaries.
  if (M.getModuleFlag("EnableSplitLTOUnit")) {
    return;
  }
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
  std::string File = sys::path::filename(M.getSourceFileName()).str();
  std::string Symbol =
      "burrow_summaries_changed.compile_again_what_relied_on." + File + "." + hashOf(Lines);
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
