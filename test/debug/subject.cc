// The program that the tests of the debug server watch. Reads commands from standard input, one a
// line, and answers each with "ok" and what the command has to say.
//
//   keep COUNT BYTES    allocates blocks and keeps them
//   churn COUNT BYTES   allocates and frees
//   drop                frees what was kept
//   threads COUNT       starts threads that allocate and free until "join"
//   gorge MIB           limits its address space; a thread takes all of it and gives it back, until
//                       "join", which then says how often
//   fork                makes a child that lives until "reap"; says its number
//   address             where `subject_keep` is
//   sigpipe             what SIGPIPE does: "default", or else
//   fds                 the lowest descriptors that are open, up to 20
//   daemon              as daemon(3); the answer comes from the daemon
//   setuid              drops to another user when it may
//   closefrom           closes all descriptors from 3 on
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

std::vector<void*> g_kept;
std::vector<std::thread> g_threads;
std::atomic<bool> g_stop{false};
std::atomic<size_t> g_times_out{0};
pid_t g_child = 0;
int g_child_pipe = -1;

}  // namespace

// Exported by name, so that the dynamic symbols of a stripped program have them.
extern "C" {

__attribute__((noinline, visibility("default"))) void subject_keep(size_t count, size_t bytes) {
  for (size_t i = 0; i < count; ++i) {
    void* block = std::malloc(bytes);
    std::memset(block, 1, bytes);
    g_kept.push_back(block);
  }
}

__attribute__((noinline, visibility("default"))) void subject_churn(size_t count, size_t bytes) {
  for (size_t i = 0; i < count; ++i) {
    void* volatile block = std::malloc(bytes);
    std::free(block);
  }
}

__attribute__((noinline, visibility("default"))) void subject_drop() {
  for (void* block : g_kept) {
    std::free(block);
  }
  g_kept.clear();
}

}  // extern "C"

namespace {

void start_threads(size_t count) {
  g_stop = false;
  for (size_t i = 0; i < count; ++i) {
    g_threads.emplace_back([i] {
      while (!g_stop.load(std::memory_order_relaxed)) {
        subject_churn(1000, 64 + 200 * i);
      }
    });
  }
}

// Blocks of all sizes, large ones first, so that in the end there is nothing left of any.
void take_all_and_give_back() {
  struct Block {
    Block* next;
  };

  Block* all = nullptr;
  for (size_t size = size_t{8} << 20; size >= 64; size /= 8) {
    while (auto* block = static_cast<Block*>(std::malloc(size))) {
      block->next = all;
      all = block;
    }
  }
  ++g_times_out;
  while (all != nullptr) {
    Block* next = all->next;
    std::free(all);
    all = next;
  }
}

void gorge(size_t mib) {
  rlimit limit{mib << 20, RLIM_INFINITY};
  if (setrlimit(RLIMIT_AS, &limit) != 0) {
    std::abort();
  }
  g_stop = false;
  g_threads.emplace_back([] {
    do {
      take_all_and_give_back();
    } while (!g_stop.load(std::memory_order_relaxed));
  });
}

void join_threads() {
  g_stop = true;
  for (std::thread& t : g_threads) {
    t.join();
  }
  g_threads.clear();
}

std::string make_child() {
  int ends[2];
  if (pipe(ends) != 0) {
    return "no pipe";
  }
  g_child = fork();
  if (g_child == 0) {
    close(ends[1]);
    subject_churn(1000, 100);
    char end = 0;
    while (read(ends[0], &end, 1) > 0) {
    }
    _exit(0);
  }
  close(ends[0]);
  g_child_pipe = ends[1];
  return std::to_string(g_child);
}

std::string reap_child() {
  close(g_child_pipe);
  int status = -1;
  waitpid(g_child, &status, 0);
  return std::to_string(status);
}

std::string sigpipe() {
  struct sigaction action{};
  sigaction(SIGPIPE, nullptr, &action);
  return action.sa_handler == SIG_DFL ? "default" : "changed";
}

std::string low_fds() {
  std::string out;
  for (int fd = 0; fd < 20; ++fd) {
    struct stat status{};
    if (fstat(fd, &status) == 0) {
      out += std::to_string(fd) + ",";
    }
  }
  return out;
}

std::string address_of_keep() {
  char text[32];
  std::snprintf(text, sizeof text, "%p", reinterpret_cast<void*>(&subject_keep));
  return text;
}

std::string become_daemon() {
  return daemon(1, 1) == 0 ? std::to_string(getpid()) : "failed";
}

std::string drop_user() {
  return setuid(65534) == 0 && getuid() == 65534 ? "dropped" : "may not";
}

std::string close_all() {
  for (int fd = 3; fd < 4096; ++fd) {
    close(fd);
  }
  return "closed";
}

std::string run(const std::string& name, size_t a, size_t b) {
  if (name == "keep") {
    subject_keep(a, b);
  } else if (name == "churn") {
    subject_churn(a, b);
  } else if (name == "drop") {
    subject_drop();
  } else if (name == "threads") {
    start_threads(a);
  } else if (name == "gorge") {
    gorge(a);
  } else if (name == "join") {
    join_threads();
    return std::to_string(g_times_out.load());
  } else {
    struct {
      const char* name;
      std::string (*function)();
    } const commands[] = {{"fork", make_child},         {"reap", reap_child},
                          {"sigpipe", sigpipe},         {"fds", low_fds},
                          {"address", address_of_keep}, {"daemon", become_daemon},
                          {"setuid", drop_user},        {"closefrom", close_all}};

    for (const auto& c : commands) {
      if (name == c.name) {
        return c.function();
      }
    }
    return "unknown";
  }
  return "";
}

}  // namespace

int main() {
  g_kept.reserve(1 << 17);  // so that subject_keep allocates its blocks and nothing else
  char line[256];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    char name[32] = "";
    unsigned long a = 0;
    unsigned long b = 0;
    // NOLINTNEXTLINE: the test writes the lines
    std::sscanf(line, "%31s %lu %lu", name, &a, &b);
    std::printf("ok %s\n", run(name, a, b).c_str());
    std::fflush(stdout);
  }
}
