// Prints what an append makes of a slice's capacity, as Go's runtime would: for
// slice_growth_test.py.
//
// Reads lines "SIZE CAP NEEDED": the bytes of an element, the slice's capacity, the elements it is
// to hold. The growth is Burrow's own; only the rounding goes by Go's size classes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>

#include "burrow/internal/grow.h"

namespace {

// Go 1.19 to 1.24, runtime/sizeclasses.go.
constexpr std::array<size_t, 67> kGoClasses{
    8,     16,    24,    32,    48,    64,    80,    96,    112,   128,   144,  160,   176,   192,
    208,   224,   240,   256,   288,   320,   352,   384,   416,   448,   480,  512,   576,   640,
    704,   768,   896,   1024,  1152,  1280,  1408,  1536,  1792,  2048,  2304, 2688,  3072,  3200,
    3456,  4096,  4864,  5376,  6144,  6528,  6784,  6912,  8192,  9472,  9728, 10240, 10880, 12288,
    13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768};

size_t go_room(size_t bytes) {
  constexpr size_t kPage = 8192;
  if (bytes > kGoClasses.back()) {
    return (bytes + kPage - 1) / kPage * kPage;
  }
  return *std::lower_bound(kGoClasses.begin(), kGoClasses.end(), bytes);
}

}  // namespace

int main() {
  size_t size = 0;
  size_t cap = 0;
  size_t needed = 0;
  while (std::scanf("%zu %zu %zu", &size, &cap, &needed) == 3) {
    size_t grown = burrow::internal::grown_capacity(cap, needed);
    std::printf("%zu %zu %zu %zu\n", size, cap, needed, go_room(grown * size) / size);
  }
}
