// The start of the collected heap. See gc.h.
#include <unistd.h>

#include <atomic>

#include "base/check.h"
#include "base/mutex.h"
#include "gc/cache.h"
#include "gc/central.h"
#include "gc/collector.h"
#include "gc/figures.h"
#include "gc/gc.h"
#include "gc/mapped_roots.h"
#include "gc/no_access.h"
#include "gc/pacer.h"
#include "gc/tables.h"
#include "heap/heap_internal.h"
#include "heap/hooks.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

enum class StartState : uint8_t {
  kCold,   ///< nobody has asked for an object
  kReady,  ///< the tables are usable
};

struct Settings {
  bool stress = false;
  bool verify = false;
  bool clobber = false;
};

constinit std::atomic<StartState> g_state{StartState::kCold};
constinit Mutex g_lock{LockRank::kCollector};
constinit Settings g_settings;
constinit int64_t g_start_time_ns = 0;

void collect_now() {
  g_collector.collect();
}

}  // namespace

void start() {
  // Acquire: pairs with the release below.
  if (BURROW_LIKELY(g_state.load(std::memory_order_acquire) == StartState::kReady)) {
    return;
  }
  BusyScope busy;
  heap::heap_init();
  // Before the lock: both take the loader's.
  find_malloc();
  os::learn_thread_descriptors();
  MutexLock hold(g_lock);
  if (g_state.load(std::memory_order_relaxed) == StartState::kReady) {
    return;
  }
  if (!tables_init()) {
    fatal(
        "cannot reserve address space for the collector's tables: raise RLIMIT_AS (ulimit -v) "
        "or RLIMIT_DATA (ulimit -d)");
  }
  init_centrals();
  static constexpr heap::CollectorHooks kHooks{end_cache, unbind_cache, collect_now, add_figures,
                                               await_scans};
  heap::install_collector_hooks(&kHooks);
  g_settings = {os::debug_option("gcstress") == "1", os::debug_option("gcverify") == "1",
                os::debug_option("clobberfree") == "1"};
  g_pacer.init();
  g_start_time_ns = os::monotonic_ns();
  g_state.store(StartState::kReady, std::memory_order_release);
}

RankedMutex& start_lock() {
  return g_lock;
}

bool started() {
  return g_state.load(std::memory_order_acquire) == StartState::kReady;
}

int64_t start_time_ns() {
  return g_start_time_ns;
}

bool stress() {
  return g_settings.stress;
}

bool verifying() {
  return g_settings.verify;
}

bool clobbering() {
  return g_settings.clobber;
}

void exit_now(int status) {
  _exit(status);
}

}  // namespace burrow::gc
