// Functions of known frame shapes for unwind_rows_test.cc. Each calls `f` and returns how often it
// did so through this shape. See test_frames.cc and test_frames_x86_64.S.
#pragma once

#include <cstddef>

extern "C" {

using Callback = void (*)(void*);

// Compiled twice: with frame pointers and without.
int plain_with_fp(Callback f, void* argument);
int plain_without_fp(Callback f, void* argument);
int variable_frame_with_fp(Callback f, void* argument, size_t bytes);
int variable_frame_without_fp(Callback f, void* argument, size_t bytes);
int large_frame_with_fp(Callback f, void* argument);
int large_frame_without_fp(Callback f, void* argument);
int recurse_with_fp(Callback f, void* argument, int depth);
int recurse_without_fp(Callback f, void* argument, int depth);
[[noreturn]] void never_returns_with_fp(Callback f, void* argument);
[[noreturn]] void never_returns_without_fp(Callback f, void* argument);

// Assembly: GCC's stack alignment (CFA in the word at rbp - 8); a CFA in rbx, which no row can
// say; a frame pointer that is used for something else.
void aligned_like_gcc(Callback f, void* argument);
void cfa_in_rbx(Callback f, void* argument);
void rbp_is_data(Callback f, void* argument);
}
