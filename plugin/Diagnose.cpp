// Words and places of decisions. See Diagnose.h.
#include "Diagnose.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace burrow {

bool isLibraryFile(StringRef File) {
  return File.contains("/include/c++/") || File.contains("/include/burrow/") ||
         File.starts_with("include/burrow/") || File.starts_with("/usr/include/") ||
         File.starts_with("/usr/lib/");
}

namespace {

std::string shown(const DIFile* File) {
  SmallString<128> Name = File->getFilename();
  sys::path::remove_dots(Name);
  return std::string(Name);
}

std::string nameOf(const Graph& G, NodeId N) {
  if (N == G.HeapNode) {
    return "{heap}";
  }
  if (N == G.ResultNode) {
    return "~r0";
  }
  if (const Value* V = G.NodeValues[N]) {
    if (V->hasName()) {
      return std::string(V->getName());
    }
    return "{temp}";
  }
  for (const Object& O : G.Objects) {
    if (O.Typed != N && O.Raw != N) {
      continue;
    }
    if (O.Kind == ObjectKind::Param) {
      return std::string(Summary::depth(O.Level) + 1, '*') + G.F.getArg(O.Param)->getName().str();
    }
    if (O.Kind == ObjectKind::Stack && O.Inst->hasName()) {
      return std::string(O.Inst->getName());
    }
    return O.Kind == ObjectKind::Site ? "*{new object}" : "{variable}";
  }
  return "{temp}";
}

/// How a value came one step further.
std::string howOf(const Instruction* I) {
  if (!I) {
    return "from what it holds";
  }
  std::string At = placeOf(*I).text();
  if (auto* Call = dyn_cast<CallBase>(I)) {
    const Function* F = Call->getCalledFunction();
    std::string Name = F ? demangle(F->getName()) : "a function not known here";
    return formatv("from call of {0} ({1})", Name, At).str();
  }
  const char* Verb = isa<ReturnInst>(I)                             ? "return"
                     : isa<StoreInst>(I)                            ? "assignment"
                     : isa<LoadInst>(I)                             ? "read"
                     : isa<PHINode>(I) || isa<SelectInst>(I)        ? "choice"
                     : isa<PtrToIntInst>(I) || isa<IntToPtrInst>(I) ? "cast"
                                                                    : "expression";
  return formatv("from {0} ({1})", Verb, At).str();
}

std::vector<std::string> flowOf(const Graph& G, const Verdict& V) {
  std::vector<std::string> Steps;
  if (!V.Via) {
    return Steps;
  }
  NodeId N = *V.Via;
  for (unsigned Count = 0; Count < 16; ++Count) {
    auto It = G.Trace.find({N, V.Of.Object});
    if (It == G.Trace.end()) {
      break;
    }
    NodeId From = It->second.From;
    auto Origin = G.Nodes.find(V.Of.Call);
    std::string Source = Origin != G.Nodes.end() && Origin->second == From
                             ? "&{storage for " + std::string("it}")
                             : nameOf(G, From);
    Steps.push_back(formatv("flow: {0} = {1}: {2}", nameOf(G, N), Source, howOf(It->second.Why)));
    N = From;
  }
  return Steps;
}

/// make<int, int &> as the user wrote it: the rest is the constructor's arguments.
std::string shortened(StringRef Name) {
  if (Name.starts_with("Any<")) {
    // The value's type is the one deduced, of an lvalue a reference.
    Name.consume_back(" &>") ? void() : void(Name.consume_back(">"));
    Name.consume_back("const ");
    return (Name + ">").str();
  }
  if (!Name.starts_with("make")) {
    return std::string(Name);
  }
  int Depth = 0;
  for (size_t At = 0; At < Name.size(); ++At) {
    char C = Name[At];
    Depth += (C == '<' || C == '(') - (C == '>' || C == ')');
    if (C == ',' && Depth == 1) {
      return (Name.take_front(At) + ">").str();
    }
  }
  return std::string(Name);
}

std::string whatOf(const Verdict& V, const std::string& Library) {
  if (Library == "Func" || StringRef(Library).starts_with("Func<")) {
    return "func literal";
  }
  if (Library == "Slice") {
    return "Slice{...}";
  }
  if (!Library.empty()) {
    return shortened(Library);
  }
  switch (V.Of.Kind) {
    case Callee::Make:
      return "make";
    case Callee::MakeArray:
      return "make_array";
    default:
      return V.Of.Call->getCalledFunction()->getName() == "malloc" ? "malloc" : "new";
  }
}

std::string decisionOf(const Verdict& V, const std::string& What) {
  if (V.Of.Kind == Callee::New && V.Moved) {
    return "moved to stack: " + What;
  }
  return What + (V.Escapes ? " escapes to heap" : " does not escape");
}

bool holdsPointer(const Type* T) {
  if (auto* Struct = dyn_cast<StructType>(T)) {
    return any_of(Struct->elements(), holdsPointer);
  }
  if (auto* Array = dyn_cast<ArrayType>(T)) {
    return holdsPointer(Array->getElementType());
  }
  return T->isPointerTy();
}

/// Go's sentences on one parameter, which may come as several arguments.
std::vector<std::string> sentences(const Function& F, const Summary& S,
                                   const SmallSet<unsigned, 4>& Arguments, StringRef Name) {
  constexpr unsigned Never = Summary::Levels;
  unsigned Heap = Never, Result = Never;
  for (const Flow& Fl : S.Flows) {
    // The copy that a value is passed by is not a pointer of the user's.
    unsigned Copy = F.hasParamAttribute(Fl.Param, Attribute::ByVal);
    // Nor is said what may be held in another form than as pointers.
    if (!Arguments.contains(Fl.Param) || Fl.Level < Copy || Fl.Level != Summary::depth(Fl.Level)) {
      continue;
    }
    unsigned Level = Fl.Level - Copy;
    bool ToResult = Fl.Sink == SinkKind::Result && holdsPointer(F.getReturnType());
    if (Fl.Sink == SinkKind::Content && F.hasParamAttribute(Fl.SinkParam, Attribute::StructRet)) {
      ToResult = true;
    } else if (Fl.Sink == SinkKind::Heap || (Fl.Sink == SinkKind::Content && Level == 0)) {
      Heap = std::min(Heap, Level);
    }
    if (ToResult) {
      Result = std::min(Result, Level);
    }
  }
  if (Heap == 0) {
    return {("leaking param: " + Name).str()};
  }
  std::vector<std::string> Out;
  if (Heap < Never) {
    Out.push_back(("leaking param content: " + Name).str());
  }
  if (Result < Never) {
    Out.push_back(formatv("leaking param: {0} to result ~r0 level={1}", Name, Result).str());
  }
  if (Out.empty()) {
    Out.push_back((Name + " does not escape").str());
  }
  return Out;
}

}  // namespace

std::string Place::text() const {
  return File.empty() ? "<unknown>" : formatv("{0}:{1}:{2}", File, Line, Column).str();
}

Place placeOf(const Instruction& I, std::string* Library) {
  const DILocation* At = I.getDebugLoc().get();
  if (!At) {
    return {};
  }
  while (isLibraryFile(At->getFilename()) && At->getInlinedAt()) {
    if (Library) {
      *Library = At->getScope()->getSubprogram()->getName().str();
    }
    At = At->getInlinedAt();
  }
  if (Library && isLibraryFile(At->getFilename())) {
    *Library = At->getScope()->getSubprogram()->getName().str();
  }
  return {shown(At->getFile()), At->getLine(), At->getColumn()};
}

Decisions& Decisions::get() {
  static Decisions One;
  return One;
}

void Decisions::add(const Place& At, Line L) {
  auto [It, New] = Sites.try_emplace({At, L.What}, L);
  if (New) {
    return;
  }
  // Code that stays overrules what was said before inlining; among equals, escaping does.
  Line& Old = It->second;
  bool OldEscapes = StringRef(Old.Decision).contains("escapes to heap");
  bool NewEscapes = StringRef(L.Decision).contains("escapes to heap");
  if ((L.Late && !Old.Late && OldEscapes) || (NewEscapes && !OldEscapes)) {
    Old = std::move(L);
  }
}

void Decisions::site(const Graph& G, const Verdict& V, bool Late) {
  if (Options::explain() == Explain::None) {
    return;
  }
  std::string Library;
  Place At = placeOf(*V.Of.Call, &Library);
  if (isLibraryFile(At.File) || At.File.empty()) {
    return;
  }
  Line L;
  L.What = whatOf(V, Library);
  L.Decision = decisionOf(V, L.What);
  L.Reason = V.Reason;
  L.Late = Late;
  if (V.Escapes && Options::explain() != Explain::Decisions) {
    L.Flow = flowOf(G, V);
  }
  add(At, std::move(L));
}

void Decisions::parameters(const Function& F, const Summary& S) {
  const DISubprogram* Of = F.getSubprogram();
  if (Options::explain() == Explain::None || !Of || Of->isArtificial() ||
      isLibraryFile(Of->getFilename())) {
    return;
  }
  bool Lambda = Of->getName() == "operator()";
  std::map<std::string, SmallSet<unsigned, 4>> Named;
  for (const Argument& A : F.args()) {
    StringRef Name = A.getName().split(".coerce").first;
    if (holdsPointer(A.getType()) && !A.hasStructRetAttr() && !Name.empty() &&
        !Name.contains('.') && !(Name == "this" && Lambda)) {
      Named[std::string(Name)].insert(A.getArgNo());
    }
  }
  for (const auto& [Name, Arguments] : Named) {
    Place At{shown(Of->getFile()), Of->getLine(), *Arguments.begin() + 1};
    auto& Lines = Others[At];
    for (std::string& Text : sentences(F, S, Arguments, Name)) {
      if (none_of(Lines, [&](const Line& L) { return L.Decision == Text; })) {
        Lines.push_back({Name, std::move(Text), "", {}, false});
      }
    }
  }
}

void Decisions::literal(const CallBase& Made) {
  std::string Library;
  Place At = placeOf(Made, &Library);
  if (Options::explain() != Explain::None && !At.File.empty() && !isLibraryFile(At.File)) {
    add(At, {"func literal", "func literal does not escape", "", {}, false});
  }
}

void Decisions::note(const Place& At, std::string Text) {
  Others[At].push_back({"", std::move(Text), "", {}, false});
}

void Decisions::print(Explain How) {
  std::map<Place, std::vector<Line>> All = std::move(Others);
  Others.clear();
  for (auto& [K, L] : Sites) {
    All[K.first].push_back(std::move(L));
  }
  Sites.clear();
  // One write: several compilers may share the terminal.
  std::string Text;
  raw_string_ostream Out(Text);
  for (const auto& [At, Lines] : All) {
    for (const Line& L : Lines) {
      if (How == Explain::Json) {
        json::Object Entry{{"file", At.File},
                           {"line", At.Line},
                           {"column", At.Column},
                           {"what", L.What},
                           {"decision", L.Decision},
                           {"reason", L.Reason},
                           {"flow", json::Array(L.Flow)}};
        Out << json::Value(std::move(Entry)) << "\n";
        continue;
      }
      Out << At.text() << ": " << L.Decision;
      if (How == Explain::Flows && !L.Reason.empty()) {
        Out << ": " << L.Reason;
      }
      Out << "\n";
      if (How == Explain::Flows) {
        for (const std::string& Step : L.Flow) {
          Out << At.text() << ":   " << Step << "\n";
        }
      }
    }
  }
  errs() << Text;
  errs().flush();
}

void remark(const Verdict& V, OptimizationRemarkEmitter& Emitter) {
  std::string Library;
  placeOf(*V.Of.Call, &Library);
  const DILocation* At = V.Of.Call->getDebugLoc().get();
  while (At && isLibraryFile(At->getFilename()) && At->getInlinedAt()) {
    At = At->getInlinedAt();
  }
  std::string What = whatOf(V, Library);
  BasicBlock* Block = V.Of.Call->getParent();
  if (V.Escapes) {
    Emitter.emit([&] {
      OptimizationRemarkMissed R("burrow-escape", "EscapesToHeap", DebugLoc(At), Block);
      R << What << " escapes to heap";
      if (!V.Reason.empty()) {
        R << ": " << V.Reason;
      }
      return R;
    });
  } else {
    Emitter.emit([&] {
      return OptimizationRemark("burrow-escape", "StackAllocated", DebugLoc(At), Block)
             << decisionOf(V, What);
    });
  }
}

}  // namespace burrow
