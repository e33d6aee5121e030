// What malloc tells about itself: mallinfo, malloc_info, malloc_stats, mallopt. See shim.h.
#include <malloc.h>
#include <stdio.h>

#include <algorithm>
#include <climits>

#include "base/printer.h"
#include "heap/heap.h"
#include "heap/stats.h"
#include "shim/shim.h"

namespace heap = burrow::heap;

namespace {

// glibc's words for this heap, so that its sums hold: blocks over 32 KiB are the "mmapped" ones,
// the arena is all other memory held from the system, and all of that is in use or free.
struct mallinfo2 read_mallinfo(const heap::HeapStats& s) {
  struct mallinfo2 info{};
  size_t held = s.heap_sys - s.heap_released;
  info.arena = held - std::min<size_t>(held, s.large_bytes);
  info.hblks = s.large_objects;
  info.hblkhd = s.large_bytes;
  info.usmblks = s.peak_committed;
  info.uordblks = std::min<size_t>(s.alloc - s.large_bytes, info.arena);
  info.fordblks = info.arena - info.uordblks;
  info.fsmblks = std::min<size_t>(s.cached_bytes, info.fordblks);
  info.smblks = s.cached_objects;
  info.keepcost = std::min<size_t>(s.heap_idle - s.heap_released, info.fordblks);
  info.ordblks = info.fordblks > info.fsmblks ? 1 : 0;
  return info;
}

struct mallinfo2 read_mallinfo() {
  heap::HeapStats s;
  heap::read_stats(s);
  return read_mallinfo(s);
}

int clamp_int(size_t value) {
  return static_cast<int>(std::min<size_t>(value, INT_MAX));
}

void print_class(burrow::Printer& out, const heap::BySize& line) {
  if (line.mallocs == 0) {
    return;
  }
  uint64_t live = line.mallocs - line.frees;
  out << "    <class size=\"" << line.size << "\" live=\"" << live << "\" mallocs=\""
      << line.mallocs << "\" frees=\"" << line.frees << "\"/>\n";
}

void put(burrow::Printer& out, FILE* file) {
  fwrite(out.text().data(), 1, out.text().size(), file);
  out.clear();
}

}  // namespace

extern "C" {

BURROW_EXPORT struct mallinfo2 mallinfo2() {
  return read_mallinfo();
}

BURROW_EXPORT struct mallinfo mallinfo() {
  struct mallinfo2 wide = read_mallinfo();
  struct mallinfo info{};
  info.arena = clamp_int(wide.arena);
  info.ordblks = clamp_int(wide.ordblks);
  info.hblks = clamp_int(wide.hblks);
  info.hblkhd = clamp_int(wide.hblkhd);
  info.usmblks = clamp_int(wide.usmblks);
  info.fsmblks = clamp_int(wide.fsmblks);
  info.uordblks = clamp_int(wide.uordblks);
  info.fordblks = clamp_int(wide.fordblks);
  info.keepcost = clamp_int(wide.keepcost);
  return info;
}

BURROW_EXPORT int malloc_info(int options, FILE* file) {
  if (options != 0) {
    return EINVAL;
  }
  heap::HeapStats s;
  heap::read_stats(s);
  struct mallinfo2 info = read_mallinfo(s);
  burrow::FixedPrinter<1024> out;
  out << "<malloc version=\"1\">\n  <heap nr=\"0\">\n  <classes>\n";
  for (size_t i = 0; i < s.by_size_count; ++i) {
    print_class(out, s.by_size[i]);
    put(out, file);
  }
  // As in glibc, "fast" and "rest" are free: system less both is in use, and "mmap" besides.
  out << "  </classes>\n  <total type=\"fast\" count=\"" << info.smblks << "\" size=\""
      << info.fsmblks << "\"/>\n  <total type=\"rest\" count=\"" << info.ordblks << "\" size=\""
      << info.fordblks - info.fsmblks << "\"/>\n  <total type=\"mmap\" count=\"" << info.hblks
      << "\" size=\"" << info.hblkhd << "\"/>\n  <system type=\"current\" size=\"" << info.arena
      << "\"/>\n  <system type=\"max\" size=\"" << info.usmblks << "\"/>\n";
  out << "  <aspace type=\"total\" size=\"" << s.heap_sys << "\"/>\n  </heap>\n</malloc>\n";
  put(out, file);
  return 0;
}

BURROW_EXPORT void malloc_stats() {
  heap::HeapStats s;
  heap::read_stats(s);
  burrow::FixedPrinter<1024> out;
  out << "Burrow heap:\n  in use bytes     = " << s.alloc
      << "\n  system bytes     = " << s.heap_sys - s.heap_released
      << "\n  max system bytes = " << s.peak_committed
      << "\n  cached bytes     = " << s.cached_bytes << "\n  large bytes      = " << s.large_bytes
      << "\n  mallocs          = " << s.mallocs << "\n  frees            = " << s.frees
      << "\n  threads          = " << s.threads << '\n';
  out.write_to(2);
}

BURROW_EXPORT int malloc_trim(size_t /*pad*/) {
  return heap::release_memory() ? 1 : 0;
}

/// Accepts every parameter and changes nothing: Burrow has none of glibc's knobs.
BURROW_EXPORT int mallopt(int /*parameter*/, int /*value*/) {
  return 1;
}

BURROW_ALIAS(mallinfo) struct mallinfo __libc_mallinfo();
BURROW_ALIAS(mallopt) int __libc_mallopt(int parameter, int value);

}  // extern "C"
