// The C library's dynamic symbols, written to where they are mapped: the pages become the process's
// own copies, the file stays as it is. See os/symbol_table.h.
#include "os/symbol_table.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "base/bits.h"
#include "base/errno_scope.h"
#include "os/os.h"

namespace burrow::os {
namespace {

struct SymbolTable {
  const link_map* object = nullptr;
  ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const uint32_t* hashes = nullptr;  // DT_GNU_HASH
  int protection = 0;                // of the pages

  [[nodiscard]] bool complete() const {
    return symbols != nullptr && names != nullptr && hashes != nullptr && protection != 0;
  }
};

// glibc has made these addresses absolute.
template <typename T>
T* pointer_of(const ElfW(Dyn) & entry) {
  return reinterpret_cast<T*>(entry.d_un.d_ptr);
}

// The protection of the segment that holds an address of an object.
int protection_of(const void* base, const void* address) {
  const auto* header = static_cast<const ElfW(Ehdr)*>(base);
  const char* start = static_cast<const char*>(base);
  const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(start + header->e_phoff);
  auto offset = static_cast<size_t>(static_cast<const char*>(address) - start);
  for (size_t i = 0; i < header->e_phnum; ++i) {
    const ElfW(Phdr)& segment = segments[i];
    if (segment.p_type == PT_LOAD && offset >= segment.p_vaddr &&
        offset - segment.p_vaddr < segment.p_memsz) {
      return ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) |
             ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
             ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
    }
  }
  return 0;
}

SymbolTable c_library() {
  SymbolTable table;
  void* known = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
  Dl_info info{};
  link_map* object = nullptr;
  if (known == nullptr ||
      dladdr1(known, &info, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP) == 0 ||
      object == nullptr || object->l_ld == nullptr) {
    return table;
  }
  table.object = object;
  for (const ElfW(Dyn)* entry = object->l_ld; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_SYMTAB:
        table.symbols = pointer_of<ElfW(Sym)>(*entry);
        break;
      case DT_STRTAB:
        table.names = pointer_of<const char>(*entry);
        break;
      case DT_GNU_HASH:
        table.hashes = pointer_of<const uint32_t>(*entry);
        break;
      default:
        break;
    }
  }
  if (table.symbols != nullptr) {
    table.protection = protection_of(info.dli_fbase, table.symbols);
  }
  return table;
}

uint32_t gnu_hash(const char* name) {
  uint32_t hash = 5381;
  for (; *name != '\0'; ++name) {
    hash = hash * 33 + static_cast<unsigned char>(*name);
  }
  return hash;
}

// The pages stay writable: another thread may be at the same, and a lock could not be held under
// the loader's.
bool write_value(const SymbolTable& table, ElfW(Sym) & symbol, const void* to) {
  auto first = round_down(reinterpret_cast<uintptr_t>(&symbol), kOsPageSize);
  auto end = round_up(reinterpret_cast<uintptr_t>(&symbol + 1), kOsPageSize);
  auto* pages = reinterpret_cast<void*>(first);
  if (::syscall(SYS_mprotect, pages, end - first, table.protection | PROT_WRITE) != 0) {
    return false;
  }
  // Others may be looking the name up; either value serves them.
  __atomic_store_n(&symbol.st_value, reinterpret_cast<uintptr_t>(to) - table.object->l_addr,
                   __ATOMIC_RELAXED);
  return true;
}

// All versions of the name. A name that the library does not have needs no redirection.
bool redirect(const SymbolTable& table, const Redirection& wanted) {
  uint32_t buckets = table.hashes[0];
  uint32_t first = table.hashes[1];
  uint32_t filter_words = table.hashes[2];
  const uint32_t* bucket = table.hashes + 4 + size_t{filter_words} * (sizeof(ElfW(Addr)) / 4);
  const uint32_t* chain = bucket + buckets;
  uint32_t hash = gnu_hash(wanted.name);
  uint32_t i = bucket[hash % buckets];
  if (i < first) {
    return true;
  }
  for (;; ++i) {
    uint32_t entry = chain[i - first];
    ElfW(Sym)& symbol = table.symbols[i];
    if ((entry | 1) == (hash | 1) && std::strcmp(table.names + symbol.st_name, wanted.name) == 0 &&
        ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
        !write_value(table, symbol, wanted.to)) {
      return false;
    }
    if ((entry & 1) != 0) {
      return true;
    }
  }
}

}  // namespace

bool redirect_c_library(std::span<const Redirection> redirections) {
  ErrnoScope keep;
  SymbolTable table = c_library();
  if (!table.complete()) {
    return false;
  }
  for (const Redirection& r : redirections) {
    if (!redirect(table, r)) {
      return false;
    }
  }
  return true;
}

}  // namespace burrow::os
