// Stacks of goroutines. See goroutines.h.
#include "api/goroutines.h"

#include <algorithm>
#include <array>
#include <map>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "base/printer.h"
#include "debug/profiles.h"
#include "heap/hooks.h"
#include "heap/stats.h"
#include "os/fault.h"
#include "prof/symbolize.h"
#include "prof/unwind.h"
#include "sched/start.h"
#include "sched/traceback.h"
#include "sched/usage.h"

namespace burrow::api {
namespace {

// One line of a stack: a frame, or an address that nothing is known of.
struct Line {
  size_t index = 0;  // of the address
  const prof::Frame* frame = nullptr;
};

bool begins_with_any(std::string_view text, std::span<const std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view b) { return text.starts_with(b); });
}

// Between the user's function and the switch to another goroutine.
bool is_inner(const Line& line) {
  constexpr std::array<std::string_view, 3> kInner = {
      "burrow::sched::", "burrow::arch::", "burrow_switch_context"};
  return line.frame != nullptr && begins_with_any(line.frame->function, kInner);
}

// What begins a goroutine, and calls the user's function.
bool is_outer(const Line& line) {
  constexpr std::array<std::string_view, 3> kOuter = {
      "burrow::sched::", "burrow::internal::", "burrow_stack_entry"};
  constexpr std::array<std::string_view, 4> kFiles = {"/burrow/go.h", "/bits/invoke.h",
                                                      "/functional", "/tuple"};
  if (line.frame == nullptr) {
    return false;
  }
  std::string_view file = line.frame->file;
  return begins_with_any(line.frame->function, kOuter) ||
         std::ranges::any_of(kFiles, [&](std::string_view f) { return file.ends_with(f); });
}

// `go`, and what calls it for the user.
bool is_starter(const prof::Frame& frame) {
  constexpr std::array<std::string_view, 2> kStarters = {"burrow::go", "burrow::WaitGroup::go"};
  return std::ranges::find(kStarters, frame.function) != kStarters.end();
}

// The C++ runtime's frames after a throw that nobody catches.
size_t after_throw(std::span<const Line> lines) {
  constexpr size_t kAtMost = 10;
  for (size_t i = 0; i < std::min(lines.size(), kAtMost); ++i) {
    const prof::Frame* f = lines[i].frame;
    if (f != nullptr && (f->function == "__cxa_throw" || f->function == "__cxa_rethrow")) {
      return i + 1;
    }
  }
  return 0;
}

// The user's part of a stack.
std::vector<Line> user_lines(std::span<const uintptr_t> stack, const prof::Symbols& symbols) {
  std::vector<Line> lines;
  for (size_t i = 0; i < stack.size(); ++i) {
    const std::vector<prof::Frame>& frames = symbols.at(stack[i]);
    if (frames.empty()) {
      lines.push_back({i, nullptr});
    }
    for (const prof::Frame& frame : frames) {
      lines.push_back({i, &frame});
    }
  }
  size_t begin = 0;
  while (begin < lines.size() && is_inner(lines[begin])) {
    ++begin;
  }
  begin += after_throw(std::span(lines).subspan(begin));
  size_t end = lines.size();
  while (end > begin && is_outer(lines[end - 1])) {
    --end;
  }
  return {lines.begin() + static_cast<ptrdiff_t>(begin),
          lines.begin() + static_cast<ptrdiff_t>(end)};
}

// Nothing is thrown into the scheduler, which walks over its goroutines meanwhile: what there is no
// memory to name is printed as addresses.
void print_addresses(std::span<const uintptr_t> pcs, const sched::Sink& write) {
  for (uintptr_t pc : pcs) {
    FixedPrinter<512> address;
    os::print_code_address(address, pc);
    address << '\n';
    write(address.text());
  }
}

std::string frames_text(std::span<const uintptr_t> pcs) {
  prof::Symbols symbols;
  symbols.add(pcs);
  symbols.resolve();
  std::string out;
  for (const Line& line : user_lines(pcs, symbols)) {
    if (line.frame == nullptr) {
      FixedPrinter<512> address;
      os::print_code_address(address, pcs[line.index]);
      out += std::string(address.text()) + "\n";
      continue;
    }
    out += line.frame->function + "\n";
    if (!line.frame->file.empty()) {
      out += "\t" + line.frame->file + ":" + std::to_string(line.frame->line) + "\n";
    }
  }
  return out;
}

void print_frames(std::span<const uintptr_t> pcs, const sched::Sink& write) {
  try {
    write(frames_text(pcs));
  } catch (const std::bad_alloc&) {
    print_addresses(pcs, write);
  }
}

// Of a place where `go` was called, which is inlined there: the user's function and line.
std::string caller_text(uintptr_t pc) {
  std::vector<prof::Frame> frames = std::move(prof::symbolize(std::span(&pc, 1))[0]);
  auto user = std::ranges::find_if(
      frames, [](const prof::Frame& f) { return !is_outer({0, &f}) && !is_starter(f); });
  if (user == frames.end()) {
    FixedPrinter<512> address;
    os::print_code_address(address, pc);
    return std::string(address.text()) + "\n";
  }
  std::string out = user->function + "\n";
  if (!user->file.empty()) {
    out += "\t" + user->file + ":" + std::to_string(user->line) + "\n";
  }
  return out;
}

void print_caller(uintptr_t pc, const sched::Sink& write) {
  try {
    write(caller_text(pc));
  } catch (const std::bad_alloc&) {
    print_addresses(std::span(&pc, 1), write);
  }
}

size_t walk(const arch::StackTop& top, std::span<uintptr_t> pcs) {
  return prof::walk_stack({top.pc, top.sp, top.rbp}, pcs);
}

debug::Snapshot take_goroutines() {
  return {{}, goroutine_records()};
}

// As Go's: 1 counts stacks, 2 is what a panic prints.
std::string write_text(const debug::Profile& self, const debug::Snapshot& snapshot, int64_t debug) {
  return debug >= 2 ? goroutines_text() : debug::write_counts_text(self, snapshot, debug);
}

constinit const debug::Profile kGoroutineProfile = {
    .name = "goroutine",
    .description = "Stacks of all goroutines; debug=2 prints each with its state.",
    .take = take_goroutines,
    .size = debug::count_size,
    .write_pprof = debug::write_counts,
    .write_text = write_text,
    .subtract = debug::subtract_counts,
};

void add_stack_figures(heap::HeapStats& stats) {
  sched::StackUsage usage = sched::usage_of_all();
  stats.stack_inuse = usage.live;
  stats.stack_sys = usage.committed;
  stats.sys += usage.committed;
}

__attribute__((constructor)) void install() {
  heap::install_stack_figures(add_stack_figures);
  debug::register_profile(kGoroutineProfile);
  sched::set_trace_hooks(
      {.walk = walk, .print_frames = print_frames, .print_caller = print_caller});
}

}  // namespace

std::vector<prof::CountRecord> goroutine_records() {
  struct {
    std::map<std::vector<uintptr_t>, int64_t> counts;
    bool out_of_memory = false;
  } all;

  sched::for_each_goroutine(
      [](const sched::GoroutineInfo& info, void* raw) {
        auto& seen = *static_cast<decltype(all)*>(raw);
        try {
          ++seen.counts[std::vector<uintptr_t>(info.pcs, info.pcs + info.depth)];
        } catch (const std::bad_alloc&) {
          seen.out_of_memory = true;
        }
      },
      &all);
  if (all.out_of_memory) {
    throw std::bad_alloc();
  }
  prof::Symbols symbols;
  for (const auto& [stack, count] : all.counts) {
    symbols.add(stack);
  }
  symbols.resolve();
  std::vector<prof::CountRecord> records;
  for (const auto& [stack, count] : all.counts) {
    std::vector<uintptr_t> shown;
    for (const Line& line : user_lines(stack, symbols)) {
      if (shown.empty() || shown.back() != stack[line.index]) {
        shown.push_back(stack[line.index]);
      }
    }
    records.push_back({std::move(shown), count});
  }
  return records;
}

std::string goroutines_text() {
  struct {
    std::string text;
    bool out_of_memory = false;
  } all;

  sched::print_all_goroutines({}, {[](std::string_view part, void* raw) {
                                     auto& so_far = *static_cast<decltype(all)*>(raw);
                                     try {
                                       so_far.text.append(part);
                                     } catch (const std::bad_alloc&) {
                                       so_far.out_of_memory = true;
                                     }
                                   },
                                   &all});
  if (all.out_of_memory) {
    throw std::bad_alloc();
  }
  return std::move(all.text);
}

}  // namespace burrow::api
