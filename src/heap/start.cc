// The start of the heap and of each thread's part in it. See mheap.h.
#include <atomic>
#include <cstring>

#include "base/check.h"
#include "heap/hardened.h"
#include "heap/heap.h"
#include "heap/heap_internal.h"
#include "heap/hooks.h"
#include "heap/least_limit.h"
#include "heap/metadata.h"
#include "heap/mheap.h"
#include "heap/processor_cache.h"
#include "heap/reserve.h"
#include "heap/scavenger.h"
#include "os/os.h"
#include "os/sanitizer.h"
#include "os/thread.h"

// What the program calls malloc, where this library has one.
extern "C" [[gnu::weak]] BURROW_HIDDEN void* burrow_own_malloc(size_t size);

namespace burrow::heap {
namespace {

enum class StartState : uint8_t {
  kCold,   ///< nobody has allocated yet
  kReady,  ///< the arena and the centrals are usable
};

constinit std::atomic<StartState> g_state{StartState::kCold};
constinit Mutex g_start_lock{LockRank::kStart};

// The cache that was made for this thread: `t_heap` has it except while a processor's is bound.
constinit thread_local MCache* t_own = nullptr;

// Spans start on pages, so the first blocks of every class crowd the first lines of pages; so would
// the first cache's slots, and evict them from L1: 8.8 ns against 6.7 for pairs of mixed sizes.
constexpr size_t kColour = 1344;

// Set once the thread's cache was destroyed at its end.
constinit thread_local bool t_ended = false;

void read_settings() {
  if (const char* text = os::env("BURROW_MEMLIMIT"); text != nullptr && *text != '\0') {
    std::optional<size_t> bytes = os::parse_bytes(text);
    if (bytes && *bytes >= kLeastLimit) {
      g_mheap.set_limit(*bytes);
    } else if (std::string_view(text) == "off") {
      g_mheap.ignore_container();
    } else {
      FixedPrinter<256> out;
      out << "burrow: BURROW_MEMLIMIT=" << text
          << (bytes ? " is too small for any program" : " is not a size")
          << "; write for example 512MiB, or off\n";
      out.write_to(2);
    }
  }
}

// Fallbacks that a test asks for.
void read_debug_options() {
  if (os::debug_option("move") == "0") {
    os::forbid_move_pages();
  }
}

void end_thread(void* raw) {
  if (os::is_first_thread()) {
    end_scavenger();
  }
  t_heap.busy = true;
  t_heap.inside = true;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_heap.cache = nullptr;
  t_own = nullptr;
  t_ended = true;
  SlowScope busy;
  MCache::destroy(static_cast<MCache*>(raw));
}

}  // namespace

void heap_init() {
  // Acquire: pairs with the release below.
  if (BURROW_LIKELY(g_state.load(std::memory_order_acquire) == StartState::kReady)) {
    return;
  }
  MutexLock hold(g_start_lock);
  if (g_state.load(std::memory_order_relaxed) == StartState::kReady) {
    return;
  }
  os::refuse_sanitizer(reinterpret_cast<void*>(burrow_own_malloc));
  arena_init();
  init_centrals();
  (void)meta_allocate(kColour, MetaKind::kOther);
  reserve_init();
  read_settings();
  read_debug_options();
  hardened_init();
  g_state.store(StartState::kReady, std::memory_order_release);
}

MCache* current_cache() {
  if (BURROW_LIKELY(t_heap.cache != nullptr)) {
    return t_heap.cache;
  }
  if (t_ended) {
    return nullptr;
  }
  MCache* cache = nullptr;
  {
    SlowScope busy;
    heap_init();
    cache = MCache::create();
    if (cache == nullptr) {
      return nullptr;
    }
    MCache::bury_dead(cache);
    // Before the registration, which may allocate.
    t_own = cache;
    t_heap.cache = cache;
  }
  // Without a slot for the exit handler the cache stays behind until `bury_dead` finds it.
  (void)os::at_thread_exit(end_thread, cache);
  return t_heap.cache;
}

MCache* create_processor_cache() {
  SlowScope busy;
  heap_init();
  MCache* cache = MCache::create();
  if (cache != nullptr) {
    cache->owner = 0;  // no thread's end is its end
  }
  return cache;
}

void bind_cache(MCache* cache) {
  if (cache == nullptr) {
    cache = t_own;
  }
  // A signal handler that allocates between the stores takes memory from the reserve.
  t_heap.busy = true;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_heap.cache = cache;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_heap.busy = cache == nullptr;
  if (const CollectorHooks* hooks = collector_hooks(); hooks != nullptr) {
    hooks->cache_changes();
  }
}

void maybe_verify() {
  static constinit std::atomic<int> wanted{-1};
  static constinit std::atomic<uint32_t> ticks{0};
  // Relaxed: reading the setting twice does no harm.
  int on = wanted.load(std::memory_order_relaxed);
  if (BURROW_LIKELY(on == 0)) {
    return;
  }
  if (on < 0) {
    on = os::debug_option("verify") == "1" ? 1 : 0;
    wanted.store(on, std::memory_order_relaxed);
  }
  if (on == 1 && ticks.fetch_add(1, std::memory_order_relaxed) % 256 == 0) {
    verify();
  }
}

}  // namespace burrow::heap
