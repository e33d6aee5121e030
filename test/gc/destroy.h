// What destroy.cc needs from inside the library.
#pragma once

#include <string>

/// Plants a fault; "" is none.
void plant(const std::string& fault);

/// Waits until destructors that are due have run.
void drain();
