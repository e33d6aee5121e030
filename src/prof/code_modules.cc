// Which object an address is in, and whether it is the one whose rows the memo holds.
// See code_modules.h.
//
// glibc's _dl_find_object (2.35) answers the first without a lock. The second has no counter that
// can be read without one: dl_iterate_phdr's dlpi_subs needs dl_load_write_lock, which a thread in
// a callback holds while it allocates. So an object is known by its addresses and its build-id,
// read anew once in each walk that comes through it. An object without a build-id that is not
// permanent gets no rows in the memo: its rows are worked out each time.
#include "prof/code_modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "os/os.h"

// Missing before glibc 2.35.
extern "C" __attribute__((weak)) int _dl_find_object(void* address,
                                                     dl_find_object* result) noexcept;

namespace burrow::prof {
namespace {

// Two words of the build-id: its first and its last.
struct BuildId {
  uint32_t offset = 0;  // from the object's start, in its first page
  uint32_t size = 0;
  uint64_t head = 0;
  uint64_t tail = 0;
};

void read_words(const char* at, uint32_t size, uint64_t& head, uint64_t& tail) {
  std::memcpy(&head, at, sizeof head);
  std::memcpy(&tail, at + size - sizeof tail, sizeof tail);
}

// The build-id, when the ELF header and it are in the first page, as linkers put them. What cannot
// be read safely is not looked for. size 0: none.
BuildId find_build_id(const CodeModule& module) {
  const char* base = reinterpret_cast<const char*>(module.start);
  ElfW(Ehdr) header;
  if (module.limit - module.start < os::kOsPageSize) {
    return {};
  }
  std::memcpy(&header, base, sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_phentsize != sizeof(ElfW(Phdr)) ||
      header.e_phoff + header.e_phnum * sizeof(ElfW(Phdr)) > os::kOsPageSize) {
    return {};
  }
  for (size_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    std::memcpy(&segment, base + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_NOTE || segment.p_offset + segment.p_filesz > os::kOsPageSize) {
      continue;
    }
    size_t at = segment.p_offset;
    size_t end = segment.p_offset + segment.p_filesz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, base + at, sizeof note);
      size_t value = at + sizeof note + (size_t{note.n_namesz} + 3) / 4 * 4;
      size_t next = value + (size_t{note.n_descsz} + 3) / 4 * 4;
      if (next > end) {
        break;
      }
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
          std::memcmp(base + at + sizeof note, "GNU", 4) == 0 && note.n_descsz >= 8) {
        BuildId id{static_cast<uint32_t>(value), note.n_descsz, 0, 0};
        read_words(base + id.offset, id.size, id.head, id.tail);
        return id;
      }
      at = next;
    }
  }
  return {};
}

// An object that rows in the memo belong to. Written under g_writing only, read by all: a sequence
// lock, as in the kernel: `version` is odd while the rest changes.
class KnownModule {
 public:
  /// REQUIRES: `m` cannot be unloaded meanwhile.
  [[nodiscard]] bool is(const CodeModule& m) const {
    // Acquire: pairs with the releases in set.
    uint32_t before = version_.load(std::memory_order_acquire);
    if ((before & 1) != 0 || !is_at(m)) {
      return false;
    }
    uint32_t offset = offset_.load(std::memory_order_relaxed);
    uint32_t size = size_.load(std::memory_order_relaxed);
    uint64_t known_head = head_.load(std::memory_order_relaxed);
    uint64_t known_tail = tail_.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (version_.load(std::memory_order_relaxed) != before) {
      return false;
    }
    uint64_t head = 0;
    uint64_t tail = 0;
    read_words(reinterpret_cast<const char*>(m.start) + offset, size, head, tail);
    return head == known_head && tail == known_tail;
  }

  [[nodiscard]] bool is_at(const CodeModule& m) const {
    return start() == m.start && limit() == m.limit &&
           header_.load(std::memory_order_relaxed) == m.eh_frame_hdr;
  }

  [[nodiscard]] bool empty() const { return limit() == 0; }

  [[nodiscard]] bool overlaps(const CodeModule& m) const {
    return start() < m.limit && m.start < limit();
  }

  [[nodiscard]] uintptr_t start() const { return start_.load(std::memory_order_relaxed); }

  [[nodiscard]] uintptr_t limit() const { return limit_.load(std::memory_order_relaxed); }

  void set(const CodeModule& m, const BuildId& id) {
    uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    start_.store(m.start, std::memory_order_relaxed);
    limit_.store(m.limit, std::memory_order_relaxed);
    header_.store(m.eh_frame_hdr, std::memory_order_relaxed);
    offset_.store(id.offset, std::memory_order_relaxed);
    size_.store(id.size, std::memory_order_relaxed);
    head_.store(id.head, std::memory_order_relaxed);
    tail_.store(id.tail, std::memory_order_relaxed);
    // Release: pairs with the acquire in is.
    version_.store(version + 2, std::memory_order_release);
  }

 private:
  std::atomic<uint32_t> version_{0};
  std::atomic<uint32_t> offset_{0};
  std::atomic<uint32_t> size_{0};
  std::atomic<uintptr_t> start_{0};
  std::atomic<uintptr_t> limit_{0};
  std::atomic<const uint8_t*> header_{nullptr};
  std::atomic<uint64_t> head_{0};
  std::atomic<uint64_t> tail_{0};
};

constexpr size_t kSets = 64;
constexpr size_t kWays = 4;

constinit std::array<std::array<KnownModule, kWays>, kSets> g_known;
// Tried, never waited for: whoever does not get it works without the memo this time.
constinit std::atomic<bool> g_writing{false};

// The program, the C library, the dynamic linker and Burrow. Written before there are threads.
constinit std::array<CodeModule, 4> g_permanent{};
constinit size_t g_permanent_count = 0;

bool locate(uintptr_t address, CodeModule& module) {
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0 ||
      found.dlfo_eh_frame == nullptr) {
    return false;
  }
  module.start = reinterpret_cast<uintptr_t>(found.dlfo_map_start);
  module.limit = reinterpret_cast<uintptr_t>(found.dlfo_map_end);
  module.eh_frame_hdr = static_cast<const uint8_t*>(found.dlfo_eh_frame);
  module.lasting = false;
  return true;
}

std::array<KnownModule, kWays>& set_of(uintptr_t start) {
  return g_known[(start * 0x9E3779B97F4A7C15) >> 58];
}

// Forgets objects in `set` that have gone; true when there was one. By their addresses only:
// nothing keeps these from being unloaded now, so they are not read.
bool drop_unloaded(std::array<KnownModule, kWays>& set) {
  bool dropped = false;
  for (KnownModule& known : set) {
    CodeModule now{};
    if (!known.empty() && (!locate(known.start(), now) || !known.is_at(now))) {
      known.set({}, {});
      dropped = true;
    }
  }
  return dropped;
}

// Makes `module` known. Invariant: of the known objects no two overlap, and every row in the memo
// is of a known or a permanent one. An object that is being replaced was unloaded, so no thread has
// it on its stack and can still add rows of it.
bool learn(const CodeModule& module, RowMemo& memo) {
  BuildId id = find_build_id(module);
  if (id.size == 0) {
    return false;
  }
  bool stale = false;
  for (auto& set : g_known) {
    for (KnownModule& known : set) {
      if (known.overlaps(module)) {
        if (known.is(module)) {
          return true;
        }
        known.set({}, {});
        stale = true;
      }
    }
  }
  auto& set = set_of(module.start);
  auto is_empty = [](const KnownModule& known) { return known.empty(); };
  auto free_place = std::find_if(set.begin(), set.end(), is_empty);
  if (free_place == set.end()) {
    stale = drop_unloaded(set) || stale;
    free_place = std::find_if(set.begin(), set.end(), is_empty);
  }
  if (stale) {
    memo.clear();
  }
  if (free_place == set.end()) {
    return false;
  }
  free_place->set(module, id);
  return true;
}

}  // namespace

const CodeModule* find_permanent_module(uintptr_t address) {
  for (size_t i = 0; i < g_permanent_count; ++i) {
    if (g_permanent[i].contains(address)) {
      return &g_permanent[i];
    }
  }
  return nullptr;
}

bool find_code_module(uintptr_t address, RowMemo& memo, CodeModule& module) {
  if (const CodeModule* permanent = find_permanent_module(address); permanent != nullptr) {
    module = *permanent;
    return true;
  }
  if (!locate(address, module)) {
    return false;
  }
  for (const KnownModule& known : set_of(module.start)) {
    if (known.is(module)) {
      module.lasting = true;
      return true;
    }
  }
  // Acquire and release: what one writer wrote the next one sees.
  if (!g_writing.exchange(true, std::memory_order_acquire)) {
    module.lasting = learn(module, memo);
    g_writing.store(false, std::memory_order_release);
  }
  return true;
}

void note_permanent_modules() {
  if (!code_modules_work()) {
    return;
  }
  const uintptr_t inside[] = {reinterpret_cast<uintptr_t>(&note_permanent_modules),
                              getauxval(AT_PHDR), reinterpret_cast<uintptr_t>(&getauxval),
                              reinterpret_cast<uintptr_t>(&_dl_find_object)};
  for (uintptr_t address : inside) {
    CodeModule module{};
    bool noted = std::any_of(g_permanent.begin(), g_permanent.begin() + g_permanent_count,
                             [&](const CodeModule& m) { return m.contains(address); });
    if (!noted && locate(address, module)) {
      module.lasting = true;
      g_permanent[g_permanent_count++] = module;
    }
  }
}

bool code_modules_work() {
  return _dl_find_object != nullptr;
}

void reset_code_modules_after_fork() {
  g_writing.store(false, std::memory_order_relaxed);
}

}  // namespace burrow::prof
