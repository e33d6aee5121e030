/* A C program that has the C library's malloc and loads a plugin: plugin_host PLUGIN [deep]. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kCount = 20000 };

int main(int argc, char** argv) {
  int deep = argc > 2 && strcmp(argv[2], "deep") == 0 ? RTLD_DEEPBIND : 0;
  void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | deep);
  if (plugin == NULL) {
    printf("%s\n", dlerror());
    return 2;
  }
  long (*lost)(void**, long) = (long (*)(void**, long))dlsym(plugin, "plugin_lost");
  void** block = malloc(kCount * sizeof(void*));
  long n = lost(block, kCount);
  free(block);
  printf("lost %ld\n", n);
  return n != 0;
}
