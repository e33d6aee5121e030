// Go's runtime.MemStats, as JSON and as comments. See memstats.h.
#include "debug/memstats.h"

#include <array>
#include <span>

namespace burrow::debug {
namespace {

struct Field {
  const char* name;
  uint64_t heap::HeapStats::* value;
};

using S = heap::HeapStats;

constexpr std::array<Field, 24> kFields = {{
    {"Alloc", &S::alloc},
    {"TotalAlloc", &S::total_alloc},
    {"Sys", &S::sys},
    {"Lookups", &S::lookups},
    {"Mallocs", &S::mallocs},
    {"Frees", &S::frees},
    {"HeapAlloc", &S::heap_alloc},
    {"HeapSys", &S::heap_sys},
    {"HeapIdle", &S::heap_idle},
    {"HeapInuse", &S::heap_inuse},
    {"HeapReleased", &S::heap_released},
    {"HeapObjects", &S::heap_objects},
    {"StackInuse", &S::stack_inuse},
    {"StackSys", &S::stack_sys},
    {"MSpanInuse", &S::mspan_inuse},
    {"MSpanSys", &S::mspan_sys},
    {"MCacheInuse", &S::mcache_inuse},
    {"MCacheSys", &S::mcache_sys},
    {"BuckHashSys", &S::buck_hash_sys},
    {"GCSys", &S::gc_sys},
    {"OtherSys", &S::other_sys},
    {"NextGC", &S::next_gc},
    {"LastGC", &S::last_gc},
    {"PauseTotalNs", &S::pause_total_ns},
}};

std::string list(std::span<const uint64_t> values, const char* separator) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    out += std::string(i == 0 ? "" : separator) + std::to_string(values[i]);
  }
  return out + "]";
}

std::string by_size_json(const heap::HeapStats& s) {
  std::string out = "[";
  for (size_t i = 0; i < s.by_size_count; ++i) {
    const heap::BySize& line = s.by_size[i];
    out += std::string(i == 0 ? "" : ",") + "{\"Size\":" + std::to_string(line.size) +
           ",\"Mallocs\":" + std::to_string(line.mallocs) +
           ",\"Frees\":" + std::to_string(line.frees) + "}";
  }
  return out + "]";
}

std::string comment(std::string_view name, const std::string& value) {
  return "# " + std::string(name) + " = " + value + "\n";
}

std::string pair_comment(std::string_view name, uint64_t inuse, uint64_t sys) {
  return comment(name, std::to_string(inuse) + " / " + std::to_string(sys));
}

std::string plain_comments(const heap::HeapStats& s, std::span<const Field> fields) {
  std::string out;
  for (const Field& f : fields) {
    out += comment(f.name, std::to_string(s.*f.value));
  }
  return out;
}

}  // namespace

std::string memstats_json(const heap::HeapStats& s) {
  std::string out = "{";
  for (const Field& f : kFields) {
    out += "\"" + std::string(f.name) + "\":" + std::to_string(s.*f.value) + ",";
  }
  out += "\"PauseNs\":" + list(s.pause_ns, ",") + ",\"PauseEnd\":" + list(s.pause_end_ns, ",");
  out += ",\"NumGC\":" + std::to_string(s.num_gc);
  out += ",\"NumForcedGC\":" + std::to_string(s.num_forced_gc);
  out += ",\"GCCPUFraction\":" + readable_fraction(s.gc_cpu_fraction);
  out += std::string(",\"EnableGC\":") + (s.enable_gc ? "true" : "false");
  return out + ",\"DebugGC\":false" + ",\"BySize\":" + by_size_json(s) + "}\n";
}

std::string memstats_comments(const heap::HeapStats& s) {
  std::span fields(kFields);
  std::string out = "\n# runtime.MemStats\n";
  out += plain_comments(s, fields.subspan(0, 12));
  out += pair_comment("Stack", s.stack_inuse, s.stack_sys);
  out += pair_comment("MSpan", s.mspan_inuse, s.mspan_sys);
  out += pair_comment("MCache", s.mcache_inuse, s.mcache_sys);
  out += plain_comments(s, fields.subspan(18, 5));
  out += comment("PauseNs", list(s.pause_ns, " ")) + comment("PauseEnd", list(s.pause_end_ns, " "));
  out += comment("NumGC", std::to_string(s.num_gc));
  out += comment("NumForcedGC", std::to_string(s.num_forced_gc));
  out += comment("GCCPUFraction", readable_fraction(s.gc_cpu_fraction));
  out += comment("DebugGC", "false");
  return out + comment("MaxRSS", std::to_string(max_rss_bytes()));
}

}  // namespace burrow::debug
