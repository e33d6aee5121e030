// Stacks of the calling thread. See unwind.h, and prof.h for the ways there are.
#include "prof/unwind.h"

#include <link.h>
#include <sys/auxv.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "base/annotations.h"
#include "base/check.h"
#include "base/printer.h"
#include "os/os.h"
#include "os/thread.h"
#include "prof/cfi.h"
#include "prof/code_modules.h"
#include "prof/row_memo.h"

extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start;
extern "C" __attribute__((visibility("hidden"))) const char etext;

namespace burrow::prof {
namespace {

constinit RowMemo g_memo;
// BURROW_DEBUG=unwindcheck=1. Written before there are threads.
constinit bool g_check = false;
// Relaxed: figures.
constinit std::atomic<uint64_t> g_by_rows{0};
constinit std::atomic<uint64_t> g_by_libgcc{0};

constinit thread_local bool t_inside = false;

// The frame that a walk starts from: the values after the return from it.
struct Registers {
  uintptr_t pc = 0;
  uintptr_t sp = 0;
  uintptr_t rbp = 0;
};

uintptr_t word_at(uintptr_t address) {
  return *reinterpret_cast<const uintptr_t*>(address);
}

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

size_t walk_by_libgcc(std::span<uintptr_t> pcs, const Registers& start) {
  Walk walk{pcs, start.sp};
  _Unwind_Backtrace(on_frame, &walk);
  return walk.count;
}

// The objects met on one walk, so that each is looked up and checked once in it.
class ModulesOfWalk {
 public:
  // Null when no object is there.
  const CodeModule* find(uintptr_t address) {
    if (modules_[last_].contains(address)) {
      return &modules_[last_];
    }
    for (size_t i = 0; i < count_; ++i) {
      if (modules_[i].contains(address)) {
        last_ = i;
        return &modules_[i];
      }
    }
    last_ = count_ < modules_.size() ? count_++ : (last_ + 1) % modules_.size();
    modules_[last_] = {};
    return find_code_module(address, g_memo, modules_[last_]) ? &modules_[last_] : nullptr;
  }

 private:
  std::array<CodeModule, 8> modules_{};
  size_t count_ = 0;
  size_t last_ = 0;
};

BURROW_NOINLINE PackedRow work_out_row(const CodeModule& module, uintptr_t pc) {
  PackedRow row = pack(find_row(module.eh_frame_hdr, pc));
  if (module.lasting) {
    g_memo.add(pc, row);
  }
  return row;
}

// Goes to the caller's frame; false when the row cannot be followed inside [sp, end).
BURROW_ALWAYS_INLINE bool step(Registers& at, const UnwindRow& row, uintptr_t end) {
  uintptr_t cfa = at.rbp;
  if (row.cfa == UnwindRow::Cfa::kRsp) {
    cfa = at.sp;
  }
  cfa += static_cast<uintptr_t>(int64_t{row.cfa_offset});
  auto readable = [&](uintptr_t address) {
    return address - at.sp < end - at.sp && address % 8 == 0;
  };
  if (row.cfa == UnwindRow::Cfa::kAtRbp) {
    if (!readable(cfa)) {
      return false;
    }
    cfa = word_at(cfa);
  }
  if (!readable(cfa - 8)) {
    return false;
  }
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

// 0 when a frame needs libgcc: then the whole walk is its.
size_t walk_by_rows(std::span<uintptr_t> pcs, const Registers& start) {
  uintptr_t end = os::stack_end(start.sp);
  if (end == 0) {
    return 0;
  }
  Registers at = start;
  Walk walk{pcs};
  ModulesOfWalk modules;
  while (at.pc != 0) {
    walk.store(at.pc);
    if (walk.full()) {
      break;
    }
    const CodeModule* module = modules.find(at.pc - 1);
    if (module == nullptr) {
      return 0;
    }
    PackedRow packed = module->lasting ? g_memo.find(at.pc) : 0;
    if (packed == 0) {
      packed = work_out_row(*module, at.pc);
    }
    UnwindRow row = unpack(packed);
    if (row.cfa == UnwindRow::Cfa::kOutermost) {
      break;
    }
    if (row.cfa == UnwindRow::Cfa::kNeedsLibgcc || !step(at, row, end)) {
      return 0;
    }
  }
  return walk.count;
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
    out << "burrow: unwindcheck: " << counts.by_rows << " walks by rows, " << counts.by_libgcc
        << " by libgcc\n";
    out.write_to(2);
  }
}

}  // namespace

WalkCounts walk_counts() {
  return {g_by_rows.load(std::memory_order_relaxed), g_by_libgcc.load(std::memory_order_relaxed)};
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
  size_t n = code_modules_work() ? walk_by_rows(pcs, caller) : 0;
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

void prime_unwinder() {
  note_permanent_modules();
  g_check = os::debug_option("unwindcheck") == "1";
  auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  std::array<uintptr_t, kMaxDepth> pcs{};
  (void)walk_by_libgcc(pcs, {0, frame, 0});
}

}  // namespace burrow::prof
