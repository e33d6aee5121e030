// A class of another file that calls closures: what its object says of them is relied on in
// main.cc.
#pragma once

#include <burrow/closure.h>

struct P {
  long x, y;
};

struct Loop {
  int calls = 0;

  void post(const burrow::Closure<void>& task);
  P* ask(const burrow::Closure<P*>& question);
};
