#pragma once

#include <cstdint>

struct Point {
  int64_t x;
  int64_t y;
};

int64_t coordinates(const Point* p);
