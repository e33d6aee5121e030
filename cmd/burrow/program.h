// What can be seen in a program's file before it runs. See commands.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace burrow::cmd {

/// Finds a command as execvp does; nullopt when there is none that can be executed.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

/// Why Burrow does not serve (all of) a program, and whether preloading would even break it.
struct Obstacle {
  std::string reason;   ///< in words, after the program's path
  bool fatal = false;   ///< the program would not start with the preload
  bool linked = false;  ///< none: Burrow is in the program, and a preload would be a second one
};

/// The program that runs in the end: scripts and `env` are followed, as far as it is easy to see.
std::string program_behind(const std::string& path, const std::vector<std::string>& arguments);

/// Looks at the program at `path`, or at the interpreter of a script; nullopt when nothing is in
/// the way. `arguments` are those after the name, which tell what `env` will run.
[[nodiscard]] std::optional<Obstacle> find_obstacle(const std::string& path,
                                                    const std::vector<std::string>& arguments);

/// The words of a script's first line, interpreter first; empty when the file is no script.
[[nodiscard]] std::vector<std::string> interpreter_of(const std::string& path);

}  // namespace burrow::cmd
