// `burrow c++`: clang++-19 with the plugin, the headers and the library. See commands.h.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "commands.h"
#include "console.h"

namespace burrow::cmd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsageText =
    "Usage: burrow c++ [-m | -m=2 | -m=json] [--barriers] [--elide-new] [--summaries=FILE]... "
    "ARGS...\n"
    "Compiles and links as clang++-19 does, with Burrow's plugin, headers and library.\n"
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

struct Request {
  std::string explain;
  bool barriers = false;
  bool elide_new = false;
  std::vector<std::string> summaries;
  bool lto = false;
  bool has_input = false;
  bool debug_info = false;
  bool optimised = false;
  std::vector<std::string> rest;
};

constexpr std::string_view kSummaries = "--summaries=";

Request read_request(const std::vector<std::string>& arguments) {
  Request request;
  for (const std::string& argument : arguments) {
    if (argument == "-m" || argument == "-m=1") {
      request.explain = "1";
    } else if (argument == "-m=2" || argument == "-m=json") {
      request.explain = argument.substr(3);
    } else if (argument == "--barriers") {
      request.barriers = true;
    } else if (argument == "--elide-new") {
      request.elide_new = true;
    } else if (argument.starts_with(kSummaries)) {
      request.summaries.push_back(argument.substr(kSummaries.size()));
    } else {
      request.lto |= argument.starts_with("-flto");
      request.debug_info |= argument.starts_with("-g") && argument != "-g0";
      request.optimised |= argument.starts_with("-O") && argument != "-O0";
      request.has_input |= !argument.starts_with('-') || argument == "-";
      request.rest.push_back(argument);
    }
  }
  return request;
}

std::vector<std::string> command_line(const Request& request, const Parts& parts) {
  const std::string plugin = parts.plugin.string();
  // What follows is for compiling or for linking, and clang shall not say that it is unused.
  std::vector<std::string> command = {"clang++-19",          "--start-no-unused-arguments",
                                      "-fplugin=" + plugin,  "-fpass-plugin=" + plugin,
                                      "-D__BURROW_PLUGIN__", "-I" + parts.include.string()};
  if (request.lto) {
    command.insert(command.end(), {"-fuse-ld=lld-19", "-Wl,--load-pass-plugin=" + plugin});
  }
  if (!request.optimised) {
    // Says where variables begin, without which every loop carries what is in them.
    command.insert(command.end(), {"-Xclang", "-fsanitize-address-use-after-scope"});
  }
  if (!request.explain.empty()) {
    command.insert(command.end(),
                   {"-mllvm", "-burrow-m=" + request.explain, "-fno-discard-value-names"});
    if (!request.debug_info) {
      command.emplace_back("-gline-tables-only");
    }
  }
  if (request.barriers) {
    command.insert(command.end(), {"-mllvm", "-burrow-barriers"});
  }
  if (request.elide_new) {
    command.insert(command.end(), {"-mllvm", "-burrow-elide-new"});
  }
  for (const std::string& file : request.summaries) {
    // With -MD the object depends on the file.
    command.insert(command.end(),
                   {"-mllvm", "-burrow-summaries=" + file, "-Xclang", "-fdepfile-entry=" + file});
  }
  command.emplace_back("--end-no-unused-arguments");
  command.insert(command.end(), request.rest.begin(), request.rest.end());
  if (request.has_input) {
    const std::string library = parts.library.string();
    command.insert(command.end(),
                   {"--start-no-unused-arguments", "-L" + library, "-Wl,-rpath," + library,
                    "-lburrow", "--end-no-unused-arguments"});
  }
  return command;
}

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
  std::vector<std::string> command = command_line(read_request(arguments), parts);
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  return complain(errno == ENOENT ? 127 : 126, "c++: cannot run clang++-19: " + error_text(errno));
}

}  // namespace burrow::cmd
