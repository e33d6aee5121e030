// Says whether the system starts it in secure execution, and what Burrow was told by the
// environment. Run by secure_test.py.
#include <sys/auxv.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

int main() {
  std::vector<void*> blocks;
  for (int i = 0; i < 10'000; ++i) {
    blocks.push_back(std::malloc(1000));
  }
  bool refused = std::malloc(size_t{64} << 20) == nullptr;  // over the limit of BURROW_MEMLIMIT
  std::printf("secure %lu limited %d\n", getauxval(AT_SECURE), refused ? 1 : 0);
  for (void* block : blocks) {
    std::free(block);
  }
}
