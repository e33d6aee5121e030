// Roots in mapped memory. See mapped_roots.h.
#include "gc/mapped_roots.h"

#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <string_view>

#include "base/bits.h"
#include "base/check.h"
#include "base/mutex.h"
#include "gc/address_range.h"
#include "gc/faults.h"
#include "gc/outside_list.h"
#include "heap/arena.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::gc {
namespace {

constinit Mutex g_lock{LockRank::kLeaf};
constinit OutsideList<AddressRange> g_user_roots BURROW_GUARDED_BY(g_lock);
// The collector's alone, sorted.
constinit OutsideList<AddressRange> g_stacks;

// All private mappings are roots. Relaxed: set before the first cycle, or by the collector.
constinit std::atomic<bool> g_all{false};

// A mapping or reservation beyond this is no malloc's, but a sanitizer's shadow.
constexpr size_t kMost = size_t{1} << 42;

[[noreturn]] void refuse(void* function) {
  Dl_info info{};
  const char* whose = dladdr(function, &info) != 0 ? info.dli_fname : "another library";
  fatal("malloc is that of ", whose,
        ", and without /proc the collector cannot find its blocks: link Burrow before it, do not "
        "preload it, or mount /proc");
}

bool can_list_mappings() {
  return os::for_each_mapping([](const os::Mapping&) {});
}

void add_present(RootJobs& jobs, Address from, Address to) {
  os::for_each_present(from, to, [&](Address part, Address part_end) {
    jobs.add(RootJob::Kind::kWords, part, part_end);
  });
}

// [from, to) without the stacks of threads, of which only a part is in use.
void add_without_stacks(RootJobs& jobs, Address from, Address to) {
  for (size_t i = 0; i < g_stacks.size() && from < to; ++i) {
    const AddressRange& stack = g_stacks[i];
    if (stack.to <= from || stack.from >= to) {
      continue;
    }
    if (stack.from > from) {
      add_present(jobs, from, round_up(stack.from, os::kOsPageSize));
    }
    from = std::max(from, round_down(stack.to, os::kOsPageSize));
  }
  if (from < to) {
    add_present(jobs, from, to);
  }
}

void add_all_mappings(RootJobs& jobs) {
  bool any = os::for_each_mapping([&](const os::Mapping& m) {
    if (m.readable && !m.file && m.limit - m.start < kMost) {
      os::for_each_not_own(m.start, m.limit,
                           [&](Address from, Address to) { add_without_stacks(jobs, from, to); });
    }
  });
  if (!any) {
    fatal(
        "cannot open /proc/self/maps, by which the collector finds the blocks of a malloc that is "
        "not Burrow's: leave the program a descriptor (ulimit -n), or link Burrow first");
  }
}

// Private pages that are not there hold nothing, and some must not be touched: a thread of the
// program's that fills them (userfaultfd) may have been stopped.
void add_user_range(RootJobs& jobs, const AddressRange& range) {
  bool any = os::for_each_mapping([&](const os::Mapping& m) {
    Address from = std::max(m.start, range.from);
    Address to = std::min(m.limit, range.to);
    if (from >= to) {
      return;
    }
    if (m.shared || m.file) {
      jobs.add(RootJob::Kind::kWords, from, to);
      return;
    }
    os::for_each_present(round_down(from, os::kOsPageSize), round_up(to, os::kOsPageSize),
                         [&](Address part, Address part_end) {
                           jobs.add(RootJob::Kind::kWords, std::max(part, from),
                                    std::min(part_end, to));
                         });
  });
  if (!any) {
    jobs.add(RootJob::Kind::kWords, range.from, range.to);
  }
}

}  // namespace

void find_malloc() {
  if (const char* text = os::env("BURROW_ROOTS"); text != nullptr && *text != '\0') {
    if (std::string_view(text) != "all") {
      FixedPrinter<256> out;
      out << "burrow: BURROW_ROOTS=" << text << " means nothing; write all, or leave it out\n";
      out.write_to(2);
    } else {
      g_all.store(true, std::memory_order_relaxed);
    }
  }
  // AddressSanitizer has variables of functions in mappings of its own, whoever's malloc it is.
  if (dlsym(RTLD_DEFAULT, "__asan_init") != nullptr) {
    g_all.store(true, std::memory_order_relaxed);
  }
  using Malloc = void* (*)(size_t);
  using Free = void (*)(void*);
  // As the program's own calls are bound.
  void* symbol = dlsym(RTLD_DEFAULT, "malloc");
  auto give = reinterpret_cast<Malloc>(symbol);
  auto take_back = reinterpret_cast<Free>(dlsym(RTLD_DEFAULT, "free"));
  if (give == nullptr || take_back == nullptr) {
    return;  // a static program, which has one malloc
  }
  void* block = give(sizeof(void*));
  PageId page(0);
  bool ours = block == nullptr || heap::find_page(block, page);
  take_back(block);
  if (!ours) {
    g_all.store(true, std::memory_order_relaxed);
    if (!can_list_mappings()) {
      refuse(symbol);
    }
  }
}

void look_for_other_malloc() {
  if (g_all.load(std::memory_order_relaxed)) {
    return;
  }
  using MallInfo = struct mallinfo2 (*)();
  static const auto info = reinterpret_cast<MallInfo>(dlsym(RTLD_NEXT, "mallinfo2"));
  if (info != nullptr) {
    struct mallinfo2 theirs = info();
    if (theirs.arena + theirs.hblkhd > 0) {
      g_all.store(true, std::memory_order_relaxed);
    }
  }
}

void add_user_roots(Address start, size_t bytes) {
  MutexLock hold(g_lock);
  g_user_roots.push({start, start + bytes});
}

bool remove_user_roots(Address start) {
  MutexLock hold(g_lock);
  for (size_t i = g_user_roots.size(); i-- > 0;) {
    if (g_user_roots[i].from == start) {
      g_user_roots[i] = g_user_roots[g_user_roots.size() - 1];
      g_user_roots.resize(g_user_roots.size() - 1);
      return true;
    }
  }
  return false;
}

void note_thread_stacks(std::span<const os::StoppedThread> threads) {
  if (!g_all.load(std::memory_order_relaxed)) {
    return;
  }
  g_stacks.resize(0);
  os::StackBounds first = os::first_stack(0);
  g_stacks.push({first.low, first.limit});
  for (const os::StoppedThread& thread : threads) {
    if (thread.thread_pointer == 0) {
      continue;
    }
    if (os::StackBounds own = os::thread_stack(thread.thread_pointer); own.limit != 0) {
      g_stacks.push({own.low, own.limit});
    }
  }
  std::sort(&g_stacks[0], &g_stacks[0] + g_stacks.size(),
            [](const AddressRange& a, const AddressRange& b) { return a.from < b.from; });
}

void add_mapped_roots(RootJobs& jobs) {
  if (g_all.load(std::memory_order_relaxed) && !g_faults.no_foreign_roots) {
    add_all_mappings(jobs);
  }
  MutexLock hold(g_lock);
  for (size_t i = 0; i < g_user_roots.size(); ++i) {
    add_user_range(jobs, g_user_roots[i]);
  }
}

RankedMutex& mapped_roots_lock() {
  return g_lock;
}

}  // namespace burrow::gc
