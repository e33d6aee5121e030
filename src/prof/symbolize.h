// Functions and lines of addresses. See prof.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace burrow::prof {

/// One source frame.
struct Frame {
  std::string function;  ///< readable, see names.h; empty when unknown
  std::string file;      ///< empty when unknown
  int64_t line = 0;      ///< 0 when unknown
  std::string symbol;    ///< the linker's name of the function; empty when it is `function`
  int64_t offset = -1;   ///< bytes from where the code it is part of begins; -1 when unknown
};

/// A loaded object's executable part.
struct Module {
  uintptr_t start = 0;
  uintptr_t limit = 0;
  uintptr_t bias = 0;    ///< address - address in the file's symbol table
  uint64_t offset = 0;   ///< of `start` in the file
  std::string path;      ///< absolute, or "[vdso]"
  std::string build_id;  ///< hexadecimal; empty when the file has none
};

/// The executable mappings of the process, in address order.
[[nodiscard]] std::vector<Module> loaded_modules();

/// For each address the frames at it, innermost first: more than one where calls were inlined, none
/// where nothing is known. Asks the helper process; without it, the dynamic symbol table.
/// Many addresses of one stack after the other are for `Symbols`.
[[nodiscard]] std::vector<std::vector<Frame>> symbolize(std::span<const uintptr_t> addresses);

/// The frames of many stacks, with one question to the helper and each address kept once: stacks
/// have most of their addresses in common.
class Symbols {
 public:
  /// Notes addresses.
  void add(std::span<const uintptr_t> stack);

  /// Names all that were noted.
  void resolve();

  /// The frames at an address, as `symbolize` gives them; none when it was not added.
  [[nodiscard]] const std::vector<Frame>& at(uintptr_t address) const;

 private:
  std::unordered_map<uintptr_t, std::vector<Frame>> frames_;
};

/// The stacks of all records, named.
[[nodiscard]] Symbols symbols_of(const auto& records) {
  Symbols symbols;
  for (const auto& r : records) {
    symbols.add(r.stack);
  }
  symbols.resolve();
  return symbols;
}

}  // namespace burrow::prof
