"""Ways in which random programs move a pointer as something else; see generate.py."""
import re

HEADER = """#include <burrow/closure.h>
typedef float Vector __attribute__((vector_size(16), aligned(1), may_alias));
struct Half { unsigned low, high; };
struct Relative {
  unsigned long off;
  void set(A* a) { off = (unsigned long)a - (unsigned long)this; }
  A* get() const { return (A*)((unsigned long)this + off); }
};
struct Storage { alignas(8) unsigned char bytes[16]; };
[[gnu::noinline]] static void place(Relative* r, A* a) { r->set(a); }
[[gnu::noinline]] static void put(char* to, char c) { *to = c; }
[[gnu::noinline]] static unsigned low(const Half* h) { return h->low; }
[[gnu::noinline]] static void copy_words(void* to, A** from, unsigned long count) {
  __builtin_memcpy(to, from, count * 8);
}
[[gnu::noinline]] static Storage same(Storage s) { return s; }
[[gnu::noinline]] inline A* ask(const burrow::Closure<A*>& question) { return question(); }
[[gnu::noinline]] inline void post(const burrow::Closure<void>& task) { task(); }
template <class T> inline void copy(T& to, const void* from) { __builtin_memcpy(&to, from, sizeof(T)); }
"""

# At -O0 a union in a program changes how all of it is looked at, so most have none.
UNIONS = """union Number { double number; A* object; };
struct Cell { Number as; };
[[gnu::noinline]] static void assign(Cell* to, const Cell* from) { Cell held = *from; *to = held; }
"""

# From F to T, both of type A*, through variables of their own.
WAYS = (
    "A* u[2] = {F, F}; unsigned long w[2]; copy(w, u); T = (A*)w[sum & 1];",
    "A* u[2] = {F, F}; unsigned long w[2]; copy_words(w, u, 2); T = (A*)w[sum & 1];",
    "A* u[2] = {F, F}; double w[2], r; copy(w, u); r = w[sum & 1]; copy(T, &r);",
    "Half h, k; copy(h, &F); k = {low(&h), h.high}; copy(T, &k);",
    "A* u = F; char *s = (char*)&u, *d = (char*)&T; for (int i = 0; i < 8; ++i) d[i] = s[i];",
    "A* u = F; for (int i = 0; i < 8; ++i) put((char*)&T + i, ((char*)&u)[i]);",
    "A* u[2] = {F, F}; A* w[2]; *(Vector*)w = *(Vector*)u; T = w[sum & 1];",
    "Relative r; r.set(F); T = r.get();",
    "Relative r; place(&r, F); T = r.get();",
    "Storage s; ::new (s.bytes + 8) (A*)(F); Storage t = same(s); T = *(A**)(t.bytes + 8);",
    "A* c = F; T = ask([c, n] { mix(n); return c; });",
    "A* c = F; A** d = &T; post([c, d, n] { mix(n); *d = c; });",
    "A* c = F; post([c, n] { globals[n & 3] = c; });",
)
UNION_WAYS = (
    "Cell v, w; v.as.object = F; assign(&w, &v); T = w.as.object;",
    "Cell v, w; v.as.object = F; w.as.number = 1; Cell t = v; v = w; w = t; T = w.as.object;",
)


def way(rng, source, target, unions):
    """A block that moves `source` to `target` by one of the ways."""
    text = rng.choice(WAYS + UNION_WAYS * 2 if unions else WAYS)
    words = {"F": source, "T": target}
    return "{ " + re.sub(r"\b[FT]\b", lambda match: words[match[0]], text) + " }"
