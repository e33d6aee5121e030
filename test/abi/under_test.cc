// See under_test.h.
#include "under_test.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>

namespace heap_abi {

void* find(const char* name) {
  return dlsym(RTLD_DEFAULT, name);
}

namespace {

size_t statm(int field) {
  FILE* file = fopen("/proc/self/statm", "re");
  size_t pages[2] = {};
  if (file == nullptr || fscanf(file, "%zu %zu", &pages[0], &pages[1]) != 2) {
    abort();
  }
  fclose(file);
  return pages[field] * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

unsigned char byte_at(size_t i, unsigned seed) {
  return static_cast<unsigned char>(i * 7 + seed * 31 + 1);
}

}  // namespace

size_t address_space_bytes() {
  return statm(0);
}

size_t resident_bytes() {
  return statm(1);
}

int errno_after(const std::function<void()>& body) {
  errno = kUntouched;
  body();
  return errno;
}

void fill(void* p, size_t bytes, unsigned seed) {
  auto* at = static_cast<unsigned char*>(p);
  for (size_t i = 0; i < bytes; ++i) {
    at[i] = byte_at(i, seed);
  }
}

bool holds(const void* p, size_t bytes, unsigned seed) {
  const auto* at = static_cast<const unsigned char*>(p);
  for (size_t i = 0; i < bytes; ++i) {
    if (at[i] != byte_at(i, seed)) {
      return false;
    }
  }
  return true;
}

}  // namespace heap_abi
