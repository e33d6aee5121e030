"""Random loops over collected arrays, with collections in their midst: see bases_test.py.

Each function sums an array that only its own variables point to, with indices that do not begin at
zero, pointers that step past the ends, or both. A program prints its sums twice, without
collections and with them.
"""
import random
import re

HEADER = """#include <burrow/gc.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#define NOINLINE [[gnu::noinline]]
static long countdown;
static bool collecting;
void* kept;
long origin;
static size_t bytes;
// Somebody else's work. Returns the same number always, which the compiler does not know.
NOINLINE long work() {
  volatile char clean[4096];
  for (auto& c : clean) c = 0;
  if (collecting && --countdown < 0) {
    countdown = 3;
    burrow::collect();
    // Takes the place of what was freed.
    for (int k = 0; k < 64; ++k) memset(burrow::make_array<char>(bytes), 7, bytes);
  }
  return clean[17];
}
NOINLINE void thrown(long n) {
  work();
  if (n == 0) throw 1;
}
template <class T> NOINLINE T* numbered(long n) {
  bytes = n * sizeof(T);
  T* a = burrow::make_array<T>(n);
  for (long i = 0; i < n; i++) a[i].v = i * 3 + 1;
  kept = a;
  work();
  kept = nullptr;
  return a;
}
"""

MAIN = """
int main() {
  volatile long unknown[] = {24, 1000000};
  long n = unknown[0], x0 = origin = unknown[1];
  for (int pass = 0; pass < 2; ++pass) {
    collecting = pass;
    std::printf("pass\\n");
%s  }
}
"""

# The body of `long f(long n, long x0, long x1)`, where x1 is x0 + n. T is the element, A makes an
# array, W is a call that may collect, S a step.
SHAPES = {
    "forward": "T* row = A; for (long x = x0; x < x1; x += S) { s += row[x - x0].v * x; W; }",
    "early": "T* row = A; for (long x = x0; x < x1; x += S) { W; s += row[x - x0].v * x; }",
    "backward": "T* row = A; for (long x = x1 - 1; x >= x0; x -= S) { s += row[x - x0].v * x; W; }",
    "narrow": "T* row = A; int b = int(x0); for (int x = int(x1) - 1; x >= b; --x) { s += row[x - b].v; W; }",
    "walk": "T* p = A; for (long i = n; i-- > 0;) { T* cur = p++; W; s += cur->v; }",
    "walk back": "T* p = A + n; while (n-- > 0) { --p; W; s += p->v * n; }",
    "past": "T* p = A; for (long i = 0; i < n; i += S) { T* cur = p; p += S; W; s += cur->v; }",
    "from the end": "T* e = A + n; for (long i = -n; i < 0; i += S) { s += e[i].v * i; W; }",
    "rows": """T* m = A; for (long y = x0; y < x1 - 20; ++y) for (long x = x1 - 19; x >= x0; --x) {
      s += m[(y - x0) * 6 + (x - x0)].v * x; W; }""",
    "columns": """T* m = A; for (long x = x1 - 19; x >= x0; --x) for (long y = x1 - 21; y >= x0; --y) {
      s += m[(y - x0) * 6 + (x - x0)].v * y; if (y & 1) W; }""",
    "two": """T* a = A; T* b = A; for (long x = x0; x < x1; ++x) {
      s += a[x - x0].v * b[x1 - 1 - x].v; W; }""",
    "found": """T* row = A; long x = x1 - 1; for (; x > x0; --x) { W; if (row[x - x0].v < 10) break; }
      W; W; W; W; W; W; s += row[x - x0].v + x;""",
    "found pointer": """T* p = A + n; while (p[-1].v > 10) { p -= S == 1 ? 1 : 2; W; }
      W; W; W; W; W; W; W; s += p[-1].v;""",
    "again": """T* row = A; for (long x = x1 - 1; x >= x0; --x) { s += row[x - x0].v; W; }
      for (long x = x0; x < x1; ++x) { W; s -= row[x - x0].v * x; }""",
    "sometimes": "T* p = A; for (long i = 0; i < n; ++i) { W; s += p->v; if (p->v + i & 1) ++p; }",
    "for ever": """T* row = A; for (long x = x1 - 1;; --x) { W; s += row[x - x0].v * x;
      if (x == x0) { W; return s + row[x - x0 + 1].v; } }""",
    "thrown": """T* row = A; long x = x1 - 1;
      try { for (;; --x) { s += row[x - x0].v * x; thrown(x - x0); } } catch (int) { W; W; W; }
      s += row[x - x0 + 2].v;""",
    "number": """T* b = (T*)((uintptr_t)A - (x1 - n) * sizeof(T));
      W; W; W; W; s = b[origin + 3].v; W; W; W; W; s += b[origin + 4].v;""",
    "numbers": """T* b = (T*)((uintptr_t)A - (x1 - n) * sizeof(T));
      for (long x = x0; x < x1; ++x) { W; s += b[x].v; }""",
    "number stepped": """uintptr_t b = (uintptr_t)A; for (long x = 0; x < n; ++x) {
      T* cur = (T*)b; b += sizeof(T); W; s += cur->v * x; }""",
    "list": """struct Link { Link* next; T* row; }; Link* l = nullptr;
      for (long i = 0; i < 3; ++i) { Link* m = burrow::make<Link>(); m->next = l; m->row = A; l = m; }
      for (; l;) { T* row = l->row; l = l->next;
        for (long x = x1 - 1; x >= x0; x -= 3) { s += row[x - x0].v * x; W; } }""",
    "either": """T* a = A; T* b = A; T* p = work() ? a + 1 : b; a = b = nullptr;
      for (long x = x1 - 2; x >= x0; --x) { W; s += p[x - x0].v * x; }""",
}

MEMBERS = ["long v;", "int v; char rest[9];", "char first[16]; long v;", "short v;",
           "long first; int v; long rest[5];", "char first[77]; unsigned char v;"]


def program(seed, shapes=3):
    """A program of random shapes."""
    rng = random.Random(seed)
    return _program(rng, rng.sample(sorted(SHAPES), shapes), MEMBERS)


def fixed(*names):
    """A program of these shapes, over elements of eight bytes."""
    return _program(random.Random(1), names, MEMBERS[:1])


def _program(rng, names, members):
    text, calls = [HEADER], []
    for number, name in enumerate(names):
        member = rng.choice(members)
        words = {"A": "numbered<T>(n)", "W": "work()", "S": rng.choice("1123")}
        body = re.sub(r"\b[AWS]\b", lambda match: words[match[0]], SHAPES[name])
        text.append(f"namespace f{number} {{\nstruct T {{ {member} }};\n"
                    f"NOINLINE long f(long n, long x0, long x1) {{ // {name}\n"
                    f"  long s = 0;\n  {body}\n  return s;\n}}\n}}\n")
        calls.append(f'    std::printf("{name} %ld\\n", f{number}::f(n, x0, x0 + n));\n')
    return "".join(text) + MAIN % "".join(calls)

