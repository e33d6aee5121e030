// The plugin's entry: options, and where its passes stand in the pipelines.
#include <dlfcn.h>

#include <cstdlib>

#include "Barrier.h"
#include "Escape.h"
#include "KeepBases.h"
#include "Makers.h"
#include "Options.h"
#include "PointerMap.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/PassPlugin.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/InferFunctionAttrs.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace burrow {

namespace {

std::string fileOf(const void* Inside) {
  Dl_info Info = {};
  return dladdr(Inside, &Info) != 0 && Info.dli_fname ? Info.dli_fname : "?";
}

/// Ends the compiler in one line where a copy of the plugin from another file is loaded already.
/// The two would not share what they know, and LLVM takes options of the same name for a bug.
struct OnlyCopy {
  OnlyCopy() {
    auto& Options = cl::getRegisteredOptions();
    if (auto Other = Options.find("burrow-m"); Other != Options.end()) {
      errs() << "burrow: two copies of the plugin are loaded, " << fileOf(Other->second) << " and "
             << fileOf(this) << ": name the same file everywhere, or leave it to burrow c++\n";
      sys::RunInterruptHandlers();  // removes what was written so far
      _Exit(1);
    }
  }
};

const OnlyCopy First;  // before the options

cl::opt<Explain> ExplainOption(
    "burrow-m", cl::desc("Print escape analysis decisions"), cl::init(Explain::None),
    cl::values(clEnumValN(Explain::None, "0", "nothing"),
               clEnumValN(Explain::Decisions, "1", "decisions"),
               clEnumValN(Explain::Flows, "2", "decisions and how values flow"),
               clEnumValN(Explain::Json, "json", "the same for programs, one object a line")));
cl::opt<bool> ElideNewOption("burrow-elide-new",
                             cl::desc("Move blocks of new, delete, malloc and free too"));
cl::opt<bool> PromoteOption("burrow-promote", cl::desc("Move objects that do not escape"),
                            cl::init(true));
cl::list<std::string> SummariesOption("burrow-summaries",
                                      cl::desc("Rely on the summaries in this object or archive"));
cl::opt<bool> BarriersOption("burrow-barriers",
                             cl::desc("Write barriers for plain pointers, exact maps for them"));
cl::opt<uint64_t> MaxObjectOption("burrow-max-object", cl::desc("Largest object moved, in bytes"),
                                  cl::init(64 * 1024));
cl::opt<uint64_t> FrameBudgetOption("burrow-frame-budget",
                                    cl::desc("Bytes moved into one frame at most"),
                                    cl::init(64 * 1024));
cl::opt<uint64_t> RecursiveBudgetOption("burrow-recursive-budget",
                                        cl::desc("The same for functions that may call themselves"),
                                        cl::init(4 * 1024));
cl::opt<uint64_t> ElideBudgetOption("burrow-elide-budget",
                                    cl::desc("Bytes of new and malloc moved into one frame"),
                                    cl::init(16 * 1024));
#ifdef BURROW_PLUGIN_FAULTS
cl::opt<std::string> FaultOption("burrow-fault", cl::desc("Plant a fault in the analysis"));
#endif

void addKeepBases(ModulePassManager& Passes, OptimizationLevel Level) {
  if (Level != OptimizationLevel::O0) {
    Passes.addPass(createModuleToFunctionPassAdaptor(KeepBasesPass()));
  }
}

/// Last over the IR of a file.
void addLast(ModulePassManager& Passes, OptimizationLevel Level) {
  Passes.addPass(BarrierPass());
  addKeepBases(Passes, Level);
}

void addEarly(ModulePassManager& Passes, OptimizationLevel Level) {
  Passes.addPass(createModuleToFunctionPassAdaptor(DropKeptBasesPass()));
  Passes.addPass(MakersPass());
  Passes.addPass(AlwaysInlinerPass());
  Passes.addPass(InferFunctionAttrsPass());
  bool Optimising = Level != OptimizationLevel::O0;
  if (Optimising) {
    FunctionPassManager Tidy;
    Tidy.addPass(SROAPass(SROAOptions::ModifyCFG));
    Tidy.addPass(EarlyCSEPass());
    Tidy.addPass(SimplifyCFGPass());
    Passes.addPass(createModuleToFunctionPassAdaptor(std::move(Tidy)));
  }
  Passes.addPass(EscapePass(Optimising ? Stage::Early : Stage::OnlyEarly));
}

void addLate(ModulePassManager& Passes, OptimizationLevel Level) {
  if (Level != OptimizationLevel::O0) {
    Passes.addPass(EscapePass(Stage::Late));
  }
}

void addAtLink(ModulePassManager& Passes, OptimizationLevel Level) {
  if (Level != OptimizationLevel::O0) {
    Passes.addPass(createModuleToFunctionPassAdaptor(DropKeptBasesPass()));
    Passes.addPass(EscapePass(Stage::Link));
  }
}

bool parsePass(StringRef Name, ModulePassManager& Passes,
               ArrayRef<PassBuilder::PipelineElement> /*Inner*/) {
  if (Name != "burrow-escape" && Name != "burrow-escape-late") {
    return false;
  }
  Passes.addPass(EscapePass(Name == "burrow-escape-late" ? Stage::Late : Stage::OnlyEarly));
  return true;
}

void registerPasses(PassBuilder& Builder) {
  Builder.registerPipelineStartEPCallback(
      [](ModulePassManager& Passes, OptimizationLevel) { Passes.addPass(PointerMapPass()); });
  Builder.registerOptimizerLastEPCallback(addLast);
  Builder.registerPipelineEarlySimplificationEPCallback(addEarly);
  Builder.registerOptimizerEarlyEPCallback(addLate);
  Builder.registerFullLinkTimeOptimizationEarlyEPCallback(addAtLink);
  Builder.registerFullLinkTimeOptimizationLastEPCallback(addKeepBases);
  Builder.registerPipelineParsingCallback(parsePass);
}

}  // namespace

Explain Options::explain() {
  return ExplainOption;
}

bool Options::elideNew() {
  return ElideNewOption;
}

void Options::setElideNew() {
  ElideNewOption = true;
}

bool Options::promote() {
  return PromoteOption;
}

ArrayRef<std::string> Options::summaries() {
  return *&SummariesOption;
}

bool Options::barriers() {
  return BarriersOption;
}

uint64_t Options::maxObject() {
  return MaxObjectOption;
}

uint64_t Options::frameBudget() {
  return FrameBudgetOption;
}

uint64_t Options::recursiveBudget() {
  return RecursiveBudgetOption;
}

uint64_t Options::elideBudget() {
  return ElideBudgetOption;
}

#ifdef BURROW_PLUGIN_FAULTS
bool planted(StringRef Fault) {
  return FaultOption == Fault;
}
#endif

}  // namespace burrow

extern "C" LLVM_ATTRIBUTE_WEAK __attribute__((visibility("default"))) PassPluginLibraryInfo
llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "burrow", "0.1.0", burrow::registerPasses};
}
