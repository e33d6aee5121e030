// Go's legacy text form of the heap profile. See text_writer.h.
#include "prof/text_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace burrow::prof {
namespace {

std::string hex(uintptr_t value) {
  char buffer[20];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, 16).ptr};
}

std::string counts(int64_t live, int64_t live_bytes, int64_t all, int64_t all_bytes) {
  return std::to_string(live) + ": " + std::to_string(live_bytes) + " [" + std::to_string(all) +
         ": " + std::to_string(all_bytes) + "]";
}

}  // namespace

void append_stack(std::string& out, std::span<const uintptr_t> stack, const Symbols& symbols) {
  out += " @";
  for (uintptr_t pc : stack) {
    out += " 0x" + hex(pc + 1);
  }
  out += '\n';
  for (uintptr_t pc : stack) {
    for (const Frame& f : symbols.at(pc)) {
      out += "#\t0x" + hex(pc) + "\t" + f.function;
      if (f.offset >= 0) {
        out += "+0x" + hex(static_cast<uintptr_t>(f.offset));
      }
      if (!f.file.empty()) {
        out += "\t" + f.file + ":" + std::to_string(f.line);
      }
      out += '\n';
    }
  }
  out += '\n';
}

HeapText::HeapText(HeapProfile profile)
    : profile_(std::move(profile)), symbols_(symbols_of(profile_.records)) {
  sorted_.reserve(profile_.records.size());
  for (const ProfileRecord& r : profile_.records) {
    sorted_.push_back(&r);
  }
  std::sort(sorted_.begin(), sorted_.end(), [](const ProfileRecord* a, const ProfileRecord* b) {
    return a->inuse_bytes > b->inuse_bytes;
  });
}

bool HeapText::next(std::string& out) {
  constexpr size_t kPieceBytes = size_t{32} << 10;
  const size_t most = out.size() + kPieceBytes;
  if (written_ == 0) {
    ProfileRecord sum;
    for (const ProfileRecord* r : sorted_) {
      sum.inuse_objects += r->inuse_objects;
      sum.inuse_bytes += r->inuse_bytes;
      sum.alloc_objects += r->alloc_objects;
      sum.alloc_bytes += r->alloc_bytes;
    }
    out += "heap profile: " +
           counts(sum.inuse_objects, sum.inuse_bytes, sum.alloc_objects, sum.alloc_bytes) +
           " @ heap/" + std::to_string(2 * profile_.rate) + "\n";
  }
  for (; written_ < sorted_.size() && out.size() < most; ++written_) {
    const ProfileRecord& r = *sorted_[written_];
    out += counts(r.inuse_objects, r.inuse_bytes, r.alloc_objects, r.alloc_bytes);
    append_stack(out, r.stack, symbols_);
  }
  return written_ < sorted_.size();
}

}  // namespace burrow::prof
