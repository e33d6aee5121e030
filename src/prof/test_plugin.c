/* A library for unwind_modules_test.cc, built twice: the same code at the same offsets, but the
   frame of plugin_call is FRAME_BYTES long. */
void plugin_call(void (*f)(void*), void* argument);

__attribute__((visibility("default"), noinline)) void plugin_call(void (*f)(void*),
                                                                  void* argument) {
  volatile char frame[FRAME_BYTES];
  __asm__ volatile("" : : "r"(frame) : "memory"); /* the whole of it is needed */
  f(argument);
  __asm__ volatile("" : : "r"(frame) : "memory");
}
