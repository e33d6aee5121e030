// What conditions_test.py runs under vm.overcommit_memory=2.
//
//   beyond BYTES   asks for more than can be had, and then for what can
//   fork BYTES     forks with a heap of that size
//   charge BYTES   prints what the process is charged for: at first, with the bytes, without them,
//   with
//                  them again
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr size_t kBlock = size_t{1} << 20;

std::vector<char*> allocate(size_t bytes) {
  std::vector<char*> blocks(bytes / kBlock);
  for (char*& block : blocks) {
    block = static_cast<char*>(std::malloc(kBlock));
    if (block == nullptr) {
      std::abort();
    }
    std::memset(block, 1, kBlock);
  }
  return blocks;
}

void release(const std::vector<char*>& blocks) {
  for (char* block : blocks) {
    std::free(block);
  }
}

// Bytes in mappings that the kernel charges ("ac").
size_t charged() {
  std::FILE* maps = std::fopen("/proc/self/smaps", "re");
  char line[4096];
  size_t total = 0;
  unsigned long kib = 0;
  while (maps != nullptr && std::fgets(line, sizeof line, maps) != nullptr) {
    (void)std::sscanf(line, "Size: %lu kB", &kib);  // NOLINT(cert-err34-c): the kernel's own
    if (std::strncmp(line, "VmFlags:", 8) == 0 && std::strstr(line, " ac") != nullptr) {
      total += kib << 10;
    }
  }
  if (maps != nullptr) {
    (void)std::fclose(maps);
  }
  return total;
}

int beyond(size_t limit) {
  errno = 0;
  void* volatile block = std::malloc(limit);
  bool refused = block == nullptr && errno == ENOMEM;
  release(allocate(64 * kBlock));
  std::puts(refused ? "refused, works on" : "not refused");
  return 0;
}

int fork_with(size_t bytes) {
  std::vector<char*> blocks = allocate(bytes);
  pid_t child = fork();
  if (child == 0) {
    release(blocks);
    release(allocate(64 * kBlock));
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  release(blocks);
  std::puts(status == 0 ? "forked, works on" : "the child failed");
  return 0;
}

int charge(size_t bytes) {
  size_t before = charged();
  std::vector<char*> blocks = allocate(bytes);
  size_t during = charged();
  release(blocks);
  malloc_trim(0);
  size_t after = charged();
  blocks = allocate(bytes);
  std::printf("%zu %zu %zu %zu\n", before, during, after, charged());
  release(blocks);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  size_t bytes = std::strtoul(argv[2], nullptr, 10);
  if (std::strcmp(argv[1], "beyond") == 0) {
    return beyond(bytes);
  }
  return std::strcmp(argv[1], "fork") == 0 ? fork_with(bytes) : charge(bytes);
}
