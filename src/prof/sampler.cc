// Which allocations are sampled. See prof.h.
#include "prof/sampler.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstring>

#include "base/printer.h"
#include "heap/hooks.h"
#include "os/os.h"
#include "os/settings.h"
#include "prof/buckets.h"
#include "prof/math.h"
#include "prof/prof.h"
#include "prof/unwind.h"

namespace burrow::prof {
namespace {

// Relaxed: the epoch in the heap makes threads look again.
constinit std::atomic<int64_t> g_rate{kDefaultRate};
constinit std::atomic<bool> g_started{false};
constinit std::atomic<uint64_t> g_seed{0};

int64_t next_distance() {
  int64_t mean = g_rate.load(std::memory_order_relaxed);
  if (mean <= 0) {
    return INT64_MAX;
  }
  return mean == 1 ? 0 : draw_distance(random_bits(), mean);
}

bool sampled_alloc(void* block, size_t size) {
  std::array<uintptr_t, kMaxDepth> pcs;
  size_t depth = capture_stack(pcs);
  return depth > 0 && record_alloc(block, size, {pcs.data(), depth});
}

size_t capture_for_heap(uintptr_t* pcs, size_t capacity) {
  return capture_stack({pcs, capacity});
}

constexpr heap::ProfilerHooks kHooks = {
    .next_sample_distance = next_distance,
    .sampled_alloc = sampled_alloc,
    .sampled_free = record_free,
    .capture_stack = capture_for_heap,
};

void read_rate() {
  const char* text = os::env("BURROW_PROFRATE");
  if (text == nullptr || *text == '\0') {
    return;
  }
  int64_t value = -1;
  const char* end = text + std::strlen(text);
  auto [at, error] = std::from_chars(text, end, value);
  if (error != std::errc() || at != end || value < 0) {
    FixedPrinter<256> out;
    out << "burrow: BURROW_PROFRATE=" << text
        << " is not a number of bytes; write for example 524288, 1 for all, 0 for none\n";
    out.write_to(2);
    return;
  }
  g_rate.store(value, std::memory_order_relaxed);
}

// Sampling starts with the library; what was allocated before is not in the profile.
__attribute__((constructor(200))) void start_early() {
  start();
}

}  // namespace

int64_t draw_distance(uint64_t bits, int64_t mean) {
  // Uniform in (0, 1], so that the logarithm exists.
  double u = static_cast<double>((bits >> 11) + 1) * 0x1p-53;
  double distance = -quick_log(u) * static_cast<double>(mean);
  return distance < 1e18 ? static_cast<int64_t>(std::max(distance, 0.0)) : INT64_MAX / 2;
}

// SplitMix64 over one shared counter. Not one atomic addition: two threads that draw the same
// number at once do no harm.
uint64_t random_bits() {
  uint64_t z = g_seed.load(std::memory_order_relaxed);
  g_seed.store(z + 0x9E3779B97F4A7C15, std::memory_order_relaxed);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

int64_t rate() {
  return g_rate.load(std::memory_order_relaxed);
}

void set_rate(int64_t bytes) {
  g_rate.store(bytes < 0 ? 0 : bytes, std::memory_order_relaxed);
  heap::refresh_sampling();
}

size_t memory_bytes() {
  return bucket_memory();
}

void start() {
  if (g_started.exchange(true, std::memory_order_relaxed)) {
    return;
  }
  g_seed.store(os::random_u64(), std::memory_order_relaxed);
  os::check_settings();
  read_rate();
  if (rate() > 0) {
    prime_unwinder();
  }
  heap::install_profiler_hooks(&kHooks);
}

}  // namespace burrow::prof
