// Which function of a compilation unit covers an address. See function_index.h.
#include "function_index.h"

#include <dwarf.h>

#include <algorithm>

namespace burrow::cmd {
namespace {

// The largest programs have some hundred million entries, but no profile needs all their units.
constexpr uint64_t kMostVisited = 200'000'000;
constexpr int kDeepest = 200;

// What a function with code of its own may be in.
bool may_hold_functions(int tag) {
  switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
    case DW_TAG_inlined_subroutine:
      return true;
    default:
      return false;
  }
}

}  // namespace

FunctionIndex::FunctionIndex(Dwarf* dwarf) {
  Dwarf_CU* cu = nullptr;
  uint8_t type = 0;
  Dwarf_Die die{};
  Dwarf_Die split{};
  while (dwarf_get_units(dwarf, cu, &cu, nullptr, &type, &die, &split) == 0) {
    if (type != DW_UT_compile && type != DW_UT_skeleton && type != DW_UT_partial) {
      continue;
    }
    add_ranges(die, units_.size(), ranges_);
    Unit unit;
    unit.die = die;
    unit.contents = type == DW_UT_skeleton && split.addr != nullptr ? split : die;
    units_.push_back(std::move(unit));
  }
  std::sort(ranges_.begin(), ranges_.end(), comes_before);
}

// By start, and the wider one first.
bool FunctionIndex::comes_before(const Range& a, const Range& b) {
  return a.low != b.low ? a.low < b.low : a.high > b.high;
}

void FunctionIndex::add_ranges(Dwarf_Die& die, size_t item, std::vector<Range>& ranges) {
  Dwarf_Addr base = 0;
  Dwarf_Addr low = 0;
  Dwarf_Addr high = 0;
  for (ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &low, &high)) > 0;) {
    // What the linker dropped has been moved to address 0 (or 1, by lld).
    if (low > 1 && low < high) {
      ranges.push_back({low, high, item});
    }
  }
}

const FunctionIndex::Range* FunctionIndex::covering(const std::vector<Range>& ranges,
                                                    uint64_t address) {
  auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                [](uint64_t a, const Range& r) { return a < r.low; });
  // Ranges hardly overlap; where they do, the later start is the narrower one.
  constexpr int kMostOverlaps = 64;
  for (int i = 0; i < kMostOverlaps && after != ranges.begin(); ++i) {
    --after;
    if (address < after->high) {
      return &*after;
    }
  }
  return nullptr;
}

void FunctionIndex::index_functions(Unit& unit, Dwarf_Die parent, int depth) {
  Dwarf_Die die{};
  if (depth > kDeepest || dwarf_child(&parent, &die) != 0) {
    return;
  }
  do {
    if (++visited_ > kMostVisited) {
      return;
    }
    int tag = dwarf_tag(&die);
    if (tag == DW_TAG_subprogram) {
      size_t before = unit.ranges.size();
      add_ranges(die, unit.functions.size(), unit.ranges);
      if (unit.ranges.size() != before) {
        unit.functions.push_back(die);
      }
    }
    if (may_hold_functions(tag) && dwarf_haschildren(&die) > 0) {
      index_functions(unit, die, depth + 1);
    }
  } while (dwarf_siblingof(&die, &die) == 0);
}

void FunctionIndex::add_inlined(Dwarf_Die parent, uint64_t address, std::vector<Dwarf_Die>& chain) {
  Dwarf_Die die{};
  if (chain.size() > kDeepest || dwarf_child(&parent, &die) != 0) {
    return;
  }
  do {
    if (++visited_ > kMostVisited) {
      return;
    }
    int tag = dwarf_tag(&die);
    bool scope = tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
                 tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
    if (scope && dwarf_haspc(&die, address) > 0) {
      if (tag == DW_TAG_inlined_subroutine) {
        chain.push_back(die);
      }
      parent = die;
      if (dwarf_child(&parent, &die) != 0) {
        return;
      }
      continue;
    }
    if (dwarf_siblingof(&die, &die) != 0) {
      return;
    }
  } while (true);
}

bool FunctionIndex::find(uint64_t address, ScopeChain& chain) {
  const Range* in_unit = covering(ranges_, address);
  if (in_unit == nullptr) {
    return false;
  }
  Unit& unit = units_[in_unit->item];
  if (!unit.indexed) {
    unit.indexed = true;
    index_functions(unit, unit.contents, 0);
    std::sort(unit.ranges.begin(), unit.ranges.end(), comes_before);
  }
  chain.unit = unit.die;
  chain.contents = unit.contents;
  chain.scopes.clear();
  if (const Range* in_function = covering(unit.ranges, address); in_function != nullptr) {
    const Dwarf_Die& function = unit.functions[in_function->item];
    chain.scopes.push_back(function);
    add_inlined(function, address, chain.scopes);
    std::reverse(chain.scopes.begin(), chain.scopes.end());
  }
  return true;
}

}  // namespace burrow::cmd
