/* A shared object with much to look through, that tests load and unload. */
void* loaded_roots[1 << 20];
