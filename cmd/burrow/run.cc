// `burrow run`. See commands.h.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

#include "commands.h"
#include "console.h"
#include "debug/address.h"
#include "heap/least_limit.h"
#include "os/os.h"
#include "os/signal_watch.h"
#include "program.h"

extern char** environ;

namespace burrow::cmd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLibrary = "libburrow_malloc.so";

// Beside the command (in a build), or where an installed command has its libraries.
std::string find_library() {
  std::error_code error;
  fs::path own = fs::read_symlink("/proc/self/exe", error);
  for (const char* folder : {".", "../lib", "../" BURROW_LIBDIR, "../lib/" BURROW_ARCHITECTURE}) {
    fs::path path = own.parent_path() / folder / kLibrary;
    if (fs::exists(path, error)) {
      return fs::canonical(path, error).string();
    }
  }
  return {};
}

// As exec takes them, with a null at the end.
std::vector<char*> as_pointers(std::vector<std::string>& words) {
  std::vector<char*> all(words.size() + 1, nullptr);
  std::transform(words.begin(), words.end(), all.begin(),
                 [](std::string& word) { return word.data(); });
  return all;
}

/// The environment of the program to be, by name.
class Environment {
 public:
  Environment() {
    for (char** e = environ; *e != nullptr; ++e) {
      std::string_view item(*e);
      size_t equals = item.find('=');
      if (equals != std::string_view::npos) {
        items_.emplace_back(item);
      }
    }
  }

  [[nodiscard]] std::string get(std::string_view name) const {
    for (const std::string& item : items_) {
      if (item.starts_with(name) && item[name.size()] == '=') {
        return item.substr(name.size() + 1);
      }
    }
    return {};
  }

  void set(std::string_view name, const std::string& value) {
    std::erase_if(items_, [&](const std::string& item) {
      return item.starts_with(name) && item[name.size()] == '=';
    });
    items_.push_back(std::string(name) + "=" + value);
  }

  /// Before what is there, unless it is there.
  void prepend(std::string_view name, const std::string& value, char separator) {
    std::string old = get(name);
    std::string between(1, separator);
    if (old.empty()) {
      set(name, value);
    } else if ((between + old + between).find(between + value + between) == std::string::npos) {
      set(name, value + between + old);
    }
  }

  [[nodiscard]] std::vector<char*> pointers() { return as_pointers(items_); }

 private:
  std::vector<std::string> items_;
};

std::string absolute(const std::string& path) {
  std::error_code error;
  fs::path whole = fs::absolute(path, error);
  return error ? path : whole.lexically_normal().string();
}

std::string complaint_about_profile(const std::string& path) {
  std::error_code error;
  fs::path whole = absolute(path);
  if (path.empty() || fs::is_directory(whole, error)) {
    return "it is no file's name";
  }
  if (!fs::is_directory(whole.parent_path(), error)) {
    return "there is no folder " + whole.parent_path().string();
  }
  if (access(whole.parent_path().c_str(), W_OK) != 0 && access(whole.c_str(), W_OK) != 0) {
    return "it cannot be written";
  }
  return "";
}

// Sets what the library reads; the message when an option is wrong.
std::string set_options(const RunOptions& options, Environment& environment) {
  if (options.http) {
    std::string address = options.http->starts_with("unix:") && options.http->size() > 5
                              ? "unix:" + absolute(options.http->substr(5))
                              : *options.http;
    if (std::string wrong = debug::parse_address(address).error; !wrong.empty()) {
      return "--http " + *options.http + ": " + wrong;
    }
    environment.set("BURROW_HTTP", address);
  }
  if (options.profile) {
    if (std::string wrong = complaint_about_profile(*options.profile); !wrong.empty()) {
      return "--profile " + *options.profile + ": " + wrong;
    }
    environment.set("BURROW_PROFILE", absolute(*options.profile));
  }
  if (options.signal) {
    if (!os::signal_number(*options.signal)) {
      return "--signal " + *options.signal + ": write a signal to spare, such as USR1 or RTMIN+3";
    }
    if (environment.get("BURROW_PROFILE").empty()) {
      return "--signal " + *options.signal + ": say by --profile where to write";
    }
    environment.set("BURROW_PROFILE_SIGNAL", *options.signal);
  }
  if (options.rate) {
    std::optional<size_t> bytes = os::parse_bytes(*options.rate);
    if (!bytes || *bytes > INT64_MAX) {
      return "--rate " + *options.rate + ": write bytes, such as 512K; 1 samples all, 0 nothing";
    }
    environment.set("BURROW_PROFRATE", std::to_string(*bytes));
  }
  if (options.memory_limit) {
    std::optional<size_t> bytes = os::parse_bytes(*options.memory_limit);
    if (!bytes && *options.memory_limit != "off") {
      return "--memlimit " + *options.memory_limit + ": write bytes, such as 512M or 2G, or off";
    }
    if (bytes && *bytes < heap::kLeastLimit) {
      return "--memlimit " + *options.memory_limit +
             ": no program runs in so little; write a unit, such as 512M or 2G";
    }
    environment.set("BURROW_MEMLIMIT", *options.memory_limit);
  }
  if (options.hardened) {
    environment.prepend("BURROW_DEBUG", "hardened=1", ',');
  }
  environment.set("BURROW_OWNER_PID", std::to_string(getpid()));
  return "";
}

// Python takes small objects from arenas that it maps itself. Who asks for a profile wants to see
// them.
void show_python(const RunOptions& options, Environment& environment) {
  std::optional<std::string> path = find_program(options.command[0]);
  if ((!options.http && !options.profile) || !environment.get("PYTHONMALLOC").empty() || !path) {
    return;
  }
  std::vector<std::string> arguments(options.command.begin() + 1, options.command.end());
  if (fs::path(program_behind(*path, arguments)).filename().string().starts_with("python")) {
    environment.set("PYTHONMALLOC", "malloc");
    complain(0,
             "PYTHONMALLOC=malloc is set, so that the profile has Python's small objects "
             "(PYTHONMALLOC=pymalloc: without)");
  }
}

}  // namespace

int run(const RunOptions& options) {
  Environment environment;
  if (std::string wrong = set_options(options, environment); !wrong.empty()) {
    return complain(kUsage, wrong);
  }
  std::string library = find_library();
  if (library.empty()) {
    return complain(kFailed,
                    "libburrow_malloc.so is neither beside the command nor in ../lib; "
                    "build or install Burrow as a whole");
  }
  if (library.find_first_of(": \t$") != std::string::npos) {
    return complain(kFailed, "LD_PRELOAD cannot name " + library +
                                 "; install Burrow to a path without blanks, colons and dollars");
  }
  show_python(options, environment);
  const std::string& name = options.command[0];
  bool preload = true;
  if (std::optional<std::string> path = find_program(name); path) {
    std::vector<std::string> arguments(options.command.begin() + 1, options.command.end());
    if (std::optional<Obstacle> obstacle = find_obstacle(*path, arguments);
        obstacle && obstacle->linked) {
      preload = false;  // settings are for the Burrow that is there
    } else if (obstacle) {
      preload = !obstacle->fatal;
      complain(0, "warning: " + *path + " " + obstacle->reason +
                      (preload ? "" : "; it runs without Burrow"));
    }
  }
  if (preload) {
    environment.prepend("LD_PRELOAD", library, ':');
  }
  std::vector<std::string> words = options.command;
  std::vector<char*> argv = as_pointers(words);
  execvpe(name.c_str(), argv.data(), environment.pointers().data());
  int error = errno;
  return complain(error == ENOENT ? 127 : 126, "cannot run " + name + ": " + error_text(error));
}

}  // namespace burrow::cmd
