// Allocates in `grow`, and then does what its argument says until a line, or a signal, comes.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void* g_kept[1000];

[[gnu::noinline]] void grow() {
  for (void*& block : g_kept) {
    block = std::malloc(5000);
  }
}

}  // namespace

int main(int /*argc*/, char** argv) {
  grow();
  const char* what = argv[1];
  if (std::strcmp(what, "own") == 0) {
    std::signal(SIGTERM, [](int) { _exit(7); });
  } else if (std::strcmp(what, "fork") == 0) {
    // A child that is sent the signal dies of it.
    pid_t child = fork();
    if (child == 0) {
      for (;;) {
        pause();
      }
    }
    usleep(100'000);
    kill(child, SIGTERM);
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("%d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    return 0;
  } else if (std::strcmp(what, "exit") == 0) {
    return 3;
  }
  std::puts("ready");
  std::fflush(stdout);
  (void)std::getchar();
}
