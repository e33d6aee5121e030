// The functions of an object file's symbol tables, by address. See symbol_index.h.
#include "symbol_index.h"

#include <gelf.h>

#include <algorithm>
#include <tuple>

namespace burrow::cmd {
namespace {

// Where the code of a section ends, in the module's addresses; 0 when it is none.
uint64_t section_limit(Elf* elf, GElf_Word section, Dwarf_Addr bias) {
  GElf_Shdr header{};
  if (elf == nullptr || section == SHN_UNDEF || section >= SHN_LORESERVE ||
      gelf_getshdr(elf_getscn(elf, section), &header) == nullptr ||
      (header.sh_flags & SHF_EXECINSTR) == 0) {
    return 0;
  }
  return header.sh_addr + header.sh_size + bias;
}

int rank_of(const GElf_Sym& symbol) {
  switch (GELF_ST_BIND(symbol.st_info)) {
    case STB_GLOBAL:
      return 0;
    case STB_WEAK:
      return 1;
    default:
      return 2;
  }
}

}  // namespace

SymbolIndex::SymbolIndex(Dwfl_Module* module) {
  int count = dwfl_module_getsymtab(module);
  for (int i = 1; i < count; ++i) {
    add(module, i);
  }
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    return std::tie(a.address, b.rank) < std::tie(b.address, a.rank);
  });
}

void SymbolIndex::add(Dwfl_Module* module, int number) {
  GElf_Sym symbol{};
  GElf_Addr address = 0;
  GElf_Word section = 0;
  Elf* elf = nullptr;
  Dwarf_Addr bias = 0;
  const char* name =
      dwfl_module_getsym_info(module, number, &symbol, &address, &section, &elf, &bias);
  int type = GELF_ST_TYPE(symbol.st_info);
  bool function = type == STT_FUNC || type == STT_GNU_IFUNC;
  bool label = type == STT_NOTYPE && symbol.st_size == 0;
  if (name == nullptr || *name == '\0' || (!function && !label)) {
    return;
  }
  bool sized = symbol.st_size > 0;
  uint64_t limit = sized ? address + symbol.st_size : section_limit(elf, section, bias);
  if (section != SHN_UNDEF && limit > address) {
    symbols_.push_back({address, limit, sized, rank_of(symbol), name});
  }
}

SymbolIndex::Found SymbolIndex::find(uint64_t address) const {
  auto at = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                             [](uint64_t a, const Symbol& s) { return a < s.address; });
  Found label;
  bool nearest = true;
  // Functions hardly overlap; entries in the middle of one are few.
  constexpr int kMostSteps = 64;
  for (int i = 0; i < kMostSteps && at != symbols_.begin(); ++i) {
    --at;
    bool covers = address < at->limit;
    if (covers && at->sized) {
      return {at->name, at->address};
    }
    if (nearest && covers) {  // only the nearest symbol may reach that far
      label = {at->name, at->address};
    }
    nearest = false;
  }
  return label;
}

}  // namespace burrow::cmd
