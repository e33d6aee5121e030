// Figures for Prometheus. See metrics.h.
#include "debug/metrics.h"

#include <array>
#include <string_view>

namespace burrow::debug {
namespace {

using S = heap::HeapStats;

struct Metric {
  std::string_view name;  ///< behind "go_memstats_"
  uint64_t S::* value;
  std::string_view help;

  [[nodiscard]] bool is_counter() const { return name.ends_with("_total"); }
};

// In the order of their names, as client_golang writes them.
constexpr std::array kMetrics = {
    Metric{"alloc_bytes", &S::alloc, "Bytes of live objects."},
    Metric{"alloc_bytes_total", &S::total_alloc, "Bytes ever allocated, freed ones included."},
    Metric{"buck_hash_sys_bytes", &S::buck_hash_sys, "Bytes of the profiler's tables."},
    Metric{"frees_total", &S::frees, "Objects ever freed."},
    Metric{"gc_sys_bytes", &S::gc_sys, "Bytes of the collector's bookkeeping."},
    Metric{"heap_alloc_bytes", &S::heap_alloc, "Bytes of live objects in the heap."},
    Metric{"heap_idle_bytes", &S::heap_idle, "Bytes in free pages of the heap."},
    Metric{"heap_inuse_bytes", &S::heap_inuse, "Bytes in pages of the heap that hold objects."},
    Metric{"heap_objects", &S::heap_objects, "Live objects."},
    Metric{"heap_released_bytes", &S::heap_released, "Bytes of free pages returned to the system."},
    Metric{"heap_sys_bytes", &S::heap_sys, "Bytes of the heap obtained from the system."},
    Metric{"lookups_total", &S::lookups, "Pointer lookups; always 0."},
    Metric{"mallocs_total", &S::mallocs, "Objects ever allocated."},
    Metric{"mcache_inuse_bytes", &S::mcache_inuse, "Bytes of thread caches in use."},
    Metric{"mcache_sys_bytes", &S::mcache_sys, "Bytes obtained from the system for thread caches."},
    Metric{"mspan_inuse_bytes", &S::mspan_inuse, "Bytes of span descriptors in use."},
    Metric{"mspan_sys_bytes", &S::mspan_sys,
           "Bytes obtained from the system for span descriptors."},
    Metric{"next_gc_bytes", &S::next_gc, "Heap size at which the next collection starts."},
    Metric{"other_sys_bytes", &S::other_sys, "Bytes of the heap's page tables."},
    Metric{"stack_inuse_bytes", &S::stack_inuse, "Bytes of goroutine stacks in use."},
    Metric{"stack_sys_bytes", &S::stack_sys,
           "Bytes obtained from the system for goroutine stacks."},
    Metric{"sys_bytes", &S::sys, "Bytes obtained from the system for all purposes."},
};

std::string metric(std::string_view name, std::string_view type, std::string_view help,
                   const std::string& value) {
  std::string n(name);
  return "# HELP " + n + " " + std::string(help) + "\n# TYPE " + n + " " + std::string(type) +
         "\n" + n + " " + value + "\n";
}

std::string gauge(std::string_view name, std::string_view help, const std::string& value) {
  return metric(name, "gauge", help, value);
}

}  // namespace

std::string metrics_text(const heap::HeapStats& stats, size_t threads) {
  std::string out;
  for (const Metric& m : kMetrics) {
    if (m.name == "gc_sys_bytes") {
      out += gauge("go_memstats_gc_cpu_fraction", "Share of the CPU time used by the collector.",
                   readable_fraction(stats.gc_cpu_fraction));
    }
    if (m.name == "lookups_total") {
      out +=
          gauge("go_memstats_last_gc_time_seconds", "When the last collection ended, since 1970.",
                readable_fraction(static_cast<double>(stats.last_gc) / 1e9));
    }
    out += metric("go_memstats_" + std::string(m.name), m.is_counter() ? "counter" : "gauge",
                  m.help, std::to_string(stats.*m.value));
  }
  return out + gauge("go_threads", "Threads of the process.", std::to_string(threads));
}

}  // namespace burrow::debug
