// A program that ends, or waits, in the way that its argument names. See endings_test.py.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "burrow/chan.h"
#include "burrow/debug.h"
#include "burrow/go.h"
#include "burrow/stack.h"
#include "sched/park.h"

namespace {

using burrow::go;

bool stay(void* /*unused*/) {
  return true;
}

__attribute__((noinline)) void wait_for_ever() {
  burrow::sched::park(burrow::sched::WaitReason::kChanRecv, stay, nullptr);
  asm volatile("");
}

__attribute__((noinline)) void throw_something() {
  throw std::runtime_error("something is wrong");
}

__attribute__((noinline)) int recurse(int depth, const volatile char* above) {
  volatile char here[200];
  here[0] = 1;
  here[1 + depth % 199] = above[0];
  if (above[0] == 0) {
    return 0;  // never
  }
  int below = recurse(depth + 1, here);
  return below + here[0];
}

void say(const char* line) {
  std::printf("%s\n", line);
  std::fflush(stdout);
}

// Returns when every other goroutine waits. There is one processor, so this one runs only while
// main and the others do not; a yield lets those run that have not yet.
void let_all_wait() {
  for (int i = 0; i < 100; ++i) {
    burrow::yield();
  }
}

__attribute__((noinline)) void compute_for_ever() {
  say("ready");
  while (true) {
    asm volatile("");
  }
}

void handler_of_the_program(int /*number*/) {
  static constexpr char kText[] = "handler of the program\n";
  (void)!write(1, kText, sizeof kText - 1);
  _exit(7);
}

// What a child of fork does, which has this goroutine only. 0: all went well.
int in_child(std::string_view how) {
  if (how == "exec") {
    execl("/bin/echo", "echo", "in the child", nullptr);
  } else if (how == "go") {
    go([] {});
  } else if (how == "yield") {
    burrow::yield();
  } else if (how == "sleep") {
    burrow::sleep_for(std::chrono::milliseconds(1));
  } else if (how == "wait") {
    wait_for_ever();
  } else if (how == "chan") {
    (void)burrow::Chan<int>().recv();
  } else if (how == "trim") {
    return burrow::trim_stacks() == 0 ? 0 : 1;
  } else if (how == "blocking") {
    return burrow::blocking([] { return getppid() > 0; }) ? 0 : 1;
  } else if (how == "quit") {
    raise(SIGQUIT);
  } else if (how == "overflow") {
    char first = 1;
    recurse(0, &first);
  }
  return 1;
}

// Runs in_child while goroutines wait at every processor; and counts those that ran twice.
void child_of_fork(std::string_view how) {
  auto* copies = static_cast<std::atomic<int>*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pid_t parent = getpid();
  std::atomic<bool> stop{false};
  std::atomic<int> ended{0};
  for (int i = 0; i < 8; ++i) {
    go([&, parent] {
      while (!stop.load()) {
        burrow::yield();
        if (getpid() != parent) {
          copies->fetch_add(1);
        }
      }
      ended.fetch_add(1);
    });
  }
  pid_t child = fork();
  if (child == 0) {
    if (how == "end") {
      return;
    }
    _exit(in_child(how));
  }
  int status = 0;
  burrow::blocking([&] { waitpid(child, &status, 0); });
  stop.store(true);
  while (ended.load() < 8) {
    burrow::yield();
  }
  std::printf("child %d copies %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
              copies->load());
  std::fflush(stdout);
}

void wait_with_timer() {
  go([] { burrow::sleep_for(std::chrono::milliseconds(300)); });
  wait_for_ever();
}

void serve() {
  burrow::set_processors(1);
  burrow::DebugServer server = burrow::serve_debug("127.0.0.1:0");
  for (int i = 0; i < 10; ++i) {
    go(wait_for_ever);
  }
  go(let_all_wait);
  // From outside, so that none but the eleven are left when the test asks.
  std::thread([&server] {
    while (burrow::num_goroutine() != 11) {
      std::this_thread::yield();
    }
    say(server.url.c_str());
  }).detach();
  burrow::sleep_for(std::chrono::hours(1));
}

int end_by(std::string_view how) {
  if (how == "exception") {
    go(throw_something);
    wait_for_ever();
  } else if (how == "number") {
    go([] { throw 42; });
    wait_for_ever();
  } else if (how == "panic") {
    burrow::sched::panic("send on closed channel");
  } else if (how == "deadlock") {
    go(wait_for_ever);
    wait_for_ever();
  } else if (how == "deadlock-after-timer") {
    wait_with_timer();
  } else if (how == "overflow") {
    char first = 1;
    go([&first] { recurse(0, &first); });
    wait_for_ever();
  } else if (how == "segv-handler" || how == "segv") {
    if (how == "segv-handler") {
      signal(SIGSEGV, handler_of_the_program);
    }
    volatile int* nowhere = nullptr;
    *nowhere = 1;
  } else if (how == "quit") {
    burrow::set_processors(1);
    go(wait_for_ever);
    go([] {
      let_all_wait();
      compute_for_ever();
    });
    burrow::sleep_for(std::chrono::hours(1));
  } else if (how.starts_with("fork-")) {
    child_of_fork(how.substr(5));
  } else if (how == "serve") {
    serve();
  } else if (how == "gdb") {
    wait_for_ever();
  }
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view how = argc > 1 ? argv[1] : "";
  if (how == "thread-may-wake") {
    // A thread outside could still wake the goroutine: that is no deadlock.
    std::atomic<burrow::sched::Goroutine*> waiting{nullptr};
    std::thread other([&] {
      while (waiting.load() == nullptr) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      burrow::sched::ready(waiting.load());
    });
    burrow::run([&] {
      waiting.store(burrow::sched::current());
      burrow::sched::park(burrow::sched::WaitReason::kChanRecv, nullptr, nullptr);
    });
    other.join();
    std::puts("woken");
    return 0;
  }
  return burrow::run([&] { return end_by(how); });
}
