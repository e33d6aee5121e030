// The parts of an ELF file that tell whether a preload works. See elf_file.h.
#include "elf_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace burrow::cmd {
namespace {

constexpr std::array<std::string_view, 8> kAllocatorNames = {
    "malloc",       "je_malloc",   "mi_malloc", "tc_malloc", "rpmalloc", "__interceptor_malloc",
    "scudo_malloc", "hoard_malloc"};

// The one machine that the library beside this command is for.
GElf_Half own_machine() {
  GElf_Ehdr header{};
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  Elf* elf = elf_begin(fd, ELF_C_READ, nullptr);
  GElf_Half machine = elf != nullptr && gelf_getehdr(elf, &header) != nullptr ? header.e_machine
                                                                              : GElf_Half{EM_NONE};
  elf_end(elf);
  close(fd);
  return machine;
}

void read_segments(Elf* elf, ElfFacts& facts) {
  size_t count = 0;
  size_t size = 0;
  const char* bytes = elf_rawfile(elf, &size);
  if (elf_getphdrnum(elf, &count) != 0 || bytes == nullptr) {
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment{};
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) != nullptr &&
        segment.p_type == PT_INTERP && segment.p_offset < size &&
        segment.p_filesz <= size - segment.p_offset) {
      std::string_view path(bytes + segment.p_offset, segment.p_filesz);
      facts.interpreter = path.substr(0, path.find('\0'));
    }
  }
}

void read_dynamic(Elf* elf, Elf_Data* data, const GElf_Shdr& header, ElfFacts& facts) {
  GElf_Dyn entry{};
  for (int i = 0; gelf_getdyn(data, i, &entry) != nullptr; ++i) {
    if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_SONAME) {
      continue;
    }
    if (const char* name = elf_strptr(elf, header.sh_link, entry.d_un.d_val); name != nullptr) {
      entry.d_tag == DT_NEEDED ? facts.needed.emplace_back(name) : facts.soname.assign(name);
    }
  }
}

void read_symbols(Elf* elf, Elf_Data* data, const GElf_Shdr& header, ElfFacts& facts) {
  GElf_Sym symbol{};
  for (int i = 0; gelf_getsym(data, i, &symbol) != nullptr; ++i) {
    int type = GELF_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC)) {
      continue;
    }
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    for (std::string_view wanted : kAllocatorNames) {
      if (name != nullptr && wanted == name) {
        facts.definitions.insert(name);
      }
    }
  }
}

void read_sections(Elf* elf, ElfFacts& facts) {
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) {
    names = 0;
  }
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr) {
      continue;
    }
    if (header.sh_type == SHT_NOTE && names != 0) {
      const char* name = elf_strptr(elf, names, header.sh_name);
      facts.burrow |= name != nullptr && std::string_view(name) == ".note.burrow";
    }
    bool dynamic = header.sh_type == SHT_DYNAMIC;
    bool symbols = header.sh_type == SHT_DYNSYM || header.sh_type == SHT_SYMTAB;
    Elf_Data* data = dynamic || symbols ? elf_getdata(section, nullptr) : nullptr;
    if (data != nullptr && dynamic) {
      read_dynamic(elf, data, header, facts);
    } else if (data != nullptr) {
      read_symbols(elf, data, header, facts);
    }
  }
}

}  // namespace

std::optional<ElfFacts> read_elf(const std::string& path) {
  elf_version(EV_CURRENT);
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return std::nullopt;
  }
  std::optional<ElfFacts> facts;
  struct stat status{};
  Elf* elf = fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
                 ? elf_begin(fd, ELF_C_READ_MMAP, nullptr)
                 : nullptr;
  GElf_Ehdr header{};
  if (elf != nullptr && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) != nullptr) {
    facts.emplace();
    int own_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    facts->foreign = gelf_getclass(elf) != own_class || header.e_machine != own_machine();
    read_segments(elf, *facts);
    read_sections(elf, *facts);
  }
  elf_end(elf);
  close(fd);
  return facts;
}

}  // namespace burrow::cmd
