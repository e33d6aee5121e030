/* A shared object with much to look through, that tests load and unload. */
void* loaded_roots[1 << 20];

static _Thread_local void* loaded_local[64];

void** loaded_thread_local(void) {
  return &loaded_local[17];
}
