// The command `burrow`: starts programs under Burrow and reads what they tell.
//
// What. `run` puts Burrow's malloc, its profiles and its server under a program as it is; `top` and
// `fetch` read profiles; `classes` and `version` tell about the build; `symbolize` is what the
// library calls to learn functions and lines.
//
// How.
//  1. main.cc declares the arguments (CLI11) and calls one function for each subcommand. Each
//     returns the exit code: 0, 1 when the work failed, 2 when it was asked for wrongly.
//  2. run.cc sets the environment and becomes the program (exec, never fork): its number, exit code
//     and signals are the program's. program.cc looks at the file before, to warn of programs that
//     the preload cannot reach.
//  3. symbolize.cc answers questions about addresses, with libdw (debug_info.h, function_index.h).
//  4. profile.h reads pprof's protobuf, report.h makes pprof's table of it, top.cc prints it.
//  5. fetch.cc speaks HTTP, over TCP and Unix sockets, by libcurl.
//
// Invariants. An error is one line on standard error that begins with "burrow: ". Nothing but
// what was asked for goes to standard output. `top` gives the figures of `go tool pprof -top`, with
// the C++ library's frames hidden unless `--std` asks for them.
//
// Locks. None: one thread.
//
// Rejected.
//  - Fork and wait in `run`: signals, job control, exit codes and process numbers would have to be
//    passed on, and never quite are.
//  - An HTTP client of our own for `fetch`: libcurl knows TLS, proxies and IPv6 already.
//  - std::regex for drop_frames: it recurses by the character, and its syntax is not Go's. RE2 is
//    what Go's is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace burrow::cmd {

/// What `burrow run` was asked for.
struct RunOptions {
  std::optional<std::string> http;
  std::optional<std::string> profile;
  std::optional<std::string> signal;
  std::optional<std::string> rate;
  std::optional<std::string> memory_limit;
  bool hardened = false;
  std::vector<std::string> command;
};

/// Becomes the program; returns only when that fails, with the shell's exit codes: 127 not found,
/// 126 cannot be executed.
int run(const RunOptions& options);

/// Becomes the compiler, with the plugin: what follows `burrow c++`. Returns only when that fails.
int cxx(const std::vector<std::string>& arguments);

/// Whether a program called so is a compiler: then the command is `burrow c++`.
bool is_compiler_name(std::string_view path);

/// Prints the size classes with what rounding to them wastes.
int classes();

}  // namespace burrow::cmd
