// A program that uses an installed Burrow: its malloc is Burrow's, and the public functions work.
#include <burrow/heap.h>
#include <burrow/pprof.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace {

constexpr size_t kMiB = size_t{1} << 20;

void expect(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "consumer: not so: %s\n", what);
    std::exit(1);
  }
}

// What malloc, new and a container take shows in Burrow's figures.
void check_figures() {
  burrow::MemStats before = burrow::read_mem_stats();
  void* block = std::malloc(4 * kMiB);
  std::vector<std::string> strings(1000, std::string(1000, 'x'));
  void* aligned = std::aligned_alloc(4096, kMiB);
  burrow::MemStats after = burrow::read_mem_stats();
  expect(after.heap_alloc - before.heap_alloc >= 6 * kMiB, "allocations are in the figures");
  expect(after.heap_objects - before.heap_objects >= 1003, "objects are counted");
  std::free(aligned);
  std::free(block);
}

void check_limit() {
  int64_t former = burrow::set_memory_limit(64 * kMiB);
  bool thrown = false;
  try {
    ::operator delete(::operator new(256 * kMiB));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  burrow::set_memory_limit(former);
  expect(thrown, "operator new throws above the limit");
}

void check_fork() {
  pid_t child = fork();
  if (child == 0) {
    std::free(std::malloc(kMiB));
    _exit(0);
  }
  int status = -1;
  expect(waitpid(child, &status, 0) == child && status == 0, "a child of fork allocates");
}

}  // namespace

int main(int argc, char** argv) {
  expect(argc == 2, "usage: consumer PROFILE");
  burrow::set_mem_profile_rate(1);
  void* sampled = std::malloc(kMiB);
  check_figures();
  check_limit();
  check_fork();
  expect(burrow::write_heap_profile(argv[1]), "the profile is written");
  burrow::free_os_memory();
  std::free(sampled);
  std::puts("consumer: all well");
}
