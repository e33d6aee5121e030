// Where glibc has thread_locals. See os/stop.h.
#include <dlfcn.h>
#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "os/stop.h"

namespace burrow::os {

uintptr_t thread_pointer() {
  return static_cast<uintptr_t>(pthread_self());
}

size_t thread_descriptor_bytes() {
  static const size_t bytes = [] {
    auto* size = static_cast<const uint32_t*>(dlsym(RTLD_DEFAULT, "_thread_db_sizeof_pthread"));
    constexpr size_t kOfGlibc236 = 0x900;
    return size != nullptr ? *size : kOfGlibc236;
  }();
  return bytes;
}

size_t static_tls_bytes() {
  using Function = void (*)(size_t*, size_t*);
  static const size_t bytes = [] {
    size_t size = 0;
    size_t alignment = 0;
    auto info = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, "_dl_get_tls_static_info"));
    if (info != nullptr) {
      info(&size, &alignment);
    }
    // It counts the descriptor too. Below the block there may be nothing.
    size_t descriptor = thread_descriptor_bytes();
    return size > descriptor ? size - descriptor : size_t{0};
  }();
  return bytes;
}

}  // namespace burrow::os
