// What the corpus shares: a place that keeps everything, and functions that are not known.
#pragma once

#include "make.h"

using burrow::make;
using burrow::make_array;

inline void* sink;

extern "C" void unknown(void* p);
extern "C" void* unknown_result();
extern "C" void promises(__attribute__((noescape)) const void* p);

struct Node {
  int value;
  Node* next;
};

struct Pair {
  int* first;
  int* second;
};
