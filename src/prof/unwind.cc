// Stacks of the calling thread. See unwind.h, and prof.h for how frame pointers earn trust.
#include "prof/unwind.h"

#include <link.h>
#include <sys/auxv.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "base/annotations.h"

extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start;
extern "C" __attribute__((visibility("hidden"))) const char etext;

namespace burrow::prof {
namespace {

constexpr int kRbp = 6;  // DWARF's number of rbp

// Return addresses after which the frame pointer leads to the caller. Lock-free, lossy: a
// collision forgets, and forgetting costs one full unwind.
class TrustedFrames {
 public:
  [[nodiscard]] bool has(uintptr_t pc) const {
    // Relaxed: each entry stands alone.
    return entries_[index(pc)].load(std::memory_order_relaxed) == pc;
  }

  void add(uintptr_t pc) { entries_[index(pc)].store(pc, std::memory_order_relaxed); }

  void remove(uintptr_t pc) {
    if (has(pc)) {
      entries_[index(pc)].store(0, std::memory_order_relaxed);
    }
  }

 private:
  static size_t index(uintptr_t pc) { return (pc * 0x9E3779B97F4A7C15) >> 52; }

  std::array<std::atomic<uintptr_t>, 4096> entries_{};
};

constinit TrustedFrames g_trusted;
// Return addresses at which stacks end.
constinit TrustedFrames g_outermost;

constinit thread_local bool t_inside = false;
// Highest stack address a full unwind has seen on this thread.
constinit thread_local uintptr_t t_stack_top = 0;

struct Walk {
  std::span<uintptr_t> pcs;
  size_t count = 0;
  uintptr_t last_pc = 0;
  uintptr_t last_rbp = 0;
  uintptr_t last_sp = 0;
  bool cut = false;
};

void store(Walk& walk, uintptr_t pc) {
  if (walk.count == 0 && is_own_code(pc)) {
    return;
  }
  if (walk.count < walk.pcs.size()) {
    walk.pcs[walk.count++] = pc - 1;
  }
}

// Was the step from the last frame to this one what its frame pointer says?
void learn(const Walk& walk, uintptr_t pc, uintptr_t rbp, uintptr_t sp) {
  if (walk.last_pc == 0) {
    return;
  }
  const auto* frame = reinterpret_cast<const uintptr_t*>(walk.last_rbp);
  bool agrees = walk.last_rbp + 16 == sp && walk.last_rbp >= walk.last_sp && frame[0] == rbp &&
                frame[1] == pc;
  if (agrees) {
    g_trusted.add(walk.last_pc);
  } else {
    g_trusted.remove(walk.last_pc);
  }
}

_Unwind_Reason_Code on_frame(_Unwind_Context* context, void* raw) {
  auto& walk = *static_cast<Walk*>(raw);
  auto pc = static_cast<uintptr_t>(_Unwind_GetIP(context));
  if (pc == 0) {
    return _URC_END_OF_STACK;
  }
  auto rbp = static_cast<uintptr_t>(_Unwind_GetGR(context, kRbp));
  auto sp = static_cast<uintptr_t>(_Unwind_GetCFA(context));
  learn(walk, pc, rbp, sp);
  walk.last_pc = pc;
  walk.last_rbp = rbp;
  walk.last_sp = sp;
  store(walk, pc);
  if (walk.count == walk.pcs.size()) {
    walk.cut = true;
    return _URC_END_OF_STACK;
  }
  return _URC_NO_REASON;
}

size_t walk_unwinder(std::span<uintptr_t> pcs) {
  Walk walk{pcs};
  _Unwind_Backtrace(on_frame, &walk);
  if (!walk.cut && walk.last_pc != 0) {
    g_outermost.add(walk.last_pc);
  }
  t_stack_top = std::max(t_stack_top, walk.last_sp);
  return walk.count;
}

// Follows frame pointers from `frame`; 0 when trust ends before the stack does.
size_t walk_frame_pointers(std::span<uintptr_t> pcs, const uintptr_t* frame) {
  Walk walk{pcs};
  auto rbp = reinterpret_cast<uintptr_t>(frame);
  while (walk.count < pcs.size()) {
    uintptr_t pc = reinterpret_cast<const uintptr_t*>(rbp)[1];
    store(walk, pc);
    if (g_outermost.has(pc)) {
      return walk.count;
    }
    uintptr_t next = *reinterpret_cast<const uintptr_t*>(rbp);
    if (!g_trusted.has(pc) || next <= rbp || next % 8 != 0 || next + 16 > t_stack_top) {
      return 0;
    }
    rbp = next;
  }
  return walk.count;
}

}  // namespace

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
  auto* frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
  size_t n = t_stack_top != 0 ? walk_frame_pointers(pcs, frame) : 0;
  if (n == 0) {
    n = walk_unwinder(pcs);
  }
  t_inside = false;
  return n;
}

void prime_unwinder() {
  std::array<uintptr_t, kMaxDepth> pcs{};
  (void)capture_stack(pcs);
}

}  // namespace burrow::prof
