// Functions and lines of addresses. See symbolize.h.
//
// What goes to the helper: for each module "M PATH" and, where it has one, "B BUILDID" in
// hexadecimal, then "A HEXADDRESS" lines (addresses in the file). What comes back: for each A
// "F FUNCTION<tab>FILE<tab>LINE<tab>SYMBOL<tab>OFFSET" lines, innermost first, then a line with a
// dot.
#include "prof/symbolize.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "os/fork.h"
#include "os/os.h"
#include "prof/helper.h"
#include "prof/names.h"

namespace burrow::prof {
namespace {

constexpr size_t kMostCached = 100'000;

using FrameList = std::vector<Frame>;

// Under this lock ordinary allocation goes on: its rank is below the heap's.
constinit Mutex g_lock{LockRank::kProfReaders};

// Never destroyed: profiles are written at exit.
constinit std::unordered_map<uintptr_t, FrameList>* g_cache BURROW_GUARDED_BY(g_lock) = nullptr;

std::unordered_map<uintptr_t, FrameList>& cache() BURROW_REQUIRES(g_lock) {
  if (g_cache == nullptr) {
    g_cache = new std::unordered_map<uintptr_t, FrameList>;
  }
  return *g_cache;
}

// Another thread may have been changing it.
void forget_cache() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  g_cache = nullptr;
}

constinit os::ForkPart g_fork_part{.rank = LockRank::kProfReaders, .child = forget_cache};

__attribute__((constructor(102))) void add_part() {
  os::add_fork_part(g_fork_part);
}

std::string build_id_of(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) {
      continue;
    }
    const char* at = reinterpret_cast<const char*>(info.dlpi_addr + segment.p_vaddr);
    const char* end = at + segment.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
      const char* name = at + sizeof *note;
      const char* value = name + (note->n_namesz + 3) / 4 * 4;
      if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
          std::memcmp(name, "GNU", 4) == 0) {
        std::string hex;
        for (size_t k = 0; k < note->n_descsz; ++k) {
          constexpr char kDigits[] = "0123456789abcdef";
          auto byte = static_cast<unsigned char>(value[k]);
          hex += kDigits[byte >> 4];
          hex += kDigits[byte & 15];
        }
        return hex;
      }
      at = value + (note->n_descsz + 3) / 4 * 4;
    }
  }
  return {};
}

std::string own_path() {
  std::array<char, 4096> buffer;
  return {buffer.data(), os::program_path(buffer.data(), buffer.size())};
}

void add_module(const dl_phdr_info* info, std::vector<Module>* modules) {
  std::string path = info->dlpi_name != nullptr && *info->dlpi_name != '\0' ? info->dlpi_name
                     : modules->empty()                                     ? own_path()
                                                                            : "[vdso]";
  std::string build_id = build_id_of(*info);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
      uintptr_t start = info->dlpi_addr + segment.p_vaddr;
      modules->push_back(
          {start, start + segment.p_memsz, info->dlpi_addr, segment.p_offset, path, build_id});
    }
  }
}

struct ModuleList {
  std::vector<Module> modules;
  bool out_of_memory = false;
};

// Nothing is thrown through the dynamic linker, which holds its lock.
int visit_module(dl_phdr_info* info, size_t /*size*/, void* raw) {
  auto* list = static_cast<ModuleList*>(raw);
  try {
    add_module(info, &list->modules);
  } catch (const std::bad_alloc&) {
    list->out_of_memory = true;
    return 1;
  }
  return 0;
}

const Module* find_module(const std::vector<Module>& modules, uintptr_t address) {
  auto after = std::upper_bound(modules.begin(), modules.end(), address,
                                [](uintptr_t a, const Module& m) { return a < m.start; });
  if (after == modules.begin()) {
    return nullptr;
  }
  const Module& m = *(after - 1);
  return address < m.limit ? &m : nullptr;
}

FrameList by_dladdr(uintptr_t address) {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(address), &info) == 0 || info.dli_sname == nullptr) {
    return {};
  }
  auto entry = reinterpret_cast<uintptr_t>(info.dli_saddr);
  return {{readable_name(info.dli_sname),
           {},
           0,
           info.dli_sname,
           static_cast<int64_t>(address - entry)}};
}

// Takes one line off the front.
std::string_view next_line(std::string_view& rest) {
  size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

// Reads one answer off the front of `rest`; nullopt when it is not whole.
std::optional<FrameList> read_answer(std::string_view& rest) {
  FrameList frames;
  while (rest.find('\n') != std::string_view::npos) {
    std::string_view line = next_line(rest);
    if (line == ".") {
      return frames;
    }
    std::array<std::string_view, 5> fields;
    size_t count = 0;
    for (std::string_view left = line; count < fields.size() && !left.empty(); ++count) {
      size_t end = std::min(left.find('\t'), left.size());
      fields[count] = left.substr(0, end);
      left.remove_prefix(std::min(end + 1, left.size()));
    }
    if (!line.starts_with("F ") || count < 3) {
      break;
    }
    Frame f;
    f.function = fields[0].substr(2);
    f.file = fields[1];
    std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), f.line);
    f.symbol = fields[3];
    std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), f.offset);
    frames.push_back(std::move(f));
  }
  return std::nullopt;
}

// Names that the protocol cannot carry are not asked for.
bool can_ask(const Module& m) {
  return !m.path.empty() && m.path[0] != '[' && m.path.find('\n') == std::string::npos;
}

void ask_helper(const std::vector<uintptr_t>& addresses, std::vector<FrameList>& found) {
  std::vector<Module> modules = loaded_modules();
  std::string input;
  std::vector<size_t> asked;
  const Module* current = nullptr;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Module* m = find_module(modules, addresses[i]);
    if (m == nullptr || !can_ask(*m)) {
      continue;
    }
    if (m != current) {
      input += "M " + m->path + "\n";
      input += m->build_id.empty() ? "" : "B " + m->build_id + "\n";
      current = m;
    }
    std::array<char, 20> hex;
    auto end = std::to_chars(hex.data(), hex.data() + hex.size(), addresses[i] - m->bias, 16).ptr;
    input += "A " + std::string(hex.data(), end) + "\n";
    asked.push_back(i);
  }
  std::string output = input.empty() ? std::string() : run_symbolizer(input);
  std::string_view rest(output);
  for (size_t i : asked) {
    std::optional<FrameList> frames = read_answer(rest);
    if (!frames) {
      break;
    }
    found[i] = std::move(*frames);
  }
}

}  // namespace

std::vector<Module> loaded_modules() {
  ModuleList list;
  dl_iterate_phdr(visit_module, &list);
  if (list.out_of_memory) {
    throw std::bad_alloc();
  }
  std::sort(list.modules.begin(), list.modules.end(),
            [](const Module& a, const Module& b) { return a.start < b.start; });
  return std::move(list.modules);
}

std::vector<FrameList> symbolize(std::span<const uintptr_t> addresses) {
  MutexLock hold(g_lock);
  auto& known = cache();
  if (known.size() > kMostCached) {
    known.clear();
  }
  std::vector<uintptr_t> unknown;
  for (uintptr_t a : addresses) {
    if (!known.contains(a)) {
      unknown.push_back(a);
    }
  }
  std::sort(unknown.begin(), unknown.end());
  unknown.erase(std::unique(unknown.begin(), unknown.end()), unknown.end());
  std::vector<FrameList> found(unknown.size());
  ask_helper(unknown, found);
  for (size_t i = 0; i < unknown.size(); ++i) {
    known[unknown[i]] = found[i].empty() ? by_dladdr(unknown[i]) : std::move(found[i]);
  }
  std::vector<FrameList> result;
  result.reserve(addresses.size());
  for (uintptr_t a : addresses) {
    result.push_back(known[a]);
  }
  return result;
}

void Symbols::add(std::span<const uintptr_t> stack) {
  for (uintptr_t a : stack) {
    frames_.try_emplace(a);
  }
}

void Symbols::resolve() {
  std::vector<uintptr_t> addresses;
  addresses.reserve(frames_.size());
  for (const auto& [address, frames] : frames_) {
    addresses.push_back(address);
  }
  std::vector<FrameList> found = symbolize(addresses);
  for (size_t i = 0; i < addresses.size(); ++i) {
    frames_[addresses[i]] = std::move(found[i]);
  }
}

const FrameList& Symbols::at(uintptr_t address) const {
  static const FrameList none;
  auto it = frames_.find(address);
  return it == frames_.end() ? none : it->second;
}

}  // namespace burrow::prof
