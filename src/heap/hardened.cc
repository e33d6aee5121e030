// Canaries and quarantine. See hardened.h; guard pages are in guard.cc.
#include "heap/hardened.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "base/annotations.h"
#include "base/bits.h"
#include "base/check.h"
#include "heap/guard.h"
#include "heap/heap_internal.h"
#include "heap/hooks.h"
#include "heap/mheap.h"
#include "heap/report.h"
#include "heap/reserve.h"
#include "os/os.h"

namespace burrow::heap {

constinit std::atomic<bool> g_hardened{false};

namespace {

constexpr unsigned char kCanaryByte = 0xC5;
constexpr unsigned char kFreedByte = 0xDF;
constexpr size_t kQuarantineBlocks = 16384;
constexpr size_t kQuarantineBytes = 16 * kMiB;

enum class BlockState : uint32_t {
  kLive = 0x4c495645,         ///< the program's
  kQuarantined = 0x51554152,  ///< freed, waiting
};

struct Trailer {
  uint64_t seal;  ///< of all other words: an overflow that skips the canary lands here
  size_t size;
  BlockState state;
  uint32_t sampled;
  StackTrace allocated;
  StackTrace freed;
};

constinit Mutex g_lock{LockRank::kHardened};
BURROW_NO_ROOTS constinit std::array<void*, kQuarantineBlocks> g_ring BURROW_GUARDED_BY(g_lock){};
constinit size_t g_head BURROW_GUARDED_BY(g_lock) = 0;
constinit size_t g_count BURROW_GUARDED_BY(g_lock) = 0;
constinit size_t g_bytes BURROW_GUARDED_BY(g_lock) = 0;

char* block_end(const MSpan* span, const void* p) {
  size_t index = static_cast<size_t>(span->index_of_start(p));
  return reinterpret_cast<char*>(span->first + (index + 1) * span->elem_size);
}

Trailer* trailer_of(const MSpan* span, const void* p) {
  return reinterpret_cast<Trailer*>(block_end(span, p) - sizeof(Trailer));
}

// A change of any one word changes the seal: every step can be undone.
uint64_t seal_of(const Trailer* t) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t words[sizeof(Trailer) / sizeof(uint64_t)];
  std::memcpy(words, t, sizeof words);
  uint64_t seal = free_mark(t);
  for (size_t i = 1; i < std::size(words); ++i) {
    seal = (seal ^ words[i]) * kOdd;
    seal ^= seal >> 29;
  }
  return seal;
}

[[noreturn]] void report_with_stacks(const char* what, const void* p, const Trailer& t) {
  FixedPrinter<640> line;
  line << "burrow: fatal: " << what << ": ";
  print_pointer(line, p);
  line << ", size " << t.size << '\n';
  line.write_to(2);
  t.allocated.print("allocated at");
  t.freed.print("freed at");
  std::abort();
}

bool all_bytes(const char* from, const char* to, unsigned char want) {
  return std::all_of(from, to, [want](char c) { return static_cast<unsigned char>(c) == want; });
}

// Behind the trailer the next block begins. When it is free, its mark shows whether this one's
// overflow has come so far.
void check_next(const MSpan* span, const void* p, const Trailer& t) {
  if (span->state != SpanState::kSmall) {
    return;
  }
  auto next = static_cast<size_t>(span->index_of_start(p)) + 1;
  MutexLock hold(central_of(span->size_class).lock());
  if (span->is_free_and_marked(next) && !is_marked(span->block(next))) {
    report_with_stacks("overflow, the next block was overwritten", p, t);
  }
}

void check_live(const MSpan* span, const void* p) {
  refuse_collected(p);
  const Trailer* t = trailer_of(span, p);
  const char* user_end = static_cast<const char*>(p) + t->size;
  if (t->seal != seal_of(t)) {
    report_with_stacks("overflow, the end of the block is destroyed", p, Trailer{});
  }
  if (t->state == BlockState::kQuarantined) {
    report_with_stacks("double free", p, *t);
  }
  if (!all_bytes(user_end, reinterpret_cast<const char*>(t), kCanaryByte)) {
    report_with_stacks("overflow, bytes behind the block were overwritten", p, *t);
  }
  check_next(span, p, *t);
}

// A block leaves the quarantine: its filling must be whole. Then it goes home for good.
void let_go(void* p) {
  MSpan* span = span_of(p);
  Trailer* t = trailer_of(span, p);
  const char* bytes = static_cast<const char*>(p);
  if (t->seal != seal_of(t)) {
    report_with_stacks("write after free, the end of the block is destroyed", p, Trailer{});
  }
  if (!all_bytes(bytes, bytes + t->size, kFreedByte) || t->state != BlockState::kQuarantined) {
    report_with_stacks("write after free", p, *t);
  }
  if (span->state == SpanState::kLarge) {
    g_mheap.free_span(span);
    return;
  }
  *static_cast<uintptr_t*>(p) = free_mark(p);
  central_of(span->size_class).put_back(&p, 1);
  MutexLock hold(g_caches.lock);
  ++g_caches.frees[span->size_class.value];
}

void* take_block(size_t total, size_t alignment) {
  SizeClass c = class_for_aligned(total, std::max<size_t>(alignment, 16));
  if (!c) {
    MSpan* span = g_mheap.allocate_large(total, std::max(alignment, kPageSize), SpanState::kLarge);
    if (span == nullptr) {
      return nullptr;
    }
    return pointer_to(span->start);
  }
  void* p = central_of(c).take_one();
  if (p != nullptr) {
    MutexLock hold(g_caches.lock);
    ++g_caches.mallocs[c.value];
  }
  return p;
}

void* allocate_block(size_t size, size_t alignment, bool sampled) {
  size_t total = round_up(size, alignof(Trailer)) + sizeof(Trailer);
  void* p = take_block(total, alignment);
  if (p == nullptr) {
    return nullptr;
  }
  MSpan* span = span_of(p);
  Trailer* t = trailer_of(span, p);
  char* user_end = static_cast<char*>(p) + size;
  *static_cast<uintptr_t*>(p) = 0;
  std::memset(user_end, kCanaryByte, static_cast<size_t>(reinterpret_cast<char*>(t) - user_end));
  *t = Trailer{0, size, BlockState::kLive, sampled, {}, {}};
  t->allocated.capture();
  t->seal = seal_of(t);
  return p;
}

}  // namespace

void hardened_init() {
  if (os::debug_option("hardened") == "1") {
    g_hardened.store(true, std::memory_order_relaxed);
    guard_init();
  }
}

void* hardened_allocate(size_t size, size_t alignment) {
  if (size > PTRDIFF_MAX) {
    return nullptr;
  }
  ErrnoScope keep_errno;
  if (in_operation()) {
    return alignment <= 16 ? reserve_allocate(size) : nullptr;
  }
  MCache* cache = current_cache();  // null at the thread's end, which does without samples
  SlowScope busy;
  maybe_verify();
  void* p = guard_allocate(size, alignment);
  bool sampled = false;
  if (p == nullptr) {
    sampled = cache != nullptr && cache->charge(size);
    p = allocate_block(size, alignment, sampled);
  }
  const ProfilerHooks* hooks = profiler_hooks();
  if (p != nullptr && sampled && hooks != nullptr && hooks->sampled_alloc != nullptr) {
    cache->muted = true;
    Trailer* t = trailer_of(span_of(p), p);
    t->sampled = hooks->sampled_alloc(p, size) ? 1 : 0;
    t->seal = seal_of(t);
    cache->muted = false;
  }
  return p;
}

bool hardened_free(MSpan* span, void* p) {
  if (span->state == SpanState::kGuarded) {
    SlowScope busy;
    guard_free(span, p);
    return true;
  }
  if (span->index_of_known(p) < 0) {
    report_invalid_free(p);
  }
  SlowScope busy;
  Trailer* t = trailer_of(span, p);
  check_live(span, p);
  if (t->sampled != 0) {
    profiler_hooks()->sampled_free(p);
  }
  t->freed.capture();
  t->state = BlockState::kQuarantined;
  t->seal = seal_of(t);
  std::memset(p, kFreedByte, t->size);
  MutexLock hold(g_lock);
  while (g_count == kQuarantineBlocks || (g_count > 0 && g_bytes > kQuarantineBytes)) {
    void* oldest = g_ring[g_head];
    g_head = (g_head + 1) % kQuarantineBlocks;
    --g_count;
    g_bytes -= span_of(oldest)->elem_size;
    let_go(oldest);
  }
  g_ring[(g_head + g_count++) % kQuarantineBlocks] = p;
  g_bytes += span->elem_size;
  return true;
}

size_t hardened_usable_size(const MSpan* span, const void* p) {
  if (span->state == SpanState::kGuarded) {
    return guard_size(span);
  }
  const Trailer* t = trailer_of(span, p);
  if (t->seal == seal_of(t) && t->state == BlockState::kQuarantined) {
    report_with_stacks("use after free", p, *t);
  }
  return t->size;
}

void hardened_finish() {
  if (!hardened_on() || in_operation()) {
    return;
  }
  SlowScope busy;
  MutexLock hold(g_lock);
  while (g_count > 0) {
    void* oldest = g_ring[g_head];
    g_head = (g_head + 1) % kQuarantineBlocks;
    --g_count;
    g_bytes -= span_of(oldest)->elem_size;
    let_go(oldest);
  }
}

Mutex& hardened_lock() {
  return g_lock;
}

}  // namespace burrow::heap
