// Ends a compilation that is not C++20 in one line. It is the first include of each public header,
// for the standard library's own headers fail in other languages too.
#pragma once

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "Burrow needs C++20: compile this as C++, with -std=c++20 or later"
// Only a file that is not there ends the compilation, with all that would follow from the above.
#include "Burrow needs -std=c++20"
#endif
