// Runs one command and prints what it took: {"status","wall","user","sys","peak_kib"} on the
// file descriptor FD. It exists because Linux starts a child's peak RSS at its parent's size at
// exec: under this small process the floor is a MiB or two, under a Python one it would be 15.
// Usage: spawn FD [NAME=VALUE]... -- COMMAND [ARGUMENT]...
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

[[noreturn]] void run_child(int result_fd, char** arguments, char** command) {
  for (; arguments + 1 < command; ++arguments) {
    putenv(*arguments);
  }
  close(result_fd);
  execvp(command[0], command);
  std::fprintf(stderr, "cannot run %s: %s\n", command[0], std::strerror(errno));
  std::_Exit(127);
}

}  // namespace

int main(int argc, char** argv) {
  int separator = 2;
  while (separator < argc && std::strcmp(argv[separator], "--") != 0) {
    ++separator;
  }
  if (separator + 1 >= argc) {
    std::fputs("usage: spawn FD [NAME=VALUE]... -- COMMAND [ARGUMENT]...\n", stderr);
    return 2;
  }
  const int result_fd = std::atoi(argv[1]);
  const double start = now();
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    return 1;
  }
  if (child == 0) {
    run_child(result_fd, argv + 2, argv + separator + 1);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) {
    std::perror("wait4");
    return 1;
  }
  const double wall = now() - start;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  dprintf(result_fd, "{\"status\":%d,\"wall\":%.6f,\"user\":%.6f,\"sys\":%.6f,\"peak_kib\":%ld}\n",
          code, wall, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss);
  return 0;
}
