// misuse CASE: misuses the heap in one way and then goes on; Burrow must end it. See
// misuse_test.py.
#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <thread>

#include "under_test.h"

using heap_abi::opaque;

namespace {

char* block(size_t size) {
  return static_cast<char*>(opaque(malloc(size)));
}

void churn(size_t size) {
  void* blocks[3000];
  for (void*& p : blocks) {
    p = opaque(malloc(size));
  }
  for (void* p : blocks) {
    free(p);
  }
}

void free_elsewhere(void* p) {
  std::thread([p] { free(opaque(p)); }).join();
}

struct Case {
  const char* name;
  void (*run)();
};

const Case kCases[] = {
    {"stack",
     [] {
       alignas(16) char local[64] = {};
       free(opaque<void*>(local));
     }},
    {"global", [] { free(opaque<void*>(const_cast<char*>("a string"))); }},
    {"mapped",
     [] {
       free(
           opaque(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
     }},
    {"wild", [] { free(opaque(reinterpret_cast<void*>(0xdeadbeefdeadbeef))); }},
    {"low", [] { free(opaque(reinterpret_cast<void*>(16))); }},
    {"interior", [] { free(opaque(block(48) + 16)); }},
    {"unaligned", [] { free(opaque(block(48) + 1)); }},
    {"large-interior", [] { free(opaque(block(100000) + 8192)); }},
    {"large-unaligned", [] { free(opaque(block(100000) + 1)); }},
    {"never-allocated", [] { free(opaque(block(100000) + (size_t{1} << 34))); }},
    {"never-handed-out", [] { free(opaque(block(8) + 8)); }},
    {"never-handed-out-far", [] { free(opaque(block(8) + 500 * 8)); }},
    {"never-handed-out-page", [] { free(opaque(block(96) + size_t{150} * 96)); }},
    {"never-handed-out-delete",
     [] {
       ::operator delete(opaque(static_cast<char*>(::operator new(96)) + size_t{10} * 96),
                         size_t{96});
     }},
    {"never-handed-out-realloc", [] { (void)opaque(realloc(opaque(block(8) + 500 * 8), 100)); }},
    {"usable-size-interior", [] { (void)opaque(malloc_usable_size(opaque(block(48) + 16))); }},
    {"usable-size-free",
     [] {
       char* p = block(48);
       free(opaque(p));
       (void)opaque(malloc_usable_size(opaque(p)));
     }},
    {"realloc-interior", [] { (void)opaque(realloc(opaque(block(48) + 16), 100)); }},
    {"double",
     [] {
       char* p = block(48);
       free(opaque(p));
       free(opaque(p));
     }},
    {"double-later",
     [] {
       char* p = block(48);
       free(opaque(p));
       void* others[40];
       for (void*& q : others) {
         q = block(64);
       }
       for (void* q : others) {
         free(q);
       }
       free(opaque(p));
     }},
    {"double-thread",
     [] {
       char* p = block(48);
       free_elsewhere(p);
       free(opaque(p));
     }},
    {"double-by-threads",
     [] {
       char* p = block(48);
       free_elsewhere(p);
       free_elsewhere(p);
     }},
    {"double-large",
     [] {
       char* p = block(100000);
       free(opaque(p));
       free(opaque(p));
     }},
    {"double-realloc",
     [] {
       char* p = block(48);
       free(opaque(p));
       (void)opaque(realloc(opaque(p), 100));
     }},
    {"double-written",
     [] {
       // The mark is gone; the span's bitmap still knows.
       char* p = block(48);
       free(opaque(p));
       malloc_trim(0);
       memset(p, 0, 48);
       free(opaque(p));
       malloc_trim(0);
     }},
    {"delete-size", [] { ::operator delete(opaque(::operator new(48)), size_t{200}); }},
    {"delete-array-size", [] { ::operator delete[](opaque(::operator new[](2000)), size_t{20}); }},
    {"delete-large-size",
     [] { ::operator delete(opaque(::operator new(1 << 20)), size_t{100000}); }},
    {"delete-aligned-size",
     [] {
       ::operator delete(opaque(::operator new(300, std::align_val_t{128})), size_t{30},
                         std::align_val_t{128});
     }},
    {"write-after-free",
     [] {
       char* p = block(48);
       free(opaque(p));
       *opaque(p) = 'x';
       churn(48);
     }},
    {"write-after-free-thread",
     [] {
       char* p = block(48);
       free_elsewhere(p);
       memset(opaque(p), 0x41, 8);
       churn(48);
     }},
    {"overflow-1",
     [] {
       char* p = block(100);
       opaque(p)[100] = 'x';
       free(opaque(p));
     }},
    {"overflow-far",
     [] {
       char* p = block(100);
       opaque(p)[280] = 'x';
       free(opaque(p));
     }},
    {"overflow-next",
     [] {
       char* p = block(8);
       opaque(p)[malloc_usable_size(p) + 202] = 'x';
       free(opaque(p));
     }},
    {"overflow-realloc",
     [] {
       char* p = block(100);
       opaque(p)[100] = 'x';
       (void)opaque(realloc(opaque(p), 200));
     }},
    {"use-after-free-any",
     [] {
       char* p = block(100);
       free(opaque(p));
       opaque(p)[57] = 'x';
       for (int i = 0; i < 20; ++i) {
         churn(100);
       }
     }},
    {"guard-overflow",
     [] {
       for (int i = 0; i < 1000; ++i) {
         char* p = block(4096);
         (void)opaque(p[opaque(4096)]);
         free(p);
       }
     }},
    {"guard-use-after-free",
     [] {
       for (int i = 0; i < 1000; ++i) {
         char* p = block(100);
         free(opaque(p));
         (void)opaque(p[opaque(10)]);
       }
     }},
    {"exhaust",  // no misuse: takes all there is, and prints how many MiB
     [] {
       size_t bytes = 0;
       while (char* p = block(65536)) {
         memset(p, 1, 65536);
         bytes += 65536;
       }
       fprintf(stdout, "%zu MiB, ", bytes >> 20);
     }},
    {"nothing",
     [] {
       churn(100);
       churn(5000);
     }},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Case& c : kCases) {
    if (argc == 2 && std::string_view(argv[1]) == c.name) {
      c.run();
      fprintf(stdout, "went on\n");
      return 0;
    }
  }
  return 2;
}
