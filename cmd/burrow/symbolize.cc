// `burrow symbolize`. See symbolize.h.
//
// Each file is read in a process of its own: what libdw takes is given back, and a damaged file on
// which it fails or never ends costs no more than that file's answers.
#include "symbolize.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "console.h"
#include "debug_info.h"
#include "files.h"
#include "os/os.h"
#include "prof/names.h"

namespace burrow::cmd {
namespace {

// Who asks waits for 30 s (src/prof/helper.cc).
constexpr int64_t kAllSeconds = 25;
constexpr int64_t kFileSeconds = 15;
constexpr rlim_t kMostMemory = rlim_t{4} << 30;
constexpr size_t kMostInput = size_t{256} << 20;

// Names may hold anything, lines may not.
std::string field(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  return text;
}

std::string answer(const std::vector<SourceFrame>& frames) {
  std::string text;
  for (const SourceFrame& f : frames) {
    std::string name =
        f.scoped.empty() ? prof::readable_name(f.symbol) : prof::simplify_name(f.scoped);
    text += "F " + field(std::move(name)) + "\t" + field(f.file) + "\t" + std::to_string(f.line) +
            "\t" + field(f.symbol) + "\t" + std::to_string(f.offset) + "\n";
  }
  return text + ".\n";
}

// In the child: what is asked of one file.
void answer_all(const Question& question, int owner, int out) {
  DebugInfo info(question.path, question.build_id, owner);
  std::string text;
  for (uint64_t address : question.addresses) {
    text += answer(info.frames(address));
    // Often enough that a fault later on does not cost what is known.
    constexpr size_t kChunk = 8192;
    if (text.size() > kChunk) {
      (void)write_all(out, text);
      text.clear();
    }
  }
  (void)write_all(out, text);
}

std::string answer_in_child(const Question& question, int64_t seconds) {
  int ends[2] = {-1, -1};
  if (seconds <= 0 || pipe(ends) != 0) {
    return {};
  }
  int owner = getppid();
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    rlimit memory{kMostMemory, kMostMemory};
    setrlimit(RLIMIT_DATA, &memory);
    rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    // Its default action ends the process.
    alarm(static_cast<unsigned>(seconds));
    answer_all(question, owner, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  std::string output = child > 0 ? read_all(ends[0], SIZE_MAX).value_or("") : std::string();
  close(ends[0]);
  while (child > 0 && waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return output;
}

}  // namespace

int symbolize() {
  int64_t deadline = os::monotonic_ns() + kAllSeconds * 1'000'000'000;
  // libdw would ask servers in the network, for minutes.
  unsetenv("DEBUGINFOD_URLS");  // NOLINT(concurrency-mt-unsafe): one thread
  std::optional<std::string> input = read_all(STDIN_FILENO, kMostInput);
  if (!input) {
    return complain(kFailed, "cannot read standard input: " + error_text(errno));
  }
  for (const Question& question : parse_questions(*input)) {
    int64_t left = (deadline - os::monotonic_ns()) / 1'000'000'000;
    std::string output = answer_in_child(question, std::min(left, kFileSeconds));
    if (!write_all(STDOUT_FILENO, whole_answers(output, question.addresses.size()))) {
      return 1;
    }
  }
  return 0;
}

}  // namespace burrow::cmd
