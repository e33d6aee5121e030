// The helper process that reads debug information. See helper.h.
//
// The child is made by clone without an exit signal: no SIGCHLD reaches the program, and its
// wait(-1) passes over the child (only __WALL finds it). It shares the memory until it executes,
// as vfork's does, so that a large heap need not be copied.
#include "prof/helper.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "os/descriptor.h"
#include "os/os.h"

namespace burrow::prof {
namespace {

constexpr int64_t kTimeoutNs = 30'000'000'000;

// Ends with the child, which it kills unless it was told to wait.
class Running {
 public:
  explicit Running(int pid) : pid_(pid) {}

  ~Running() {
    if (pid_ > 0 && !finished_) {
      kill(pid_, SIGKILL);
    }
    while (pid_ > 0 && waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }

  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void set_finished(bool finished) { finished_ = finished; }

 private:
  int pid_;
  bool finished_ = false;
};

struct Child {
  const char* path;
  char* const* argv;
  char* const* envp;
  int input;
  int output;
};

// Runs in the child, on memory it shares with the parent: system calls only.
int run_child(void* raw) {
  const auto& c = *static_cast<Child*>(raw);
  for (int s = 1; s < NSIG; ++s) {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    sigaction(s, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  // The child has one thread. NOLINTNEXTLINE(concurrency-mt-unsafe)
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dup2(c.input, 0) == 0 && dup2(c.output, 1) == 1) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 2);
    close_range(3, ~0U, 0);  // what the program has open is not the helper's to hold
    execve(c.path, c.argv, c.envp);
  }
  _exit(127);
}

// Read when the library is loaded: later another thread may be changing the environment.
std::array<char, 4096> g_configured_path;

__attribute__((constructor)) void read_configured_path() {
  const char* path = os::env("BURROW_SYMBOLIZER");
  if (path != nullptr && std::strlen(path) < g_configured_path.size()) {
    std::memcpy(g_configured_path.data(), path, std::strlen(path) + 1);
  }
}

std::string symbolizer_path() {
  if (os::secure_execution()) {
    return {};  // the loader goes by the name that the user has started the program with
  }
  if (g_configured_path[0] != '\0') {
    return g_configured_path.data();
  }
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&run_child), &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  std::string folder(info.dli_fname);
  folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/') + 1);
  for (const char* candidate : {"burrow", "../bin/burrow", "../../bin/burrow"}) {
    std::string path = folder + candidate;
    if (access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return {};
}

int spawn(Child& child) {
  constexpr size_t kStack = 64 * 1024;
  void* stack = os::map_memory(kStack);
  if (stack == nullptr) {
    return -1;
  }
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int pid = clone(run_child, static_cast<char*>(stack) + kStack, CLONE_VM | CLONE_VFORK, &child);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  os::unmap_memory(stack, kStack);
  return pid;
}

// Reads to the end of the pipe, or until the time is up (then false).
bool read_all(int fd, std::string& out) {
  int64_t deadline = os::monotonic_ns() + kTimeoutNs;
  std::array<char, 65536> buffer;
  for (;;) {
    int64_t left = deadline - os::monotonic_ns();
    pollfd p{fd, POLLIN, 0};
    if (left <= 0 || poll(&p, 1, static_cast<int>(left / 1'000'000) + 1) == 0) {
      return false;
    }
    ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n > 0) {
      out.append(buffer.data(), static_cast<size_t>(n));
    } else if (n == 0) {
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0) {
      return false;
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
  return lseek(fd, 0, SEEK_SET) == 0;
}

}  // namespace

std::string run_symbolizer(const std::string& input) {
  std::string path = symbolizer_path();
  if (path.empty() || access(path.c_str(), X_OK) != 0) {
    return {};
  }
  // No environment: the program's may be changing, and nothing in it is meant for the helper.
  std::array<char*, 1> envp = {nullptr};
  std::string name = "burrow";
  std::string command = "symbolize";
  std::array<char*, 3> argv = {name.data(), command.data(), nullptr};
  std::string result;
  os::Descriptor in(memfd_create("burrow-symbolize", MFD_CLOEXEC));
  int ends[2] = {-1, -1};
  if (in.get() < 0 || !write_all(in.get(), input) || pipe2(ends, O_CLOEXEC) != 0) {
    return result;
  }
  os::Descriptor from(ends[0]);
  os::Descriptor to(ends[1]);
  Child child{path.c_str(), argv.data(), envp.data(), in.get(), to.get()};
  int pid = spawn(child);
  Running running(pid);
  to.close();
  if (pid > 0) {
    running.set_finished(read_all(from.get(), result));
  }
  return result;
}

}  // namespace burrow::prof
