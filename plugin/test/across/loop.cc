// Calls closures, whose captures its callers charge.
#include "loop.h"

void Loop::post(const burrow::Closure<void>& task) {
  ++calls;
  task();
}

P* Loop::ask(const burrow::Closure<P*>& question) {
  ++calls;
  return question();
}
