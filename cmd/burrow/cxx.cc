// `burrow c++`: clang++-19 with the plugin, the headers and the library. See commands.h.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "commands.h"
#include "console.h"
#include "cxx_request.h"

namespace burrow::cmd {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCompiler = "clang++-19";

constexpr std::string_view kUsageText =
    "Usage: burrow c++ [-m | -m=2 | -m=json] [--barriers] [--elide-new] [--summaries=FILE]... "
    "ARGS...\n"
    "Compiles and links as clang++-19 does, with Burrow's plugin, headers and library, and as "
    "C++20\n"
    "unless -std says otherwise. A link to the command by the name of clang++ or c++ does the "
    "same.\n"
    "  -m           say on standard error what lives on the stack, and what escapes\n"
    "  -m=2         and by which flow\n"
    "  -m=json      the same for programs, one object a line\n"
    "  --barriers   write barriers for plain pointers: only if all of the program has them\n"
    "  --elide-new  move to the stack what new or malloc makes, too\n"
    "  --summaries=FILE  rely on what this object or archive says of its functions' parameters\n"
    "All else is clang's; exit codes are the compiler's.\n";

/// Where the parts lie: beside the command in a build, in lib and include when installed.
struct Parts {
  fs::path plugin, library, include;
};

bool find_parts(Parts& parts) {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path installed = here.parent_path();
  for (const fs::path& lib : {here, installed / BURROW_LIBDIR,
                              installed / "lib" / BURROW_ARCHITECTURE, installed / "lib"}) {
    if (fs::exists(lib / "burrow-plugin.so", error)) {
      parts.plugin = lib / "burrow-plugin.so";
      parts.library = lib;
      break;
    }
  }
  for (const fs::path& root : {installed, installed.parent_path()}) {
    if (fs::exists(root / "include/burrow/heap.h", error)) {
      parts.include = root / "include";
      break;
    }
  }
  return !parts.plugin.empty() && !parts.include.empty();
}

/// Options of the plugin go to the compiler proper alone: the assembler, which -save-temps and
/// inputs of assembly start with the same -mllvm, has not loaded it.
void add_plugin_option(std::vector<std::string>& command, const std::string& option) {
  command.insert(command.end(), {"-Xclang", "-mllvm", "-Xclang", option});
}

std::vector<std::string> command_line(const CxxRequest& request, const Parts& parts) {
  const std::string plugin = parts.plugin.string();
  // What follows is for compiling or for linking, and clang shall not say that it is unused.
  std::vector<std::string> command = {kCompiler,
                                      "--start-no-unused-arguments",
                                      "-fplugin=" + plugin,
                                      "-fpass-plugin=" + plugin,
                                      "-D__BURROW_PLUGIN__",
                                      "-I" + parts.include.string()};
  if (request.only_cxx) {
    command.emplace_back("-std=c++20");  // one that the user gives comes later and counts
  }
  if (request.lto) {
    command.insert(command.end(), {"-fuse-ld=lld-19", "-Wl,--load-pass-plugin=" + plugin});
  }
  if (!request.optimised) {
    // Says where variables begin, without which every loop carries what is in them.
    command.insert(command.end(), {"-Xclang", "-fsanitize-address-use-after-scope"});
  }
  if (!request.explain.empty()) {
    add_plugin_option(command, "-burrow-m=" + request.explain);
    command.emplace_back("-fno-discard-value-names");
    if (!request.debug_info) {
      command.emplace_back("-gline-tables-only");
    }
  }
  if (request.barriers) {
    add_plugin_option(command, "-burrow-barriers");
  }
  if (request.elide_new) {
    add_plugin_option(command, "-burrow-elide-new");
  }
  for (const std::string& file : request.summaries) {
    add_plugin_option(command, "-burrow-summaries=" + file);
    // With -MD the object depends on the file.
    command.insert(command.end(), {"-Xclang", "-fdepfile-entry=" + file});
  }
  command.emplace_back("--end-no-unused-arguments");
  command.insert(command.end(), request.rest.begin(), request.rest.end());
  if (request.links) {
    const std::string library = parts.library.string();
    command.insert(command.end(), {"--start-no-unused-arguments", "-L" + library,
                                   "-Wl,-rpath," + library, "-lburrow"});
    if (request.archives_only) {
      command.insert(command.end(), {"-ldeflate", "-lhttp_parser", "-pthread"});
    }
    command.emplace_back("--end-no-unused-arguments");
  }
  return command;
}

// NOLINTBEGIN(concurrency-mt-unsafe): one thread

/// The compiler on PATH, past links by its name to this command.
std::string find_compiler() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const char* path = getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path file = fs::path(folder.empty() ? "." : folder) / kCompiler;
    if (access(file.c_str(), X_OK) == 0 && fs::is_regular_file(file, error) &&
        !fs::equivalent(file, self, error)) {
      return file.string();
    }
  }
  return {};
}

/// ccache knows of no input but the preprocessed source, and would go on giving an object that
/// relies on what the files said before.
void tell_ccache(const std::vector<std::string>& summaries) {
  const char* set = getenv("CCACHE_EXTRAFILES");
  std::string all = set != nullptr ? set : "";
  std::error_code error;
  for (const std::string& file : summaries) {
    if (fs::exists(file, error)) {
      all += (all.empty() ? "" : ":") + file;
    }
  }
  if (!all.empty()) {
    setenv("CCACHE_EXTRAFILES", all.c_str(), 1);
  }
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace

int cxx(const std::vector<std::string>& arguments) {
  if (arguments.empty() || (arguments.size() == 1 && arguments[0] == "--help")) {
    std::cout << kUsageText;
    return arguments.empty() ? kUsage : 0;
  }
  Parts parts;
  if (!find_parts(parts)) {
    return complain(kFailed,
                    "c++: burrow-plugin.so or the headers are not beside the command: "
                    "build them (./dev build) or install Burrow");
  }
  const CxxRequest request = read_cxx_request(arguments);
  if (!request.wrong.empty()) {
    return complain(kUsage, "c++: " + request.wrong);
  }
  std::string compiler = find_compiler();
  if (compiler.empty()) {
    return complain(127, "c++: there is no clang++-19 on PATH; install Debian's clang-19");
  }
  tell_ccache(request.summaries);
  std::vector<std::string> command = command_line(request, parts);
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  execv(compiler.c_str(), argv.data());
  return complain(126, "c++: cannot run " + compiler + ": " + error_text(errno));
}

bool is_compiler_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "c++" || name.ends_with("-c++") || name.ends_with("clang++") ||
         name.starts_with("clang++-");
}

}  // namespace burrow::cmd
