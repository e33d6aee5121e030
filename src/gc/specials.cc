// What is to happen when objects are unreachable. See specials.h.
#include "gc/specials.h"

#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "gc/cache.h"
#include "gc/cleanup_ids.h"
#include "gc/outside_list.h"
#include "heap/hooks.h"

namespace burrow::gc {
namespace {

using SpecialList = OutsideList<Special>;

constinit Mutex g_lock{LockRank::kSpecials};
// Of these two together, those whose objects were reachable when last looked at. In a cycle those
// in g_reached need no more looks. Neither has an order.
constinit SpecialList g_waiting BURROW_GUARDED_BY(g_lock);
constinit SpecialList g_reached BURROW_GUARDED_BY(g_lock);
constinit size_t g_looked_at BURROW_GUARDED_BY(g_lock) = 0;  // of g_waiting, in `note_reached`
constinit SpecialList g_due BURROW_GUARDED_BY(g_lock);
constinit size_t g_due_taken BURROW_GUARDED_BY(g_lock) = 0;
constinit SpecialList g_dead_samples BURROW_GUARDED_BY(g_lock);
constinit CleanupIds g_ids BURROW_GUARDED_BY(g_lock);

bool marked(const Special& special) {
  return next_mark(special.object()).get();
}

// Nothing that will still be marked in this cycle changes what is to be done.
bool is_settled(const Special& special) {
  return marked(special) && (special.kind != SpecialKind::kWeak ||
                             next_mark(reinterpret_cast<Address>(special.argument)).get());
}

// A cleanup that was stopped: its place in a list is to be used for another.
bool drops(const Special& special) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  bool stopped = special.kind == SpecialKind::kCleanup && g_ids.stopped(special.id);
  if (stopped) {
    g_ids.give_back(special.id);
  }
  return stopped;
}

// Splits the waiting list: those of a dead object go where they belong, the others stay.
template <typename Pred, typename Sink>
void extract(Pred wanted, Sink sink) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  size_t kept = 0;
  for (size_t i = 0; i < g_waiting.size(); ++i) {
    Special& special = g_waiting[i];
    if (!wanted(special.kind) || marked(special)) {
      g_waiting[kept++] = special;
    } else if (!drops(special)) {
      sink(special);
    }
  }
  g_waiting.resize(kept);
}

// Nobody can ask a cell that is unreachable itself, and its memory is about to be used again. After
// the objects of destructors were marked: they may hold such cells.
void drop_lost_weak() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  size_t kept = 0;
  for (size_t i = 0; i < g_waiting.size(); ++i) {
    Special& special = g_waiting[i];
    if (special.kind != SpecialKind::kWeak ||
        next_mark(reinterpret_cast<Address>(special.argument)).get()) {
      g_waiting[kept++] = special;
    }
  }
  g_waiting.resize(kept);
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
  g_waiting.push({~ref.start, function, argument, id, kind});
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
      special = g_waiting[g_waiting.size() - 1];
      g_waiting.resize(g_waiting.size() - 1);
    } else {
      ++g_looked_at;
    }
  }
  return g_looked_at < g_waiting.size();
}

void settle_specials(Marker& marker) BURROW_NO_THREAD_SAFETY_ANALYSIS {
  // Weak pointers first: a destructor must not make its object reachable through one.
  extract([](SpecialKind kind) { return kind == SpecialKind::kWeak; },
          [](const Special& special) {
            auto* cell = static_cast<std::atomic<Address>*>(special.argument);
            cell->store(0, std::memory_order_relaxed);
          });
  size_t first_due = g_due.size();
  extract(
      [](SpecialKind kind) {
        return kind == SpecialKind::kDestroy || kind == SpecialKind::kCleanup;
      },
      [](const Special& special) BURROW_NO_THREAD_SAFETY_ANALYSIS {
        g_due.push(special);
        if (special.kind == SpecialKind::kCleanup) {
          g_ids.give_back(special.id);
        }
      });
  for (size_t i = first_due; i < g_due.size(); ++i) {
    if (g_due[i].kind == SpecialKind::kDestroy) {
      marker.push(g_due[i].object());
    }
  }
  (void)marker.drain(SIZE_MAX / 2);
  drop_lost_weak();
  extract([](SpecialKind kind) { return kind == SpecialKind::kSample; },
          [](const Special& special)
              BURROW_NO_THREAD_SAFETY_ANALYSIS { g_dead_samples.push(special); });
  for (size_t i = 0; i < g_waiting.size(); ++i) {
    g_reached.push(g_waiting[i]);
  }
  g_waiting.resize(0);
  std::swap(g_waiting, g_reached);
  g_looked_at = 0;
}

void push_due_objects(Marker& marker) {
  MutexLock hold(g_lock);
  for (size_t i = g_due_taken; i < g_due.size(); ++i) {
    if (g_due[i].kind == SpecialKind::kDestroy) {
      marker.push(g_due[i].object());
    }
  }
}

void report_dead_samples() {
  const heap::ProfilerHooks* hooks = heap::profiler_hooks();
  MutexLock hold(g_lock);
  for (size_t i = 0; i < g_dead_samples.size(); ++i) {
    if (hooks != nullptr && hooks->sampled_free != nullptr) {
      // Not the object's address: its memory may be another sample already.
      hooks->sampled_free(g_dead_samples[i].argument);
    }
  }
  g_dead_samples.resize(0);
}

bool take_due(Special& special, void*& object) {
  BusyScope busy;
  MutexLock hold(g_lock);
  if (g_due_taken == g_due.size()) {
    g_due.resize(0);
    g_due_taken = 0;
    return false;
  }
  special = g_due[g_due_taken++];
  // Before the thread may be stopped again.
  object =
      special.kind == SpecialKind::kDestroy ? reinterpret_cast<void*>(special.object()) : nullptr;
  return true;
}

size_t waiting_specials() {
  BusyScope busy;
  MutexLock hold(g_lock);
  return g_waiting.size() + g_reached.size() - g_ids.stopped_count();
}

size_t due_count() {
  BusyScope busy;
  MutexLock hold(g_lock);
  return g_due.size() - g_due_taken;
}

}  // namespace burrow::gc
