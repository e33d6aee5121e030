// dlopen with RTLD_DEEPBIND: such a library looks for malloc in itself and in the C library before
// the program. What it allocates would be the C library's, which `free` can tell (foreign.cc); what
// it frees would be ours, which the C library's free cannot tell. So the C library's names lead to
// ours before the first such library is bound. See shim.h.
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

#include <array>
#include <atomic>

#include "base/printer.h"
#include "os/symbol_table.h"
#include "shim/foreign.h"
#include "shim/next_function.h"
#include "shim/shim.h"

extern "C" {
BURROW_EXPORT int setrlimit(int resource, const void* now);
BURROW_EXPORT int prlimit(int process, int resource, const void* now, void* before);
void cfree(void* p);
// This library's own, whatever the program's is: an alias in malloc.cc.
BURROW_HIDDEN void* burrow_own_malloc(size_t size);
}

namespace burrow::shim {
namespace {

using Open = void* (*)(const char*, int);

constinit std::atomic<Open> g_next{nullptr};

template <typename F>
void* address(F* f) {
  return reinterpret_cast<void*>(f);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // mallinfo

bool redirect() {
  find_foreign_heap();
  const std::array redirections = {
      os::Redirection{"malloc", address(malloc)},
      os::Redirection{"free", address(free)},
      os::Redirection{"cfree", address(free)},
      os::Redirection{"calloc", address(calloc)},
      os::Redirection{"realloc", address(realloc)},
      os::Redirection{"reallocarray", address(reallocarray)},
      os::Redirection{"memalign", address(memalign)},
      os::Redirection{"aligned_alloc", address(aligned_alloc)},
      os::Redirection{"posix_memalign", address(posix_memalign)},
      os::Redirection{"valloc", address(valloc)},
      os::Redirection{"pvalloc", address(pvalloc)},
      os::Redirection{"malloc_usable_size", address(malloc_usable_size)},
      os::Redirection{"malloc_trim", address(malloc_trim)},
      os::Redirection{"malloc_info", address(malloc_info)},
      os::Redirection{"malloc_stats", address(malloc_stats)},
      os::Redirection{"mallinfo", address(mallinfo)},
      os::Redirection{"mallinfo2", address(mallinfo2)},
      os::Redirection{"mallopt", address(mallopt)},
      os::Redirection{"__libc_malloc", address(malloc)},
      os::Redirection{"__libc_free", address(free)},
      os::Redirection{"__libc_calloc", address(calloc)},
      os::Redirection{"__libc_realloc", address(realloc)},
      os::Redirection{"__libc_memalign", address(memalign)},
      os::Redirection{"__libc_valloc", address(valloc)},
      os::Redirection{"__libc_pvalloc", address(pvalloc)},
      os::Redirection{"__libc_reallocarray", address(reallocarray)},
      os::Redirection{"__libc_mallopt", address(mallopt)},
      os::Redirection{"__posix_memalign", address(posix_memalign)},
      os::Redirection{"setrlimit", address(setrlimit)},
      os::Redirection{"setrlimit64", address(setrlimit)},
      os::Redirection{"prlimit", address(prlimit)},
      os::Redirection{"prlimit64", address(prlimit)},
  };
  return os::redirect_c_library(redirections);
}

#pragma GCC diagnostic pop

// What a library that is bound deeply may be opened with. Where the program runs on another heap
// than ours, all is as without us.
int served_mode(const char* file, int mode) {
  static constinit std::atomic<bool> served{false};
  if ((mode & RTLD_DEEPBIND) == 0 || served.load(std::memory_order_acquire) ||
      os::bound_function("malloc") != address(burrow_own_malloc)) {
    return mode;
  }
  // Twice at once does no harm.
  if (redirect()) {
    served.store(true, std::memory_order_release);
    return mode;
  }
  FixedPrinter<512> out;
  out << "burrow: warning: dlopen of " << (file == nullptr ? "the program" : file)
      << " without RTLD_DEEPBIND: the C library's symbols cannot be changed, and its malloc does "
         "not know Burrow's blocks\n";
  out.write_to(2);
  return mode & ~RTLD_DEEPBIND;
}

}  // namespace
}  // namespace burrow::shim

// The loader looks for the file where the caller's RUNPATH says, and it knows the caller by the
// return address: hence a jump, not a call.
extern "C" BURROW_EXPORT void* dlopen(const char* file, int mode) noexcept {
  mode = burrow::shim::served_mode(file, mode);
  auto open = burrow::shim::next_function(burrow::shim::g_next, "dlopen");
  if (open == nullptr) {
    return nullptr;  // a static program: there is no loader
  }
#ifdef __clang__
  [[clang::musttail]]
#endif
  return open(file, mode);
}
