// From a return address to its call-frame instructions: the binary search table of .eh_frame_hdr,
// and the CIE and FDE it leads to (Linux Standard Base 5, 10.6 and 10.7). See cfi.h.
#include <cstddef>
#include <cstring>
#include <optional>

#include "prof/cfi.h"
#include "prof/dwarf_cursor.h"

namespace burrow::prof {
namespace {

// Pointer encodings; the low four bits are the format.
constexpr uint8_t kUdata4 = 0x03;
constexpr uint8_t kSdata4 = 0x0B;
constexpr uint8_t kAligned = 0x50;
constexpr uint8_t kRelativeToTableSdata4 = 0x3B;

struct TableEntry {
  int32_t function;  // both relative to the header
  int32_t fde;
};

// 0 for what is not handled: variable lengths and kAligned.
size_t size_of_encoded(uint8_t encoding) {
  if ((encoding & 0x70) == kAligned) {
    return 0;
  }
  switch (encoding & 0x0F) {
    case 0x00:
    case 0x04:
    case 0x0C:
      return 8;
    case kUdata4:
    case kSdata4:
      return 4;
    default:
      return 0;
  }
}

// The last entry at or below `address`.
std::optional<TableEntry> search(const uint8_t* header, uintptr_t address) {
  // Version, the encodings of .eh_frame's address, of the count and of the table.
  size_t address_bytes = size_of_encoded(header[1]);
  if (header[0] != 1 || address_bytes == 0 || header[2] != kUdata4 ||
      header[3] != kRelativeToTableSdata4) {
    return {};
  }
  uint32_t count = 0;
  std::memcpy(&count, header + 4 + address_bytes, sizeof count);
  const uint8_t* table = header + 4 + address_bytes + sizeof count;
  auto offset = static_cast<int64_t>(address - reinterpret_cast<uintptr_t>(header));
  size_t low = 0;
  size_t high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int32_t function = 0;
    std::memcpy(&function, table + middle * sizeof(TableEntry), sizeof function);
    if (function <= offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) {
    return {};
  }
  TableEntry entry;
  std::memcpy(&entry, table + (low - 1) * sizeof entry, sizeof entry);
  return entry;
}

// The contents of the CIE or FDE at `at`, after its length.
std::optional<DwarfCursor> open_entry(const uint8_t* at) {
  uint32_t length = 0;
  std::memcpy(&length, at, sizeof length);
  if (length < 4 || length >= 0xFFFFFFF0) {
    return {};
  }
  return DwarfCursor({at + sizeof length, length});
}

// What the CIE says about its FDEs.
struct Common {
  CfiProgram program;
  bool augmented = false;
  uint8_t encoding = 0;
};

std::optional<Common> read_cie(const uint8_t* at) {
  std::optional<DwarfCursor> in = open_entry(at);
  if (!in || in->fixed<uint32_t>() != 0) {
    return {};
  }
  Common cie;
  uint8_t version = in->byte();
  const char* augmentation = reinterpret_cast<const char*>(in->rest().data());
  while (in->byte() != 0) {
  }
  cie.program.code_factor = in->uleb();
  cie.program.data_factor = in->sleb();
  uint64_t return_register = version == 1 ? in->byte() : in->uleb();
  if ((version != 1 && version != 3) || return_register != 16) {
    return {};
  }
  if (*augmentation == 'z') {
    cie.augmented = true;
    DwarfCursor data(in->take(in->uleb()));
    for (const char* c = augmentation + 1; *c != '\0'; ++c) {
      if (*c == 'R') {
        cie.encoding = data.byte();
      } else if (*c == 'L') {
        (void)data.byte();
      } else if (*c == 'P') {
        size_t bytes = size_of_encoded(data.byte());
        if (bytes == 0) {
          return {};
        }
        (void)data.take(bytes);
      } else {
        return {};  // 'S' is a signal frame; others are not x86-64's
      }
    }
    if (!data.ok()) {
      return {};
    }
  } else if (*augmentation != '\0') {
    return {};
  }
  cie.program.common = in->rest();
  return in->ok() ? std::optional(cie) : std::nullopt;
}

}  // namespace

UnwindRow find_row(const uint8_t* eh_frame_hdr, uintptr_t return_address) {
  // A call that does not return can be its function's last instruction: look where it began.
  uintptr_t call = return_address - 1;
  std::optional<TableEntry> found = search(eh_frame_hdr, call);
  if (!found) {
    return kNeedsLibgcc;
  }
  uintptr_t start =
      reinterpret_cast<uintptr_t>(eh_frame_hdr) + static_cast<uintptr_t>(int64_t{found->function});
  const uint8_t* fde = eh_frame_hdr + found->fde;
  std::optional<DwarfCursor> in = open_entry(fde);
  if (!in) {
    return kNeedsLibgcc;
  }
  auto to_cie = in->fixed<uint32_t>();
  if (to_cie == 0) {
    return kNeedsLibgcc;
  }
  std::optional<Common> cie = read_cie(fde + 4 - to_cie);
  if (!cie) {
    return kNeedsLibgcc;
  }
  size_t size = size_of_encoded(cie->encoding);
  (void)in->take(size);  // the start, known from the table
  uint64_t length = size == 4 ? in->fixed<uint32_t>() : size == 8 ? in->fixed<uint64_t>() : 0;
  if (cie->augmented) {
    (void)in->take(in->uleb());
  }
  if (!in->ok() || call - start >= length) {
    return kNeedsLibgcc;
  }
  cie->program.own = in->rest();
  return run_cfi(cie->program, call - start);
}

}  // namespace burrow::prof
