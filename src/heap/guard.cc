// Guard pages for a sample of hardened mode's allocations. See guard.h and hardened.h.
#include "heap/guard.h"

#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/annotations.h"
#include "base/bits.h"
#include "base/check.h"
#include "heap/hooks.h"
#include "heap/mheap.h"
#include "heap/report.h"
#include "os/fault.h"
#include "os/os.h"

namespace burrow::heap {
namespace {

// Guarded blocks that exist at a time, dead ones that wait included.
constexpr size_t kRecords = 512;
constexpr size_t kDeadKept = kRecords / 2;

struct Record {
  MSpan* span = nullptr;
  void* block = nullptr;
  size_t size = 0;
  bool dead = false;
  StackTrace allocated;
  StackTrace freed;
};

constinit Mutex g_lock{LockRank::kGuard};
BURROW_NO_ROOTS constinit std::array<Record, kRecords> g_records BURROW_GUARDED_BY(g_lock){};
constinit std::array<uint16_t, kDeadKept> g_dead BURROW_GUARDED_BY(g_lock){};
constinit size_t g_dead_head BURROW_GUARDED_BY(g_lock) = 0;
constinit size_t g_dead_count BURROW_GUARDED_BY(g_lock) = 0;
constinit size_t g_used BURROW_GUARDED_BY(g_lock) = 0;
constinit std::atomic<uint32_t> g_ticks{0};
constinit uint32_t g_rate = 64;

Record* find_record(const MSpan* span) BURROW_REQUIRES(g_lock) {
  for (Record& r : g_records) {
    if (r.span == span) {
      return &r;
    }
  }
  return nullptr;
}

// Runs in the signal handler of a fault: no lock (the holder may be this thread).
bool report_fault(const os::Fault& fault) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  const void* address = fault.address;
  const MSpan* span = span_of(address);
  if (span == nullptr || span->state != SpanState::kGuarded) {
    return false;
  }
  for (const Record& r : g_records) {
    if (r.span != span) {
      continue;
    }
    FixedPrinter<512> line;
    line << "burrow: fatal: " << (r.dead ? "use after free" : "overflow") << ": touch of "
         << address << ", guarded block " << r.block << " of " << r.size << " bytes\n";
    line.write_to(2);
    r.allocated.print("allocated at");
    r.freed.print("freed at");
    std::abort();
  }
  return false;
}

// Gives the oldest dead block's pages back. REQUIRES: one waits.
void reuse_oldest() BURROW_REQUIRES(g_lock) {
  Record& r = g_records[g_dead[g_dead_head]];
  g_dead_head = (g_dead_head + 1) % kDeadKept;
  --g_dead_count;
  --g_used;
  MSpan* span = std::exchange(r.span, nullptr);
  CHECK(os::commit(pointer_to(span->start), span->pages.bytes()));
  g_mheap.free_span(span);
}

// False when there is none.
bool reserve_record() {
  MutexLock hold(g_lock);
  if (g_used == kRecords) {
    if (g_dead_count == 0) {
      return false;
    }
    reuse_oldest();
  }
  ++g_used;
  return true;
}

// The block's record; from now on the collector does not begin to read the block.
size_t note_dead(MSpan* span, const void* p) {
  MutexLock hold(g_lock);
  Record* r = find_record(span);
  if (r == nullptr || r->block != p) {
    report_invalid_free(p);
  }
  if (r->dead) {
    report_double_free(p);
  }
  r->dead = true;
  r->freed.capture();
  span->whole.pointer_free = true;
  return static_cast<size_t>(r - g_records.data());
}

// REQUIRES: by the span's descriptor the collector passes by these pages.
bool close_pages(void* start, size_t bytes) {
  // Pairs with the one of the collector that installs its hooks and reads the descriptor.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const CollectorHooks* hooks = collector_hooks();
  return (hooks == nullptr || hooks->await_scans()) && os::protect_none(start, bytes);
}

}  // namespace

void StackTrace::capture() {
  const ProfilerHooks* hooks = profiler_hooks();
  count = hooks != nullptr && hooks->capture_stack != nullptr
              ? static_cast<uint32_t>(hooks->capture_stack(pcs, kDepth))
              : 0;
}

void StackTrace::print(const char* title) const {
  if (count == 0) {
    return;
  }
  FixedPrinter<512> line;
  line << "  " << title << ":\n";
  line.write_to(2);
  for (size_t i = 0; i < count; ++i) {
    line.clear();
    line << "    ";
    os::print_code_address(line, pcs[i]);
    line << '\n';
    line.write_to(2);
  }
}

void guard_init() {
  if (std::optional<std::string_view> text = os::debug_option("guard"); text) {
    std::from_chars(text->data(), text->data() + text->size(), g_rate);
  }
  if (g_rate > 0) {
    os::on_memory_fault(report_fault);
  }
}

void* guard_allocate(size_t size, size_t alignment) {
  // Relaxed: only the count matters.
  if (g_rate == 0 || alignment > kPageSize || size > 16 * kPageSize ||
      g_ticks.fetch_add(1, std::memory_order_relaxed) % g_rate != g_rate - 1) {
    return nullptr;
  }
  if (!reserve_record()) {
    return nullptr;
  }
  size_t body = round_up(size, kPageSize);
  body = body == 0 ? kPageSize : body;
  MSpan* span = g_mheap.allocate_large(body + kPageSize, kPageSize, SpanState::kGuarded);
  Address data = span == nullptr ? 0 : address_of(span->start);
  if (span == nullptr || !close_pages(reinterpret_cast<void*>(data + body), kPageSize)) {
    if (span != nullptr) {
      g_mheap.free_span(span);
    }
    MutexLock hold(g_lock);
    --g_used;
    return nullptr;
  }
  size_t grain = alignment > 16 ? alignment : 16;
  span->first = data + round_down(body - size, grain);
  MutexLock hold(g_lock);
  Record* r = find_record(nullptr);
  CHECK(r != nullptr);
  *r = Record{span, reinterpret_cast<void*>(span->first), size, false, {}, {}};
  r->allocated.capture();
  return r->block;
}

void guard_free(MSpan* span, void* p) {
  size_t index = note_dead(span, p);
  // Else it is dead, but may be touched. Its old words are not to come back with its pages: the
  // collector's verifier could not tell that they were there before.
  if (close_pages(pointer_to(span->start), span->pages.bytes())) {
    (void)os::release(pointer_to(span->start), span->pages.bytes());
  }
  MutexLock hold(g_lock);
  if (g_dead_count == kDeadKept) {
    reuse_oldest();
  }
  g_dead[(g_dead_head + g_dead_count++) % kDeadKept] = static_cast<uint16_t>(index);
}

size_t guard_size(const MSpan* span) {
  MutexLock hold(g_lock);
  const Record* r = find_record(span);
  return r == nullptr ? 0 : r->size;
}

Mutex& guard_lock() {
  return g_lock;
}

}  // namespace burrow::heap
