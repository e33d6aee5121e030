// Which function of a compilation unit covers an address, and what is inlined there. See
// debug_info.h.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <map>
#include <vector>

namespace burrow::cmd {

/// The entries of debug information that cover an address: a function and the calls inlined in it,
/// innermost first, with the unit that they are in.
struct ScopeChain {
  Dwarf_Die unit{};      ///< with the lines
  Dwarf_Die contents{};  ///< with the functions: the split part where there is one
  std::vector<Dwarf_Die> scopes;
};

/// Finds units and functions by address. libdw's own ways will not do: its address table needs
/// .debug_aranges, which clang does not write, and dwarf_getscopes walks the unit for each address.
class FunctionIndex {
 public:
  /// Reads which addresses the units cover.
  explicit FunctionIndex(Dwarf* dwarf);

  /// `address` in the numbering of the debug information. An empty chain: a unit, but no function.
  /// False when no unit is known.
  [[nodiscard]] bool find(uint64_t address, ScopeChain& chain);

 private:
  struct Range {
    uint64_t low = 0;
    uint64_t high = 0;
    size_t item = 0;  ///< of units_, or of Unit::functions
  };

  struct Unit {
    Dwarf_Die die{};
    Dwarf_Die contents{};
    bool indexed = false;
    std::vector<Dwarf_Die> functions;
    std::vector<Range> ranges;
  };

  static bool comes_before(const Range& a, const Range& b);
  static void add_ranges(Dwarf_Die& die, size_t item, std::vector<Range>& ranges);
  static const Range* covering(const std::vector<Range>& ranges, uint64_t address);
  void index_functions(Unit& unit, Dwarf_Die parent, int depth);
  void add_inlined(Dwarf_Die parent, uint64_t address, std::vector<Dwarf_Die>& chain);

  std::vector<Unit> units_;
  std::vector<Range> ranges_;
  uint64_t visited_ = 0;  ///< entries looked at, ever: damaged files may chain them in circles
};

}  // namespace burrow::cmd
