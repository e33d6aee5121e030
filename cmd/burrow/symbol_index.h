// The functions of an object file's symbol tables, by address. See debug_info.h.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <vector>

namespace burrow::cmd {

/// Finds symbols by halving. (dwfl_module_addrinfo looks at all of them for each address: seconds
/// for a compiler's libraries.)
class SymbolIndex {
 public:
  explicit SymbolIndex(Dwfl_Module* module);

  /// A function's name and where it begins.
  struct Found {
    const char* name = "";
    uint64_t address = 0;
  };

  /// The function that covers an address; its name is empty when there is none. A symbol without a
  /// size, as assembly has them, reaches to the next one or to the end of its section.
  [[nodiscard]] Found find(uint64_t address) const;

 private:
  struct Symbol {
    uint64_t address = 0;
    uint64_t limit = 0;
    bool sized = false;
    int rank = 0;  ///< of those at one address the lowest is taken
    const char* name = nullptr;
  };

  void add(Dwfl_Module* module, int number);

  std::vector<Symbol> symbols_;  ///< by address, and by rank from the highest
};

}  // namespace burrow::cmd
