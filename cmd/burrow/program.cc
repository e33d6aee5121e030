// What can be seen in a program's file before it runs. See program.h.
#include "program.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "elf_file.h"
#include "os/os.h"

namespace burrow::cmd {
namespace {

struct Library {
  std::string_view name;  ///< how its file name begins
  bool aborts = false;    ///< does not run when it is not the first library
};

constexpr std::array<Library, 12> kAllocatorLibraries = {{
    {"libjemalloc"},
    {"libtcmalloc"},
    {"libmimalloc"},
    {"libhoard"},
    {"libtbbmalloc_proxy"},
    {"librpmalloc"},
    {"libsnmalloc"},
    {"libasan", true},
    {"libclang_rt.asan", true},
    {"libtsan", true},
    {"libclang_rt.tsan", true},
    {"libclang_rt.msan", true},
}};

bool is_executable(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

// The kernel tells the dynamic linker to ignore preloads when a program gains rights.
bool gains_rights(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return false;
  }
  bool sets_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != getuid();
  bool sets_group = (status.st_mode & S_ISGID) != 0 && status.st_gid != getgid();
  bool capabilities =
      getuid() != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
  return sets_user || sets_group || capabilities;
}

// `env [-i] [NAME=VALUE]... PROGRAM`: the program, as far as it is easy to see.
std::optional<std::string> program_of_env(const std::vector<std::string>& arguments) {
  for (const std::string& word : arguments) {
    if (word.starts_with('-')) {
      if (word != "-S" && word != "-i" && word != "-") {
        return std::nullopt;
      }
    } else if (word.find('=') == std::string::npos) {
      return find_program(word);
    }
  }
  return std::nullopt;
}

std::optional<Obstacle> judge(const ElfFacts& elf) {
  if (elf.foreign) {
    return Obstacle{"is built for another machine than Burrow's library is"};
  }
  bool needs = std::any_of(elf.needed.begin(), elf.needed.end(), [](const std::string& library) {
    return library.starts_with("libburrow.so");
  });
  if (elf.burrow || needs) {
    return Obstacle{"has Burrow in it", false, true};
  }
  if (elf.interpreter.empty()) {
    if (elf.soname.starts_with("ld-linux")) {
      return std::nullopt;
    }
    return Obstacle{"is linked statically, so that no library can be put under it"};
  }
  if (elf.interpreter.find("ld-musl") != std::string::npos) {
    return Obstacle{"is built for musl, and Burrow's library needs glibc", true};
  }
  for (const std::string& library : elf.needed) {
    for (const Library& known : kAllocatorLibraries) {
      if (library.starts_with(known.name)) {
        return known.aborts
                   ? Obstacle{"is built with a sanitizer (" + library + "), which has to be first",
                              true}
                   : Obstacle{"brings its own allocator, " + library +
                              ": what it asks by that library's own names is not Burrow's"};
      }
    }
  }
  if (elf.definitions.contains("__interceptor_malloc")) {
    return Obstacle{"is built with a sanitizer, which replaces malloc itself", true};
  }
  if (!elf.definitions.empty()) {
    return Obstacle{"brings its own allocator (it defines " + *elf.definitions.begin() + ")"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return is_executable(name) ? std::optional(name) : std::nullopt;
  }
  const char* variable = os::env("PATH");
  std::string_view path = variable == nullptr ? std::string_view("/bin:/usr/bin") : variable;
  while (!name.empty()) {
    size_t end = std::min(path.find(':'), path.size());
    std::string candidate(path.substr(0, end));  // an empty one is the current folder
    candidate += candidate.empty() ? "" : "/";
    candidate += name;
    if (is_executable(candidate)) {
      return candidate;
    }
    if (end == path.size()) {
      break;
    }
    path.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::vector<std::string> interpreter_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  // The kernel reads no more than this.
  std::array<char, 256> buffer{};
  file.read(buffer.data(), buffer.size());
  std::string_view line(buffer.data(), static_cast<size_t>(file.gcount()));
  line = line.substr(0, line.find('\n'));
  std::vector<std::string> words;
  if (!line.starts_with("#!")) {
    return words;
  }
  line.remove_prefix(2);
  while (!line.empty()) {
    size_t start = std::min(line.find_first_not_of(" \t\r"), line.size());
    line.remove_prefix(start);
    size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    if (end > 0) {
      words.emplace_back(line.substr(0, end));
    }
    line.remove_prefix(end);
  }
  return words;
}

std::string program_behind(const std::string& path, const std::vector<std::string>& arguments) {
  std::string program = path;
  std::vector<std::string> words = arguments;
  // The kernel follows at most four scripts; `env` is one step more.
  constexpr int kMostSteps = 8;
  for (int step = 0; step < kMostSteps; ++step) {
    if (std::vector<std::string> script = interpreter_of(program); !script.empty()) {
      words.insert(words.begin(), program);
      words.insert(words.begin(), script.begin() + 1, script.end());
      program = script[0];
      continue;
    }
    if (program.ends_with("/env")) {
      if (std::optional<std::string> next = program_of_env(words); next && *next != program) {
        program = *next;
        words.clear();
        continue;
      }
    }
    break;
  }
  return program;
}

std::optional<Obstacle> find_obstacle(const std::string& path,
                                      const std::vector<std::string>& arguments) {
  const std::string program = program_behind(path, arguments);
  std::optional<Obstacle> obstacle;
  if (gains_rights(program)) {
    obstacle = Obstacle{
        "gains rights when it starts (setuid, setgid or capabilities), and preloads are ignored "
        "then"};
  } else if (std::optional<ElfFacts> elf = read_elf(program); elf) {
    obstacle = judge(*elf);
  }
  if (obstacle && program != path) {
    obstacle->reason = "runs " + program + ", which " + obstacle->reason;
  }
  return obstacle;
}

}  // namespace burrow::cmd
