// One-line messages about misused pointers. See report.h.
#include "heap/report.h"

#include "base/check.h"
#include "heap/arena.h"
#include "heap/heap.h"
#include "heap/mspan.h"

namespace burrow::heap {
namespace {

bool is_collected(const void* p) {
  PageId page;
  const MSpan* span = find_page(p, page) ? span_around(page) : nullptr;
  return span != nullptr && span->state == SpanState::kCollected;
}

template <typename... Parts>
[[noreturn]] void report(const void* p, const Parts&... parts) {
  FixedPrinter<640> out;
  if (is_collected(p)) {
    out << "free, delete or realloc of what burrow::make made, which the collector frees: leave "
        << "this call out";
  } else {
    (out << ... << parts);
  }
  out << ": ";
  print_pointer(out, p);
  fatal_message(out.text());
}

}  // namespace

void print_pointer(Printer& out, const void* p) {
  out << p << " (";
  PageId page;
  if (!find_page(p, page)) {
    out << "not an address of Burrow's heap)";
    return;
  }
  const MSpan* span = span_around(page);
  if (span == nullptr) {
    out << "heap address, page " << page.value << ", in no live span: freed before, or never "
        << "allocated)";
    return;
  }
  if (span->state == SpanState::kCollected) {
    out << "collected heap, span " << Hex(address_of(span->start)) << " of " << span->pages.value
        << " pages)";
    return;
  }
  if (span->size_class) {
    size_t offset = reinterpret_cast<Address>(p) - span->first;
    if (reinterpret_cast<Address>(p) >= span->first) {
      const void* start = span->block(offset / span->elem_size);
      out << "block " << start << "+" << offset % span->elem_size << ", ";
    }
  } else {
    out << "block " << Hex(span->first) << "+" << reinterpret_cast<Address>(p) - span->first
        << ", ";
  }
  out << "span " << Hex(address_of(span->start)) << " of " << span->pages.value << " pages, class ";
  if (span->size_class) {
    out << static_cast<unsigned>(span->size_class.value) << " (" << span->elem_size << " bytes))";
  } else {
    out << "large (" << span->elem_size << " bytes))";
  }
}

void refuse_collected(const void* p) {
  if (is_collected(p)) {
    report(p, "");
  }
}

void report_invalid_free(const void* p) {
  report(p, "invalid free, not the start of a live block");
}

void report_double_free(const void* p) {
  report(p, "double free");
}

void report_write_after_free(const void* p) {
  report(p, "write after free, the first word of a free block was overwritten");
}

void report_invalid_pointer(PointerUse use, const void* p) {
  if (use == PointerUse::kRealloc) {
    report_invalid_free(p);
  }
  report(p, "malloc_usable_size of what is not the start of a live block");
}

void report_freed_pointer(PointerUse use, const void* p) {
  if (use == PointerUse::kRealloc) {
    report_double_free(p);
  }
  report(p, "malloc_usable_size of a free block");
}

void report_wrong_size(const void* p, size_t size) {
  report(p, "sized delete with the wrong size ", size);
}

size_t describe(const void* address, char* buffer, size_t capacity) {
  Printer out(buffer, capacity);
  print_pointer(out, address);
  return out.text().size();
}

}  // namespace burrow::heap
