// What waits for objects to become unreachable. See specials.h.
#include "gc/specials.h"

#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "gc/cache.h"
#include "gc/cleanup_ids.h"
#include "gc/faults.h"
#include "gc/pacer.h"
#include "gc/tables.h"

extern "C" {
// Odd while cells are being cleared. Made odd while the world is stopped. Release when made even:
// who reads it acquires, and sees the cells cleared.
constinit std::atomic<uint32_t> burrow_gc_weak_turn{0};
}

namespace burrow::gc {
namespace {

constinit RankedMutex g_lock{LockRank::kSpecials};
// Of these two together, those whose objects were reachable when last looked at. In a cycle those
// in g_reached need no more looks. Neither has an order.
constinit SpecialList g_waiting BURROW_GUARDED_BY(g_lock);
constinit SpecialList g_reached BURROW_GUARDED_BY(g_lock);
constinit size_t g_looked_at BURROW_GUARDED_BY(g_lock) = 0;  // of g_waiting, in `note_reached`
constinit size_t g_taken BURROW_GUARDED_BY(g_lock) = 0;      // by `take_unreached`, and still there
constinit uint64_t g_serial BURROW_GUARDED_BY(g_lock) = 0;
constinit CleanupIds g_ids BURROW_GUARDED_BY(g_lock);

bool owns(SpecialKind kind) {
  return kind == SpecialKind::kDestroy || kind == SpecialKind::kCleanup;
}

// Nothing that will still be marked in this cycle changes what is to be done.
bool is_settled(const Special& special) {
  return next_mark(special.object()).get() &&
         (special.kind != SpecialKind::kWeak ||
          next_mark(reinterpret_cast<Address>(special.argument)).get());
}

// A cleanup that was stopped: its place in a list is to be used for another.
bool drops(const Special& special) BURROW_REQUIRES(g_lock) {
  bool stopped = special.kind == SpecialKind::kCleanup && g_ids.stopped(special.id);
  if (stopped) {
    g_ids.give_back(special.id);
    g_pacer.remove_owners(1);
  }
  return stopped;
}

}  // namespace

uint64_t add_special(SpecialKind kind, void* object, void (*function)(void*), void* argument) {
  ObjectRef ref = find_object(reinterpret_cast<Address>(object));
  if (!ref) {
    fatal("a cleanup, weak pointer or destructor for ", object,
          ", which is no object of the collected heap: use make<T>()");
  }
  BusyScope busy;
  MutexLock hold(g_lock);
  uint64_t id = kind == SpecialKind::kCleanup ? g_ids.take() : 0;
  g_waiting.push({~ref.start, function, argument, id, ++g_serial, kind});
  if (owns(kind)) {
    g_pacer.add_owner();
  }
  return id;
}

bool stop_cleanup(uint64_t id) {
  BusyScope busy;
  MutexLock hold(g_lock);
  return g_ids.stop(id);
}

bool note_reached() {
  constexpr size_t kSome = 1000;
  BusyScope busy;
  MutexLock hold(g_lock);
  for (size_t n = 0; n < kSome && g_looked_at < g_waiting.size(); ++n) {
    Special& special = g_waiting[g_looked_at];
    bool dropped = drops(special);
    if (dropped || is_settled(special)) {
      if (!dropped) {
        g_reached.push(special);
      }
      special = g_waiting.back();
      g_waiting.pop();
    } else {
      ++g_looked_at;
    }
  }
  return g_looked_at < g_waiting.size();
}

void forget_reached() {
  BusyScope busy;
  MutexLock hold(g_lock);
  for (size_t i = 0; i < g_reached.size(); ++i) {
    g_waiting.push(g_reached[i]);
  }
  g_reached.clear();
  g_looked_at = 0;
}

size_t take_unreached(SpecialList& taken) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  std::swap(taken, g_waiting);
  std::swap(g_waiting, g_reached);
  g_looked_at = 0;
  g_taken = taken.size();
  if (g_taken != 0) {
    burrow_gc_weak_turn.fetch_add(1, std::memory_order_relaxed);
  }
  return taken.size();
}

void wait_on(SpecialList& reached) {
  {
    BusyScope busy;
    MutexLock hold(g_lock);
    for (size_t i = 0; i < reached.size(); ++i) {
      g_waiting.push(reached[i]);
    }
    g_taken -= reached.size();
  }
  reached.resize(0);
}

size_t make_due(Special* specials, size_t count) {
  BusyScope busy;
  MutexLock hold(g_lock);
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    if (drops(specials[i])) {
      continue;
    }
    if (specials[i].kind == SpecialKind::kCleanup) {
      g_ids.give_back(specials[i].id);
    }
    specials[kept++] = specials[i];
  }
  g_taken -= count;
  g_pacer.remove_owners(kept);
  return kept;
}

void end_taken() {
  BusyScope busy;
  MutexLock hold(g_lock);
  g_taken = 0;
}

size_t waiting_specials() {
  BusyScope busy;
  MutexLock hold(g_lock);
  return g_waiting.size() + g_reached.size() + g_taken - g_ids.stopped_count();
}

uint64_t last_special() {
  BusyScope busy;
  MutexLock hold(g_lock);
  return g_serial;
}

// A cell that was made since the world was stopped refers to an object that was reachable then, or
// is new; nobody has taken it for clearing.
Address ask_weak_cell(const WeakCell& cell) {
  BusyScope busy;
  MutexLock hold(g_lock);
  Address target = cell.target.load(std::memory_order_relaxed);
  bool turn = burrow_gc_weak_turn.load(std::memory_order_relaxed) % 2 != 0;
  if (target == 0 || !turn || cell.epoch == g_epoch.load(std::memory_order_relaxed) ||
      g_faults.stale_weak) {
    return target;
  }
  return last_mark(find_object(target).start).get() ? target : 0;
}

// Under the lock: who asks a cell decides by marks, which change from now on.
void end_weak_turn() {
  BusyScope busy;
  MutexLock hold(g_lock);
  burrow_gc_weak_turn.fetch_add(1, std::memory_order_release);
}

RankedMutex& specials_lock() {
  return g_lock;
}

}  // namespace burrow::gc
