// Sanitizers' runtimes, which bring a malloc of their own. See os.h.
#pragma once

namespace burrow::os {

/// The name of the sanitizer whose malloc must serve the process; null without one.
[[nodiscard]] const char* sanitizer();

/// Ends the program with one line if it runs under such a sanitizer and `own_malloc` would serve it
/// all the same: the sanitizer's functions, which this layer calls, crash then before main. If the
/// sanitizer's malloc does, says what Burrow then leaves out. Called before anything else of the
/// heap's start. `own_malloc` may be null: then there is none.
void refuse_sanitizer(void* own_malloc);

}  // namespace burrow::os
