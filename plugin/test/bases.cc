// Loops whose pointers have a base to be kept, or none. See bases_test.py.
extern "C" {
void work();
long sink;

long indexed(long* row, long n) {
  long s = 0;
  for (long x = n - 1; x >= 0; --x) {
    s += row[x];
    work();
  }
  return s;
}

long two_exits(long* row, long n) {
  for (long x = 0; x < n; ++x) {
    work();
    if (row[x] == 7) {
      sink = x;
      return 1;
    }
  }
  work();
  return 0;
}

void for_ever(long* row, long n) {
  for (long x = n;; ++x) {
    sink = row[x];
    work();
  }
}

// Once for the outer loop, not for each.
void nested(long* image, long width, long height) {
  for (long y = 0; y < height; ++y) {
    for (long x = 0; x < width; ++x) {
      image[y * width + x] = x;
      work();
    }
  }
}

long variable(long n) {
  long row[8] = {};
  for (long x = 0; x < n; ++x) {
    row[x & 7] += x;
    work();
  }
  return row[3];
}

long table[64];

long global(long n) {
  long s = 0;
  for (long x = 0; x < n; ++x) {
    s += table[x];
    work();
  }
  return s;
}

struct List {
  List* next;
  long v;
};

long list(List* l) {
  long s = 0;
  for (; l; l = l->next) {
    s += l->v;
    work();
  }
  return s;
}

long straight(long* row, long n) {
  long v = row[n];
  work();
  return v + row[n];
}

// Where row[n] would be, in front of the row perhaps, is a value that both come from.
long between(long* row, long n) {
  long v = row[n + 2];
  work();
  return v + row[n + 1];
}
}
