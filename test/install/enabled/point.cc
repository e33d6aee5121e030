#include "point.h"

int64_t coordinates(const Point* p) {
  return p->x + p->y;
}
