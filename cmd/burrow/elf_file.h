// The parts of an ELF file that tell whether a preload works. See program.h.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace burrow::cmd {

struct ElfFacts {
  bool foreign = false;     ///< for another class or machine than this command
  std::string interpreter;  ///< the dynamic linker; empty in static programs
  std::string soname;
  bool burrow = false;                ///< Burrow is linked into it
  std::vector<std::string> needed;    ///< libraries it asks for
  std::set<std::string> definitions;  ///< functions defined in it that have an allocator's name
};

/// Nullopt when the file is no executable or library in ELF.
[[nodiscard]] std::optional<ElfFacts> read_elf(const std::string& path);

}  // namespace burrow::cmd
