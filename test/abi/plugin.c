/* A plugin that allocates for others and frees for others. See dlopen_test.cc. */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void *plugin_allocate(size_t size) {
  char *p = malloc(size);
  memset(p, 'p', size);
  return p;
}

char *plugin_text(void) { return strdup("a text of the plugin, long enough for a block of its own"); }

void plugin_free(void *p) { free(p); }

/* The program has one of the same name: RTLD_DEEPBIND tells which is called. */
const char *whose_name(void) { return "the plugin"; }

const char *plugin_name(void) { return whose_name(); }

static void in_fork(void) { free(malloc(3000)); }

/* Ours or the C library's: both ways across the border between two modules. */
__attribute__((constructor)) static void begin(void) {
  free(malloc(100));
  free(strdup("allocated by the C library, freed by the plugin"));
  pthread_atfork(in_fork, in_fork, in_fork);
}

__attribute__((destructor)) static void end(void) { free(malloc(100)); }
