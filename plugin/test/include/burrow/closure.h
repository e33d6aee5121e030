// Func of the library, as far as the plugin sees it: captures joined with code by marks.
#pragma once

#include "make.h"

#ifdef __BURROW_PLUGIN__
extern "C" {
void* burrow_closure_made(void* captures, void* code) noexcept;
void* burrow_closure_used(void* captures) noexcept;
}
#endif

namespace burrow {

template <class R>
class Closure {
 public:
  template <class F>
  Closure(F f) : captures_(made(make<F>(f), &call<F>)), code_(&call<F>) {}

  R operator()() const { return code_(used(captures_)); }

 private:
  using Code = R (*)(void*);

  template <class F>
  static R call(void* captures) {
    return (*static_cast<F*>(captures))();
  }

#ifdef __BURROW_PLUGIN__
  static void* made(void* captures, Code code) {
    return burrow_closure_made(captures, reinterpret_cast<void*>(code));
  }

  static void* used(void* captures) { return burrow_closure_used(captures); }
#else
  static void* made(void* captures, Code) { return captures; }

  static void* used(void* captures) { return captures; }
#endif

  void* captures_;
  Code code_;
};

}  // namespace burrow
