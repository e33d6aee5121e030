// The heap of programs that tests compile without a library; never compiled with the plugin.
#include <burrow/make.h>

#include <cstdlib>

void* burrow_gc_new(size_t bytes, const burrow::internal::TypeInfo*) {
  return std::calloc(1, bytes);
}

void* burrow_gc_new_array(size_t count, const burrow::internal::TypeInfo* type) {
  return std::calloc(count, type->size);
}
