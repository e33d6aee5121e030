// Dynamic symbols where they are mapped. Those of the C library are written to: the pages become
// the process's own copies, the file stays as it is. See os/symbol_table.h.
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

  [[nodiscard]] bool readable() const {
    return symbols != nullptr && names != nullptr && hashes != nullptr;
  }

  [[nodiscard]] bool writable() const { return readable() && protection != 0; }
};

// glibc has made these addresses absolute, but not those of the vdso, which it cannot write to.
template <typename T>
T* pointer_of(const link_map* object, const ElfW(Dyn) & entry) {
  ElfW(Addr) address = entry.d_un.d_ptr;
  return reinterpret_cast<T*>(address < object->l_addr ? object->l_addr + address : address);
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

SymbolTable table_of(const link_map* object) {
  SymbolTable table;
  table.object = object;
  if (object->l_ld == nullptr) {
    return table;
  }
  for (const ElfW(Dyn)* entry = object->l_ld; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_SYMTAB:
        table.symbols = pointer_of<ElfW(Sym)>(object, *entry);
        break;
      case DT_STRTAB:
        table.names = pointer_of<const char>(object, *entry);
        break;
      case DT_GNU_HASH:
        table.hashes = pointer_of<const uint32_t>(object, *entry);
        break;
      default:
        break;
    }
  }
  return table;
}

// What is loaded where an address is; null where nothing is.
link_map* object_at(const void* address, Dl_info& info) {
  link_map* object = nullptr;
  return dladdr1(address, &info, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP) == 0 ? nullptr
                                                                                          : object;
}

SymbolTable c_library() {
  Dl_info info{};
  void* known = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
  link_map* object = known == nullptr ? nullptr : object_at(known, info);
  if (object == nullptr) {
    return {};
  }
  SymbolTable table = table_of(object);
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

// Calls visit(symbol) for each version of a function that the object defines, until it says false;
// then false.
template <typename Visit>
bool each_definition(const SymbolTable& table, const char* name, Visit visit) {
  uint32_t buckets = table.hashes[0];
  uint32_t first = table.hashes[1];
  uint32_t filter_words = table.hashes[2];
  const uint32_t* bucket = table.hashes + 4 + size_t{filter_words} * (sizeof(ElfW(Addr)) / 4);
  const uint32_t* chain = bucket + buckets;
  uint32_t hash = gnu_hash(name);
  uint32_t i = buckets == 0 ? 0 : bucket[hash % buckets];
  if (i < first || i == 0) {
    return true;
  }
  for (;; ++i) {
    uint32_t entry = chain[i - first];
    ElfW(Sym)& symbol = table.symbols[i];
    unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if ((entry | 1) == (hash | 1) && std::strcmp(table.names + symbol.st_name, name) == 0 &&
        (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol.st_shndx != SHN_UNDEF &&
        !visit(symbol)) {
      return false;
    }
    if ((entry & 1) != 0) {
      return true;
    }
  }
}

// All versions of the name. A name that the library does not have needs no redirection.
bool redirect(const SymbolTable& table, const Redirection& wanted) {
  return each_definition(table, wanted.name, [&](ElfW(Sym) & symbol) {
    return ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || write_value(table, symbol, wanted.to);
  });
}

void* definition_in(const link_map* object, const char* name) {
  void* found = nullptr;
  if (SymbolTable table = table_of(object); table.readable()) {
    (void)each_definition(table, name, [&](const ElfW(Sym) & symbol) {
      found = reinterpret_cast<void*>(object->l_addr + symbol.st_value);
      return false;
    });
  }
  return found;
}

}  // namespace

bool redirect_c_library(std::span<const Redirection> redirections) {
  ErrnoScope keep;
  SymbolTable table = c_library();
  if (!table.writable()) {
    return false;
  }
  for (const Redirection& r : redirections) {
    if (!redirect(table, r)) {
      return false;
    }
  }
  return true;
}

void* bound_function(const char* name) {
  void* address = dlsym(RTLD_DEFAULT, name);
  Dl_info info{};
  const link_map* object = address == nullptr ? nullptr : object_at(address, info);
  if (object == nullptr || object->l_prev != nullptr) {
    return address;
  }
  // In the program itself: its own function, or its jump to one of those that follow. The list
  // begins in the order of the search, with what stays loaded.
  for (; object != nullptr; object = object->l_next) {
    if (void* found = definition_in(object, name); found != nullptr) {
      return found;
    }
  }
  return address;
}

}  // namespace burrow::os
