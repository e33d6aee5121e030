// The arguments of the command. See commands.h.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <climits>
#include <functional>
#include <iostream>
#include <memory>

#include "commands.h"
#include "console.h"
#include "fetch.h"
#include "symbolize.h"
#include "top.h"

namespace burrow::cmd {
namespace {

// What a subcommand is called with, and what it does.
struct Action {
  RunOptions run;
  TopOptions top;
  FetchOptions fetch;
  bool cut = false;  ///< "--" stood among the arguments of run, and command has what followed
  std::string topic;
  std::function<int()> go;
};

/// CLI11's help, with a usage line that shows what follows the options.
class Help : public CLI::Formatter {
 public:
  explicit Help(std::string usage) : usage_(std::move(usage)) {}

  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
    return "Usage: " + usage_ + "\n";
  }

 private:
  std::string usage_;
};

void add_run(CLI::App& app, Action& action) {
  RunOptions& o = action.run;
  CLI::App* sub = app.add_subcommand("run", "Run a program on Burrow's malloc, with its profiles");
  sub->formatter(std::make_shared<Help>("burrow run [OPTIONS] -- CMD [ARGS...]"));
  sub->add_option("--http", o.http,
                  "Serve profiles at HOST:PORT (port 0: a free one) or unix:/PATH")
      ->type_name("ADDR");
  sub->add_option(
         "--profile", o.profile,
         "Write the heap profile there when the program ends; with %p in the name, one for "
         "each process")
      ->type_name("OUT.pb.gz");
  sub->add_option("--signal", o.signal,
                  "Write it on this signal too, such as USR1; the program goes on")
      ->type_name("NAME");
  sub->add_option("--rate", o.rate, "Mean bytes between samples: 1 is all, 0 none (default 524288)")
      ->type_name("BYTES");
  sub->add_option("--memlimit", o.memory_limit, "The most memory the heap may hold, such as 512M")
      ->type_name("BYTES");
  sub->add_flag("--hardened", o.hardened, "Quarantine, canaries and guard pages against misuse");
  sub->footer("Exit codes: the program's; 127 not found, 126 cannot be run, 2 wrong arguments.");
  // What follows "--" has been cut off; without it, the first word that is no option starts CMD.
  sub->prefix_command();
  sub->callback([sub, &action] {
    std::vector<std::string>& command = action.run.command;
    std::vector<std::string> before = sub->remaining();
    if (!before.empty() && action.cut) {
      before.emplace_back("--");  // it was the program's own
    }
    if (!before.empty() && before[0].starts_with('-')) {
      throw CLI::ParseError("run has no option " + before[0], CLI::ExitCodes::ExtrasError);
    }
    command.insert(command.begin(), before.begin(), before.end());
    if (command.empty()) {
      throw CLI::ParseError("run needs a program: burrow run [OPTIONS] -- CMD [ARGS...]",
                            CLI::ExitCodes::RequiredError);
    }
    action.go = [&action] { return run(action.run); };
  });
}

// A number in a range, with a message of its own.
CLI::Validator between(int least, int most) {
  return {[=](const std::string& text) {
            int value = 0;
            auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            bool fine = error == std::errc() && end == text.data() + text.size() &&
                        value >= least && value <= most;
            return fine ? std::string()
                        : text + " is no number from " + std::to_string(least) + " to " +
                              std::to_string(most);
          },
          ""};
}

constexpr int kMostSeconds = 1'000'000;

void add_top(CLI::App& app, Action& action) {
  TopOptions& o = action.top;
  CLI::App* sub = app.add_subcommand("top", "Print where a profile's allocations come from");
  sub->formatter(std::make_shared<Help>("burrow top [OPTIONS] FILE|URL"));
  sub->add_option("source", o.source, "A pprof profile, or where one is served")
      ->type_name("FILE|URL")
      ->required();
  sub->add_option(
         "--by", o.type,
         "alloc_objects, alloc_space, inuse_objects or inuse_space (default: the profile's)")
      ->type_name("TYPE");
  sub->add_option("-n", o.rows, "Rows to print, 0 for all (default 20)")
      ->type_name("COUNT")
      ->check(between(0, INT_MAX));
  sub->add_flag("--lines", o.lines, "A row for each line, not for each function");
  sub->add_flag("--std", o.library_frames,
                "Show frames of the C++ library (std::) too; else they count as their callers'");
  sub->add_flag("--cum", o.by_cum, "Sort by cum, not by flat");
  sub->add_option("--unit", o.unit, "B, kB, MB, GB (default: what suits)")->type_name("UNIT");
  sub->add_option("--timeout", o.timeout, "Seconds to wait for a server")
      ->type_name("SECONDS")
      ->check(between(1, kMostSeconds));
  sub->footer(
      "flat is what a function allocates itself, cum what it and those it calls allocate. The "
      "line\n"
      "is the one with the most of it. The figures are those of `go tool pprof -top` with\n"
      "-hide='^(std|__gnu_cxx)::'; with --std, those without.");
  sub->callback([&action] { action.go = [&action] { return top(action.top); }; });
}

void add_fetch(CLI::App& app, Action& action) {
  FetchOptions& o = action.fetch;
  CLI::App* sub = app.add_subcommand("fetch", "Write a profile that is served to a file");
  sub->formatter(std::make_shared<Help>("burrow fetch [OPTIONS] URL -o FILE"));
  sub->add_option("source", o.source, "http://HOST:PORT/PATH, HOST:PORT, unix:/PATH[:/PATH]")
      ->type_name("URL")
      ->required();
  sub->add_option("-o,--output", o.output, "The file; - is standard output")
      ->type_name("FILE")
      ->required();
  sub->add_option("--timeout", o.timeout, "Seconds to wait (default 60, or what seconds= needs)")
      ->type_name("SECONDS")
      ->check(between(1, kMostSeconds));
  sub->footer("Without a path, the URL's is /debug/pprof/heap.");
  sub->callback([&action] { action.go = [&action] { return fetch(action.fetch); }; });
}

bool has_subcommand(const CLI::App& app, const std::string& name) {
  std::vector<const CLI::App*> all = app.get_subcommands([](const CLI::App*) { return true; });
  return std::any_of(all.begin(), all.end(),
                     [&](const auto* sub) { return sub->get_name() == name; });
}

CLI::ParseError no_subcommand(const std::string& name) {
  return {"there is no subcommand " + name, CLI::ExitCodes::RequiredError};
}

void add_others(CLI::App& app, Action& action) {
  app.add_subcommand("classes", "Print the size classes and what rounding to them wastes")
      ->callback([&action] { action.go = classes; });
  app.add_subcommand("c++", "Compile and link with the plugin, the headers and the library");
  app.add_subcommand("symbolize", "Answer where addresses are in the source (for the library)")
      ->footer(
          "Reads from standard input M PATH, B BUILDID and A HEXADDRESS lines; prints for each A\n"
          "F FUNCTION<tab>FILE<tab>LINE<tab>SYMBOL<tab>OFFSET lines, innermost first, and a dot.")
      ->callback([&action] { action.go = symbolize; });
  app.add_subcommand("version", "Print the version")->callback([&action] {
    action.go = [] {
      std::cout << "burrow " BURROW_VERSION "\n";
      return 0;
    };
  });
  CLI::App* help = app.add_subcommand("help", "Print this help, or that of a subcommand");
  help->add_option("SUBCOMMAND", action.topic)->type_name("");
  help->callback([&app, &action] {
    if (!action.topic.empty() && !has_subcommand(app, action.topic)) {
      throw no_subcommand(action.topic);
    }
    const CLI::App* topic = action.topic.empty() ? &app : app.get_subcommand(action.topic);
    action.go = [topic] {
      std::string name = topic->get_parent() == nullptr ? "burrow" : "burrow " + topic->get_name();
      std::cout << topic->get_formatter()->make_help(topic, name, CLI::AppFormatMode::Normal);
      return 0;
    };
  });
}

std::string one_line(std::string text) {
  for (char& c : text) {
    c = c == '\n' ? ' ' : c;
  }
  return text;
}

int main_with_arguments(int argc, char** argv) {
  CLI::App app("Burrow: Go's memory management under any program", "burrow");
  app.require_subcommand(1, 1);
  app.set_version_flag("-V,--version", "burrow " BURROW_VERSION);
  app.footer("burrow SUBCOMMAND --help tells more.");
  Action action;
  add_run(app, action);
  add_top(app, action);
  add_fetch(app, action);
  add_others(app, action);
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (argc > 0 && is_compiler_name(argv[0])) {
    return cxx(arguments);
  }
  if (!arguments.empty() && arguments[0] == "c++") {
    return cxx({arguments.begin() + 1, arguments.end()});  // the options are the compiler's
  }
  if (!arguments.empty() && arguments[0] == "run") {
    auto mark = std::find(arguments.begin(), arguments.end(), "--");
    action.cut = mark != arguments.end();
    action.run.command.assign(action.cut ? mark + 1 : mark, arguments.end());
    arguments.erase(mark, arguments.end());
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    const std::string first = arguments.empty() ? "" : arguments.back();
    if (!first.empty() && !first.starts_with('-') && !has_subcommand(app, first)) {
      throw no_subcommand(first);
    }
    app.parse(std::move(arguments));
  } catch (const CLI::Success& done) {
    return app.exit(done);  // --help, --version
  } catch (const CLI::ParseError& error) {
    return complain(kUsage, one_line(error.what()) + " (burrow --help tells how)");
  }
  return action.go();
}

}  // namespace
}  // namespace burrow::cmd

int main(int argc, char** argv) {
  return burrow::cmd::main_with_arguments(argc, argv);
}
