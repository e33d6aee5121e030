// The page at /debug/pprof/. See index.h.
#include "debug/index.h"

#include <algorithm>

#include "debug/figures.h"
#include "debug/profiles.h"
#include "debug/ui/pages.h"
#include "os/os.h"
#include "os/thread.h"
#include "prof/prof.h"

namespace burrow::debug {
namespace {

struct Context {
  std::string_view host;
  heap::HeapStats stats;
};

constexpr std::string_view kRow =
    "</td><td><a href=\"{{name}}?debug=1\">{{name}}</a></td><td>{{description}}</td>"
    "<td><a href=\"{{name}}\" download=\"{{name}}.pb.gz\">download</a></td></tr>\n";

std::string profile_value(std::string_view name, void* argument) {
  const auto& profile = *static_cast<const Profile*>(argument);
  return escape_html(name == "name" ? profile.name : profile.description);
}

std::string profile_rows() {
  std::string out;
  for (const Profile* p : all_profiles()) {
    out += "<tr><td class=\"n\">";
    out += std::to_string(p->size(p->take()));
    out += fill_page(kRow, profile_value, const_cast<Profile*>(p));
  }
  return out;
}

std::string figure_row(const char* what, const std::string& value, const char* meaning) {
  return std::string("<tr><td>") + what + "</td><td class=\"n\">" + value + "</td><td>" + meaning +
         "</td></tr>\n";
}

std::string figure_rows(const heap::HeapStats& s) {
  std::string limit = s.memory_limit == UINT64_MAX ? "none" : readable_bytes(s.memory_limit);
  return figure_row("Live", readable_bytes(s.heap_alloc), "bytes of objects not yet freed") +
         figure_row("Objects", std::to_string(s.heap_objects), "their number") +
         figure_row("From the system", readable_bytes(s.sys - s.heap_released),
                    "held now for the heap and its tables") +
         figure_row("Free pages", readable_bytes(s.heap_idle - s.heap_released),
                    "of these, kept for reuse") +
         figure_row("Peak", readable_bytes(s.peak_committed), "the most the heap has held") +
         figure_row("Limit", limit, "set by BURROW_MEMLIMIT") +
         figure_row("Ever allocated", readable_bytes(s.total_alloc), "freed objects included") +
         figure_row("mallocs", std::to_string(s.mallocs), "objects ever allocated") +
         figure_row("frees", std::to_string(s.frees), "objects ever freed") +
         figure_row("Threads", std::to_string(os::process_threads()), "of the process") +
         figure_row("Peak resident", readable_bytes(max_rss_bytes()), "of the whole process");
}

std::string rate_text() {
  int64_t rate = prof::rate();
  if (rate == 0) {
    return "Sampling is off (BURROW_PROFRATE=0): profiles are empty.";
  }
  if (rate == 1) {
    return "Every allocation is recorded (BURROW_PROFRATE=1).";
  }
  return "One sample for every " + readable_bytes(static_cast<size_t>(rate)) +
         " allocated, on average; profiles show estimates made from them.";
}

std::string value_of(std::string_view name, void* argument) {
  const auto& context = *static_cast<const Context*>(argument);
  if (name == "program") {
    return escape_html(program_name());
  }
  if (name == "pid") {
    return std::to_string(os::process_id());
  }
  if (name == "host") {
    return escape_html(context.host.empty() ? "localhost" : context.host);
  }
  if (name == "profiles") {
    return profile_rows();
  }
  if (name == "figures") {
    return figure_rows(context.stats);
  }
  return name == "rate" ? rate_text() : std::string();
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string fill_page(std::string_view page,
                      std::string (*value)(std::string_view name, void* argument), void* argument) {
  std::string out;
  for (;;) {
    size_t start = page.find("{{");
    size_t end = start == std::string_view::npos ? start : page.find("}}", start);
    if (end == std::string_view::npos) {
      return out.append(page);
    }
    out.append(page.substr(0, start));
    out += value(page.substr(start + 2, end - start - 2), argument);
    page.remove_prefix(end + 2);
  }
}

std::string index_page(std::string_view host) {
  Context context{host, read_figures()};
  return fill_page(kIndexPage, value_of, &context);
}

}  // namespace burrow::debug
