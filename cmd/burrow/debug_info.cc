// Functions and lines in one object file. See debug_info.h.
#include "debug_info.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string_view>

#include "function_index.h"
#include "symbol_index.h"

namespace burrow::cmd {
namespace {

// A module is never searched for: it is reported with its open file.
int find_no_elf(Dwfl_Module* /*module*/, void** /*user*/, const char* /*name*/, Dwarf_Addr /*base*/,
                char** /*file*/, Elf** /*elf*/) {
  return -1;
}

const Dwfl_Callbacks kCallbacks = {
    .find_elf = find_no_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = nullptr,
    .debuginfo_path = nullptr,
};

std::string hex(const unsigned char* bytes, int count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::string or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

std::string text_of(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  return or_empty(dwarf_formstring(dwarf_attr_integrate(&die, name, &attribute)));
}

// The entry that declares a function, which is the one inside its namespace or class.
Dwarf_Die declaration_of(Dwarf_Die die) {
  Dwarf_Attribute attribute;
  Dwarf_Die origin{};
  constexpr int kMostSteps = 16;  // damaged files may refer in circles
  for (int i = 0; i < kMostSteps; ++i) {
    if (dwarf_formref_die(dwarf_attr(&die, DW_AT_abstract_origin, &attribute), &origin) ==
            nullptr &&
        dwarf_formref_die(dwarf_attr(&die, DW_AT_specification, &attribute), &origin) == nullptr) {
      break;
    }
    die = origin;
  }
  return die;
}

bool is_cplusplus(Dwarf_Die unit) {
  switch (dwarf_srclang(&unit)) {
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
      return true;
    default:
      return false;
  }
}

// "ns::(anonymous namespace)::Class::" of a declaration. Walks its whole unit.
std::string scope_prefix(Dwarf_Die declaration) {
  Dwarf_Die* scopes = nullptr;
  int count = dwarf_getscopes_die(&declaration, &scopes);
  std::string prefix;
  for (int i = count - 1; i > 0; --i) {
    int tag = dwarf_tag(&scopes[i]);
    std::string name = or_empty(dwarf_diename(&scopes[i]));
    if (tag == DW_TAG_namespace) {
      prefix += (name.empty() ? "(anonymous namespace)" : name) + "::";
    } else if (tag == DW_TAG_class_type || tag == DW_TAG_structure_type ||
               tag == DW_TAG_union_type) {
      prefix += (name.empty() ? "{unnamed}" : name) + "::";
    }
  }
  std::free(scopes);
  return prefix;
}

// A name in a unit's file table, made absolute where the unit says in which folder it was built.
std::string absolute(const char* file, Dwarf_Die unit) {
  if (file == nullptr || *file == '\0' || *file == '/') {
    return or_empty(file);
  }
  Dwarf_Attribute attribute;
  const char* folder = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
  return folder == nullptr || *folder != '/' ? file : std::string(folder) + "/" + file;
}

std::optional<Dwarf_Word> number(Dwarf_Die die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(&die, name, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0) {
    return std::nullopt;
  }
  return value;
}

// Where an inlined call stands in its caller.
void set_call_site(Dwarf_Die inlined, Dwarf_Die unit, SourceFrame& caller) {
  Dwarf_Files* files = nullptr;
  size_t count = 0;
  std::optional<Dwarf_Word> file = number(inlined, DW_AT_call_file);
  if (file && dwarf_getsrcfiles(&unit, &files, &count) == 0 && *file < count) {
    caller.file = absolute(dwarf_filesrc(files, *file, nullptr, nullptr), unit);
  }
  caller.line = static_cast<int64_t>(number(inlined, DW_AT_call_line).value_or(0));
}

}  // namespace

struct DebugInfo::Impl {
  Dwfl* dwfl = nullptr;
  Dwfl_Module* module = nullptr;
  std::optional<FunctionIndex> index;
  std::optional<SymbolIndex> symbols;
  Dwarf_Addr bias = 0;

  bool open(const std::string& path, const std::string& build_id);
  void close();
  [[nodiscard]] SymbolIndex::Found symbol_at(uint64_t address);
  void set_offsets(uint64_t address, const ScopeChain& chain, std::vector<SourceFrame>& frames);
  void set_name(Dwarf_Die scope, Dwarf_Die unit, const std::string& emitted, SourceFrame& frame);

  std::map<Dwarf_Off, std::string> prefixes;  ///< by declaration
};

void DebugInfo::Impl::close() {
  index.reset();
  symbols.reset();
  prefixes.clear();
  if (dwfl != nullptr) {
    dwfl_end(dwfl);
  }
  dwfl = nullptr;
  module = nullptr;
}

bool DebugInfo::Impl::open(const std::string& path, const std::string& build_id) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return false;
  }
  struct stat status{};
  dwfl = dwfl_begin(&kCallbacks);
  if (dwfl == nullptr || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return false;
  }
  dwfl_report_begin(dwfl);
  // At base 0, the module's addresses are those in the file, prelinked or not.
  module = dwfl_report_elf(dwfl, path.c_str(), path.c_str(), fd, 0, true);
  if (module == nullptr) {
    ::close(fd);
    return false;
  }
  dwfl_report_end(dwfl, nullptr, nullptr);
  GElf_Addr elf_bias = 0;
  const unsigned char* id = nullptr;
  GElf_Addr id_address = 0;
  if (dwfl_module_getelf(module, &elf_bias) == nullptr) {
    return false;
  }
  int id_bytes = dwfl_module_build_id(module, &id, &id_address);
  if (!build_id.empty() && (id_bytes <= 0 || hex(id, id_bytes) != build_id)) {
    return false;
  }
  if (Dwarf* dwarf = dwfl_module_getdwarf(module, &bias); dwarf != nullptr) {
    index.emplace(dwarf);
  }
  return true;
}

SymbolIndex::Found DebugInfo::Impl::symbol_at(uint64_t address) {
  if (!symbols) {
    symbols.emplace(module);
  }
  return symbols->find(address);
}

// As Go's, the offsets of all frames are from where their code begins, which is the outermost's.
void DebugInfo::Impl::set_offsets(uint64_t address, const ScopeChain& chain,
                                  std::vector<SourceFrame>& frames) {
  uint64_t entry = symbol_at(address).address;
  if (Dwarf_Addr begin = 0; entry == 0 && !chain.scopes.empty()) {
    Dwarf_Die function = chain.scopes.back();
    entry = dwarf_entrypc(&function, &begin) == 0 ? begin + bias : 0;
  }
  for (SourceFrame& frame : frames) {
    frame.offset = entry != 0 && entry <= address ? static_cast<int64_t>(address - entry) : -1;
  }
}

// `emitted` is the symbol of the code there, where it is the scope's own.
void DebugInfo::Impl::set_name(Dwarf_Die scope, Dwarf_Die unit, const std::string& emitted,
                               SourceFrame& frame) {
  frame.symbol = text_of(scope, DW_AT_linkage_name);
  if (frame.symbol.empty()) {
    frame.symbol = text_of(scope, DW_AT_MIPS_linkage_name);
  }
  if (frame.symbol.empty() && emitted.starts_with("_Z")) {
    frame.symbol = emitted.substr(0, emitted.find('.'));  // f.constprop.0 is f
  }
  if (!frame.symbol.empty()) {
    return;
  }
  // gcc gives no linker's name to what is local. (extern "C" is not.)
  frame.symbol = text_of(scope, DW_AT_name);
  if (!frame.symbol.empty() && is_cplusplus(unit) &&
      dwarf_hasattr_integrate(&scope, DW_AT_external) == 0) {
    Dwarf_Die declaration = declaration_of(scope);
    auto [it, added] = prefixes.try_emplace(dwarf_dieoffset(&declaration));
    if (added) {
      it->second = scope_prefix(declaration);
    }
    frame.scoped = it->second.empty() ? "" : it->second + frame.symbol;
  }
}

DebugInfo::DebugInfo(const std::string& path, const std::string& build_id, int owner)
    : impl_(std::make_unique<Impl>()) {
  std::vector<std::string> candidates = {path};
  if (build_id.size() > 2) {
    candidates.push_back("/proc/" + std::to_string(owner) + "/exe");
    candidates.push_back("/usr/lib/debug/.build-id/" + build_id.substr(0, 2) + "/" +
                         build_id.substr(2) + ".debug");
  }
  for (const std::string& candidate : candidates) {
    if (impl_->open(candidate, build_id)) {
      return;
    }
    impl_->close();
  }
}

DebugInfo::~DebugInfo() {
  impl_->close();
}

std::vector<SourceFrame> DebugInfo::frames(uint64_t address) {
  if (impl_->module == nullptr) {
    return {};
  }
  ScopeChain chain;
  uint64_t in_dwarf = address - impl_->bias;
  bool in_unit = impl_->index && impl_->index->find(in_dwarf, chain);
  SourceFrame frame;
  if (in_unit) {
    Dwarf_Line* line = dwarf_getsrc_die(&chain.unit, in_dwarf);
    int number = 0;
    if (line != nullptr && dwarf_lineno(line, &number) == 0) {
      frame.file = absolute(dwarf_linesrc(line, nullptr, nullptr), chain.unit);
      frame.line = number;
    }
  }
  std::vector<SourceFrame> frames;
  for (Dwarf_Die& scope : chain.scopes) {
    bool outermost = &scope == &chain.scopes.back();
    impl_->set_name(scope, chain.contents, outermost ? impl_->symbol_at(address).name : "", frame);
    if (int declared = 0; frame.line == 0 && dwarf_decl_line(&scope, &declared) == 0) {
      // Code that the compiler gave no line: calls it merged, for example.
      const char* file = dwarf_decl_file(&scope);
      frame.file = file != nullptr ? absolute(file, chain.unit) : frame.file;
      frame.line = declared;
    }
    frames.push_back(frame);
    frame = SourceFrame();
    set_call_site(scope, chain.unit, frame);
  }
  if (frames.empty()) {
    frames.push_back(frame);
  }
  if (frames.back().symbol.empty()) {
    frames.back().symbol = impl_->symbol_at(address).name;  // in assembly, or no debug information
  }
  if (frames.size() == 1 && frames[0].symbol.empty()) {
    frames.clear();
  }
  impl_->set_offsets(address, chain, frames);
  return frames;
}

}  // namespace burrow::cmd
