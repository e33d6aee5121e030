// Stacks of the calling thread. See unwind.h, and prof.h for the ways there are.
#include "prof/unwind.h"

#include <link.h>
#include <sys/auxv.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "base/annotations.h"
#include "base/check.h"
#include "base/printer.h"
#include "os/os.h"
#include "os/thread.h"
#include "prof/cfi.h"
#include "prof/code_modules.h"
#include "prof/last_walk.h"
#include "prof/row_memo.h"

extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start;
extern "C" __attribute__((visibility("hidden"))) const char etext;
// Of libgcc, which declares it in no header that it installs.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" const void* _Unwind_Find_FDE(void* address, void* bases);

namespace burrow::prof {
namespace {

BURROW_NO_ROOTS constinit RowMemo g_memo;
// BURROW_DEBUG=unwindcheck=1. Written before there are threads.
constinit bool g_check = false;
// Relaxed: figures.
constinit std::atomic<uint64_t> g_by_rows{0};
constinit std::atomic<uint64_t> g_again{0};
constinit std::atomic<uint64_t> g_by_libgcc{0};

constinit thread_local bool t_inside = false;

uintptr_t word_at(uintptr_t address) {
  uintptr_t word = 0;  // aligned unless a row is wrong
  std::memcpy(&word, reinterpret_cast<const void*>(address), sizeof word);
  return word;
}

// A frame: the values after the return into it.
using Registers = StackPlace;

// The last walks of some threads, by the ends of their stacks.
constexpr int kLastWalkBits = 3;
BURROW_NO_ROOTS constinit std::array<LastWalk, 1 << kLastWalkBits> g_last_walks;

// The stack as it is being collected.
struct Walk {
  std::span<uintptr_t> pcs;
  uintptr_t first_sp = 0;
  size_t count = 0;

  [[nodiscard]] bool full() const { return count == pcs.size(); }

  void store(uintptr_t pc) {
    if ((count != 0 || !is_own_code(pc)) && !full()) {
      pcs[count++] = pc - 1;
    }
  }
};

_Unwind_Reason_Code on_frame(_Unwind_Context* context, void* raw) {
  auto& walk = *static_cast<Walk*>(raw);
  auto pc = static_cast<uintptr_t>(_Unwind_GetIP(context));
  if (pc == 0) {
    return _URC_END_OF_STACK;
  }
  // Frames below the start are the unwinder's callers.
  if (static_cast<uintptr_t>(_Unwind_GetCFA(context)) >= walk.first_sp) {
    walk.store(pc);
  }
  return walk.full() ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/// Whether libgcc finds its tables. A static program of g++ hands them in by a constructor, which
/// runs after the first allocations; libgcc aborts before.
bool libgcc_is_ready() {
  static constinit std::atomic<bool> ready{false};
  if (!ready.load(std::memory_order_relaxed)) {  // relaxed: it only ever becomes true
    std::array<void*, 3> bases{};
    if (_Unwind_Find_FDE(reinterpret_cast<void*>(&libgcc_is_ready), bases.data()) == nullptr) {
      return false;
    }
    ready.store(true, std::memory_order_relaxed);
  }
  return true;
}

size_t walk_by_libgcc(std::span<uintptr_t> pcs, const Registers& start) {
  if (!libgcc_is_ready()) {
    return 0;
  }
  Walk walk{pcs, start.sp};
  _Unwind_Backtrace(on_frame, &walk);
  return walk.count;
}

// The objects met on one walk, so that each is looked up and checked once in it.
class ModulesOfWalk {
 public:
  // Null when no object is there. The object stays where it is until the next call.
  const CodeModule* find(uintptr_t address) {
    if (const CodeModule* permanent = find_permanent_module(address); permanent != nullptr) {
      return permanent;
    }
    for (size_t i = 0; i < count_; ++i) {
      if (modules_[i].contains(address)) {
        return &modules_[i];
      }
    }
    CodeModule& place = modules_[count_ < modules_.size() ? count_ : next_++ % modules_.size()];
    if (!find_code_module(address, g_memo, place)) {
      place = {};
      return nullptr;
    }
    addresses_[count_ < modules_.size() ? count_ : 0] = address;
    all_lasting_ = all_lasting_ && place.lasting && count_ < modules_.size();
    count_ += count_ < modules_.size() ? 1 : 0;
    return &place;
  }

  // Whether an object was met that may be unloaded unnoticed, or more of them than are kept here.
  [[nodiscard]] bool all_lasting() const { return all_lasting_; }

  // Those that are not permanent.
  [[nodiscard]] std::span<const CodeModule> found() const { return {modules_.data(), count_}; }

  // An address of the walk in `found()[i]`.
  [[nodiscard]] uintptr_t address_in(size_t i) const { return addresses_[i]; }

 private:
  std::array<CodeModule, 8> modules_;  // `count_` of them are set
  std::array<uintptr_t, 8> addresses_;
  size_t count_ = 0;
  size_t next_ = 0;
  bool all_lasting_ = true;
};

// The row at a return address in `module`, from the memo or worked out.
BURROW_NOINLINE PackedRow row_in(const CodeModule& module, uintptr_t pc) {
  PackedRow row = module.lasting ? g_memo.find(pc) : kMissingRow;
  if (row == kMissingRow) {
    row = pack(find_row(module.eh_frame_hdr, pc));
    if (module.lasting) {
      g_memo.add(pc, row);
    }
  }
  return row;
}

// Goes to the caller's frame; false when the row cannot be followed inside [at.sp, end).
// Notes in `last`, if there is one, what it read. REQUIRES: `row` is not special.
BURROW_ALWAYS_INLINE bool step(Registers& at, PackedRow row, uintptr_t end, LastWalk* last) {
  uintptr_t cfa = packed_base_is_rsp(row) ? at.sp : at.rbp;
  cfa += static_cast<uintptr_t>(packed_offset(row));
  if (BURROW_UNLIKELY(cfa <= at.sp || cfa > end)) {
    return false;
  }
  at.pc = word_at(cfa - 8);
  LastWalk::Step read{cfa - 8, at.pc, cfa - 8, at.pc};
  if (uint64_t below = packed_rbp_below(row)) {
    if (BURROW_UNLIKELY(cfa - below < at.sp)) {
      return false;
    }
    read.rbp_at = cfa - below;
    at.rbp = read.rbp = word_at(cfa - below);
  }
  at.sp = cfa;
  if (last != nullptr) {
    last->add(read);
  }
  return true;
}

// The same for Cfa::kAtRbp.
BURROW_NOINLINE bool step_at_rbp(Registers& at, const UnwindRow& row, uintptr_t end) {
  auto readable = [&](uintptr_t address) { return address >= at.sp && address < end; };
  uintptr_t place = at.rbp + static_cast<uintptr_t>(int64_t{row.cfa_offset});
  if (row.cfa != UnwindRow::Cfa::kAtRbp || !readable(place) || !readable(word_at(place) - 8)) {
    return false;
  }
  uintptr_t cfa = word_at(place);
  if (row.rbp != UnwindRow::Rbp::kSame) {
    uintptr_t saved = row.rbp == UnwindRow::Rbp::kAtRbp
                          ? at.rbp
                          : cfa + static_cast<uintptr_t>(int64_t{row.rbp_offset});
    if (!readable(saved)) {
      return false;
    }
    at.rbp = word_at(saved);
  }
  at.pc = word_at(cfa - 8);
  at.sp = cfa;
  return true;
}

struct RowWalk {
  size_t count = 0;
  bool complete = false;  // false: a frame needs libgcc, which can only walk the whole
  bool odd = false;       // a frame took more than `step`
};

// Notes in `last`, if there is one, what it reads. REQUIRES: `pcs` is not empty, `end` not 0.
BURROW_NOINLINE RowWalk walk_by_rows(std::span<uintptr_t> pcs, const Registers& start,
                                     uintptr_t end, ModulesOfWalk& modules, LastWalk* last) {
  Registers at = start;
  bool odd = false;
  // Where rows of the memo may be used: the object of the frame before, if it is lasting.
  uintptr_t known_start = 0;
  uintptr_t known_bytes = 0;
  size_t count = 0;
  while (true) {
    uintptr_t call = at.pc - 1;
    PackedRow row = call - known_start < known_bytes ? g_memo.find(at.pc) : kMissingRow;
    if (BURROW_UNLIKELY(row == kMissingRow)) {
      const CodeModule* module = at.pc != 0 ? modules.find(call) : nullptr;
      if (module == nullptr) {
        return {count, at.pc == 0, odd};
      }
      known_start = module->start;
      known_bytes = module->lasting ? module->limit - module->start : 0;
      row = known_bytes != 0 ? g_memo.find(at.pc) : kMissingRow;
      if (BURROW_UNLIKELY(row == kMissingRow)) {
        row = row_in(*module, at.pc);
      }
    }
    pcs[count] = call;
    if (count != 0 || !is_own_code(at.pc)) {
      if (++count == pcs.size()) {
        return {count, true, odd};
      }
    }
    if (BURROW_LIKELY((row & kSpecialRow) == 0)) {
      if (!step(at, row, end, last)) {
        return {count, false};
      }
      continue;
    }
    UnwindRow special = unpack(row);
    if (special.cfa == UnwindRow::Cfa::kOutermost) {
      return {count, true, odd};
    }
    odd = true;
    if (!step_at_rbp(at, special, end)) {
      return {count, false};
    }
  }
}

// The calling thread's stack by rows, or as it was the last time.
RowWalk walk_own_stack(std::span<uintptr_t> pcs, const Registers& start) {
  uintptr_t end = os::stack_end(start.sp);
  if (end == 0) {
    return {};
  }
  ModulesOfWalk modules;
  LastWalk& last = g_last_walks[(end * 0x9E3779B97F4A7C15) >> (64 - kLastWalkBits)];
  if (!last.try_hold()) {
    return walk_by_rows(pcs, start, end, modules, nullptr);
  }
  RowWalk walk;
  if (auto again = last.again(start, end, pcs.size(), g_memo); !again.empty()) {
    std::copy(again.begin(), again.end(), pcs.begin());
    walk = {again.size(), true};
    if (BURROW_UNLIKELY(g_check)) {
      g_again.fetch_add(1, std::memory_order_relaxed);
    }
  } else {
    last.begin(start, end, pcs.size(), g_memo);
    walk = walk_by_rows(pcs, start, end, modules, &last);
    for (size_t i = 0; i < modules.found().size(); ++i) {
      last.add_module(modules.found()[i], modules.address_in(i));
    }
    if (walk.complete && !walk.odd && modules.all_lasting()) {
      last.finish(pcs.first(walk.count), g_memo);
    }
  }
  last.let_go();
  return walk;
}

void check_against_libgcc(std::span<const uintptr_t> found, size_t capacity,
                          const Registers& start) {
  std::array<uintptr_t, kMaxDepth> buffer;
  std::span<uintptr_t> expected(buffer.data(), std::min(capacity, buffer.size()));
  expected = expected.first(walk_by_libgcc(expected, start));
  for (size_t i = 0; i < std::max(found.size(), expected.size()); ++i) {
    uintptr_t ours = i < found.size() ? found[i] : 0;
    uintptr_t theirs = i < expected.size() ? expected[i] : 0;
    if (ours != theirs) {
      fatal("unwindcheck: frame ", i, " of ", expected.size(), " is ", Hex(ours), " by rows, ",
            Hex(theirs), " by libgcc; the frame inside it is ", Hex(i > 0 ? found[i - 1] : 0));
    }
  }
}

__attribute__((destructor)) void print_counts() {
  if (g_check) {
    WalkCounts counts = walk_counts();
    FixedPrinter<256> out;
    out << "burrow: unwindcheck: " << counts.by_rows << " walks by rows (" << counts.again
        << " as before), " << counts.by_libgcc << " by libgcc\n";
    out.write_to(2);
  }
}

}  // namespace

WalkCounts walk_counts() {
  return {g_by_rows.load(std::memory_order_relaxed), g_again.load(std::memory_order_relaxed),
          g_by_libgcc.load(std::memory_order_relaxed)};
}

RowMemo& UnwindTestPeer::memo() {
  return g_memo;
}

bool is_own_code(uintptr_t pc) {
  // Linked into the program itself, own code cannot be told by its address: names do it then.
  static const bool own_library =
      reinterpret_cast<uintptr_t>(&__ehdr_start) + sizeof(ElfW(Ehdr)) != getauxval(AT_PHDR);
  return own_library && pc >= reinterpret_cast<uintptr_t>(&__ehdr_start) &&
         pc < reinterpret_cast<uintptr_t>(&etext);
}

BURROW_NOINLINE size_t capture_stack(std::span<uintptr_t> pcs) {
  if (t_inside) {
    return 0;
  }
  t_inside = true;
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  Registers caller{word_at(frame + 8), frame + 16, word_at(frame)};
  RowWalk rows = code_modules_work() ? walk_own_stack(pcs, caller) : RowWalk{};
  size_t n = rows.complete ? rows.count : 0;
  if (BURROW_UNLIKELY(g_check)) {
    (n != 0 ? g_by_rows : g_by_libgcc).fetch_add(1, std::memory_order_relaxed);
    if (n != 0) {
      check_against_libgcc(pcs.first(n), pcs.size(), caller);
    }
  }
  if (n == 0) {
    n = walk_by_libgcc(pcs, caller);
  }
  t_inside = false;
  return n;
}

void reset_walks_after_fork() {
  for (LastWalk& last : g_last_walks) {
    last.reset_after_fork();
  }
}

size_t walk_stack(const StackPlace& from, std::span<uintptr_t> pcs) {
  if (!code_modules_work() || pcs.empty()) {
    return 0;
  }
  uintptr_t end = os::stack_end(from.sp);
  ModulesOfWalk modules;
  return end == 0 ? 0 : walk_by_rows(pcs, from, end, modules, nullptr).count;
}

void prime_unwinder() {
  note_permanent_modules();
  g_check = os::debug_option("unwindcheck") == "1";
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  std::array<uintptr_t, kMaxDepth> pcs{};
  (void)walk_by_libgcc(pcs, {0, frame, 0});
}

}  // namespace burrow::prof
