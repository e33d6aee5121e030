// What these share: the real headers, a place that keeps everything, functions that are not known.
#pragma once

#include <burrow/any.h>
#include <burrow/func.h>
#include <burrow/gc.h>
#include <burrow/slice.h>

inline void* sink;
inline burrow::Func<int()> kept_function;
inline burrow::Any kept_any;

extern "C" void unknown(void* p);

struct Big {
  long a, b, c;
};
