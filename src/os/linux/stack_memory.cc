// Stack memory on Linux. See os/stack_memory.h.
#include "os/stack_memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "base/annotations.h"
#include "base/bits.h"
#include "base/errno_scope.h"
#include "os/mappings.h"
#include "os/os.h"

namespace burrow::os {
namespace {

constexpr int kMadvGuardInstall = 102;
constexpr size_t kMaxAreas = 4096;
constexpr size_t kSignalStackBytes = 16 * kOsPageSize;

char* map(void* hint, size_t bytes) {
  void* p = ::mmap(hint, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<char*>(p);
}

struct StackAreaRange {
  std::atomic<uintptr_t> start{0};
  std::atomic<uintptr_t> end{0};
  size_t slot_bytes = 0;
};

BURROW_NO_ROOTS constinit std::array<StackAreaRange, kMaxAreas> g_areas;
constinit std::atomic<size_t> g_area_count{0};

GuardKind find_guard_kind() {
  if (debug_option("guardinstall") == "0") {
    return GuardKind::kProtect;
  }
  ErrnoScope keep;
  char* page = map(nullptr, kOsPageSize);
  if (page == nullptr) {
    return GuardKind::kProtect;
  }
  bool works = ::madvise(page, kOsPageSize, kMadvGuardInstall) == 0;
  ::munmap(page, kOsPageSize);
  return works ? GuardKind::kInstall : GuardKind::kProtect;
}

}  // namespace

void* map_stacks(void* hint, size_t bytes, size_t alignment, size_t offset) {
  ErrnoScope keep;
  char* p = nullptr;
  if (hint != nullptr) {
    p = map(hint, bytes);
    if (p != nullptr && p != hint) {
      ::munmap(p, bytes);
      p = nullptr;
    }
  }
  if (p == nullptr) {
    char* whole = map(nullptr, bytes + alignment);
    if (whole == nullptr) {
      return nullptr;
    }
    auto address = reinterpret_cast<uintptr_t>(whole);
    size_t lead = round_up(address - offset, uintptr_t{alignment}) + offset - address;
    p = whole + lead;
    if (lead > 0) {
      ::munmap(whole, lead);
    }
    if (alignment > lead) {
      ::munmap(p + bytes, alignment - lead);
    }
  }
  ::madvise(p, bytes, MADV_NOHUGEPAGE);
  note_own_memory(p, bytes);
  return p;
}

GuardKind guard_kind() {
  static const GuardKind kind = find_guard_kind();
  return kind;
}

bool make_guard(void* start, size_t bytes, GuardKind kind) {
  ErrnoScope keep;
  return kind == GuardKind::kInstall ? ::madvise(start, bytes, kMadvGuardInstall) == 0
                                     : ::mprotect(start, bytes, PROT_NONE) == 0;
}

Residency resident_in(const void* start, size_t bytes) {
  ErrnoScope keep;
  std::array<unsigned char, 512> present;
  auto* at = static_cast<char*>(const_cast<void*>(start));
  Residency found;
  for (size_t done = 0; done < bytes / kOsPageSize;) {
    size_t step = std::min(bytes / kOsPageSize - done, present.size());
    if (::mincore(at + done * kOsPageSize, step * kOsPageSize, present.data()) != 0) {
      break;
    }
    for (size_t i = 0; i < step; ++i) {
      if ((present[i] & 1) != 0) {
        found.first = std::min(found.first, (done + i) * kOsPageSize);
        found.bytes += kOsPageSize;
      }
    }
    done += step;
  }
  return found;
}

void add_stack_area(uintptr_t start, size_t bytes, size_t slot_bytes) {
  // Relaxed: one writer at a time.
  size_t count = g_area_count.load(std::memory_order_relaxed);
  if (count > 0) {
    StackAreaRange& last = g_areas[count - 1];
    if (last.slot_bytes == slot_bytes &&
        last.start.load(std::memory_order_relaxed) == start + bytes) {
      last.start.store(start, std::memory_order_release);
      return;
    }
  }
  if (count == kMaxAreas) {
    return;  // walks there take the slower way
  }
  g_areas[count].slot_bytes = slot_bytes;
  g_areas[count].end.store(start + bytes, std::memory_order_relaxed);
  g_areas[count].start.store(start, std::memory_order_relaxed);
  // Release: pairs with the acquire in stack_slot_end.
  g_area_count.store(count + 1, std::memory_order_release);
}

uintptr_t stack_slot_end(uintptr_t address) {
  // Acquire: pairs with the releases in add_stack_area.
  size_t count = g_area_count.load(std::memory_order_acquire);
  for (size_t i = count; i-- > 0;) {
    uintptr_t end = g_areas[i].end.load(std::memory_order_relaxed);
    if (address < end && address >= g_areas[i].start.load(std::memory_order_acquire)) {
      return end - (end - address - 1) / g_areas[i].slot_bytes * g_areas[i].slot_bytes;
    }
  }
  return 0;
}

void use_signal_stack() {
  ErrnoScope keep;
  stack_t old{};
  if (::sigaltstack(nullptr, &old) == 0 && (old.ss_flags & SS_DISABLE) == 0) {
    return;
  }
  void* memory = map_memory(kSignalStackBytes);
  if (memory == nullptr) {
    return;
  }
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = kSignalStackBytes;
  ::sigaltstack(&stack, nullptr);
}

}  // namespace burrow::os
