"""Random programs for the oracle: pointers in loops, structs, arrays, slices, closures, channels,
across files, and as something else than pointers (ways.py).

Without `frees`, a program never frees and never keeps the address of a variable, so on a collected heap it is
correct whatever it does; its output depends on every object that it reads. Wrongly moved to the
stack, an object is read after its frame or overwritten by the next iteration. With `frees`, for plain new and --elide-new, it deletes here and
there what nothing else points to: itself, in a callee, on one of two ways, or one of two blocks.
"""
import random

import ways

HEADER = """#include <burrow/make.h>
using burrow::make;
using burrow::make_array;
struct A { long v; A* x; A* y; };
struct B { A* a; B* b; A in; };
extern long sum, fuel;
extern A* globals[4];
A* through(A* a);
void keep(A* a);
A* kept(long n);
void fill(A** to, A* a);
template <class T> inline T* or_else(T* a, T* b) { return a ? a : b; }
[[gnu::noinline]] static void drop(A* a) { delete a; }
[[gnu::noinline]] static void drop_inner(A* a) { delete a->x; }
[[gnu::noinline]] static A* deep(A* a) { return a->x->x; }
void send(long channel, A* a);
A* receive(long channel);
struct Slice { A** data; long len, cap; };
inline Slice append(Slice s, A* a) {
  if (s.len == s.cap) {
    if (s.cap >= 16) return s;
    A** to = make_array<A*>(16);
    for (long i = 0; i < s.len; ++i) to[i] = s.data[i];
    s = {to, s.len, 16};
  }
  s.data[s.len++] = a;
  return s;
}
inline Slice cut(Slice s) { return s.len > 1 ? Slice{s.data + 1, s.len - 1, s.cap - 1} : s; }
[[gnu::noinline]] static A* at(Slice s, long i) {
  return s.len ? s.data[(unsigned long)i % (unsigned long)s.len] : nullptr;
}
inline void mix(long v) { sum = sum * 31 + v; }
""" + ways.HEADER

# Never compiled with the plugin: for it these are functions that nothing is known of.
RUNTIME = """#include <cstdio>
#include <cstdlib>
long sum = 1, fuel = FUEL;
A* globals[4];
static A* saved[64];
static unsigned long count;
A* through(A* a) { return a; }
void keep(A* a) { saved[count++ % 64] = a; }
A* kept(long n) { return count ? saved[(unsigned long)n % (count < 64 ? count : 64)] : nullptr; }
void fill(A** to, A* a) { *to = a; }
static A* rings[4][8];
static unsigned long sent[4], received[4];
void send(long channel, A* a) {
  channel &= 3;
  if (sent[channel] - received[channel] < 8) rings[channel][sent[channel]++ % 8] = a;
}
A* receive(long channel) {
  channel &= 3;
  return received[channel] < sent[channel] ? rings[channel][received[channel]++ % 8] : nullptr;
}
void* burrow_gc_new(size_t bytes, const burrow::internal::TypeInfo*) { return calloc(1, bytes); }
void* burrow_gc_new_array(size_t n, const burrow::internal::TypeInfo* type) {
  return calloc(n, type->size);
}
A* START(A*, A*, A**, long);
int main() {
  A* root = static_cast<A*>(calloc(1, sizeof(A)));
  A* slot = root;
  A* got = START(root, root, &slot, 3);
  for (int n = 0; n < 8 && got; ++n, got = got->x) mix(got->v);
  for (A* g : globals) for (int n = 0; n < 4 && g; ++n, g = g->y) mix(g->v);
  for (long n = 0; n < 64; ++n) if (A* k = kept(n)) mix(k->v);
  mix(slot->v);
  printf("%ld\\n", sum);
}
"""


class Function:
    """The text of one function; `callable_` are the names of those it may call."""

    def __init__(self, rng, name, callable_, frees=False, unions=False):
        self.frees, self.unions = frees, unions
        self.rng, self.name, self.callable = rng, name, callable_
        self.lines, self.names = [], 0
        self.size = rng.randint(10, 26)

    def fresh(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def text(self):
        self.lines = [f"A* {self.name}(A* p, A* q, A** r, long n) {{",
                      "  if (--fuel < 0 || n <= 0) return p;"]
        scope = {"A": ["p", "q"], "R": ["r"], "B": []}
        self.block(scope, 1, 0, self.size)
        self.lines += [f"  return {self.pick(scope, 'A')};", "}"]
        return "\n".join(self.lines) + "\n"

    def pick(self, scope, kind):
        # The newest are the ones that loops and scopes end.
        names = scope[kind]
        return self.rng.choice(names[-4:] if self.rng.random() < 0.6 else names)

    def put(self, depth, text):
        self.lines.append("  " * depth + text)

    def block(self, scope, depth, loops, count):
        for _ in range(count):
            self.statement(scope, depth, loops)

    def inner(self, scope):
        return {kind: list(names) for kind, names in scope.items()}

    def statement(self, scope, depth, loops):
        rng = self.rng
        if self.frees and rng.random() < 0.15:
            self.freed(scope, depth)
            return
        if rng.random() < 0.10:
            self.travel(scope, depth)
            return
        roll = rng.random()
        a, b = self.pick(scope, "A"), self.pick(scope, "A")
        field = rng.choice("xy")
        if roll < 0.20:
            name = self.fresh("a")
            self.put(depth, f"A* {name} = make<A>(); {name}->v = {rng.randint(1, 99)} + n;")
            if rng.random() < 0.6:
                self.put(depth, f"{name}->{field} = {a};")
            scope["A"].append(name)
        elif roll < 0.28:
            self.put(depth, f"{a}->{field} = {b};")
        elif roll < 0.38:
            self.put(depth, f"{a} = or_else({b}->{field}, {b});")
        elif roll < 0.46:
            self.put(depth, f"{a} = {b};")
        elif roll < 0.54:
            self.put(depth, f"mix({a}->v + or_else({b}->{field}, {a})->v);")
        elif roll < 0.56:
            rng.choice([self.chain, self.slice])(scope, depth)
        elif roll < 0.66 and loops < 3 and depth < 5:
            rng.choice([self.ring, self.chase, self.loop, self.loop])(scope, depth, loops)
        elif roll < 0.72 and depth < 5:
            self.put(depth, f"if ((sum ^ {a}->v) & {rng.choice([1, 2, 4])}) {{")
            self.block(self.inner(scope), depth + 1, loops, rng.randint(1, 3))
            if loops and rng.random() < 0.2:
                self.put(depth + 1, rng.choice(["break;", "continue;"]))
            self.put(depth, "}")
        elif roll < 0.82:
            self.memory(scope, depth)
        elif roll < 0.87:
            self.outside(scope, depth)
        elif roll < 0.93 and self.callable:
            name = rng.choice(self.callable)
            target = self.variable_address(scope, depth)
            self.put(depth, f"{a} = {name}({a}, {b}, {target}, n - 1);")
        elif roll < 0.98:
            self.closure(scope, depth)
        elif loops == 0:
            self.put(depth, f"if (sum & 16) return {a};")

    def loop(self, scope, depth, loops):
        rng = self.rng
        i = self.fresh("i")
        carried = self.fresh("c") if rng.random() < 0.7 else None
        if carried:
            self.put(depth, f"A* {carried} = {self.pick(scope, 'A')};")
            scope["A"].append(carried)
        kind = rng.random()
        if kind < 0.7:
            self.put(depth, f"for (int {i} = 0; {i} < {rng.randint(2, 5)}; ++{i}) {{")
        else:
            self.put(depth, f"for (long {i} = n + 1; {i}-- > 0;) {{")
        inner = self.inner(scope)
        self.block(inner, depth + 1, loops + 1, rng.randint(2, 6))
        if carried and rng.random() < 0.8:
            self.put(depth + 1, f"{carried} = {self.pick(inner, 'A')};")
        self.put(depth, "}")
        if carried:
            self.put(depth, f"mix({carried}->v);")

    def ring(self, scope, depth, _):
        """Objects of some iterations before, known through memory alone."""
        i, m, t = self.fresh("i"), self.fresh("m"), self.fresh("t")
        step = self.rng.randint(1, 3)
        self.put(depth, f"A** {m} = make_array<A*>(4);")
        self.put(depth, f"for (int {i} = 0; {i} < 7; ++{i}) {{")
        self.put(depth + 1, f"A* {t} = make<A>(); {t}->v = {i} * n;")
        self.put(depth + 1, f"if (A* o = {m}[({i} + {step}) & 3]) mix(o->v);")
        self.put(depth + 1, f"{m}[{i} & 3] = {t};")
        self.put(depth, "}")

    def chase(self, scope, depth, _):
        """The object of the iteration before, in a variable."""
        i, c, t = self.fresh("i"), self.fresh("c"), self.fresh("t")
        self.put(depth, f"A* {c} = {self.pick(scope, 'A')};")
        self.put(depth, f"for (int {i} = 0; {i} < 5; ++{i}) {{")
        self.put(depth + 1, f"A* {t} = make<A>(); {t}->v = {i} + n;")
        self.put(depth + 1, f"mix({c}->v - {t}->v);")
        self.put(depth + 1, f"{c} = {t};")
        self.put(depth, "}")

    def chain(self, scope, depth):
        """A callee hands out what lies two pointers deep."""
        a, b, c = self.fresh("g"), self.fresh("g"), self.fresh("g")
        self.put(depth, f"A* {a} = make<A>(); {a}->v = 7 + n;")
        self.put(depth, f"A* {b} = make<A>(); {b}->x = {a};")
        self.put(depth, f"A* {c} = make<A>(); {c}->x = {b};")
        to = self.rng.choice([f"globals[{self.rng.randint(0, 3)}]", self.pick(scope, "A")])
        self.put(depth, f"{to} = deep({c});")

    def travel(self, scope, depth):
        """A pointer moves as something else, mostly one to a new object that is then kept."""
        rng = self.rng
        a, b = self.pick(scope, "A"), self.pick(scope, "A")
        if rng.random() < 0.3:
            self.put(depth, ways.way(rng, a, b, self.unions))
            return
        f, t = self.fresh("w"), self.fresh("w")
        self.put(depth, f"{{ A* {f} = make<A>(); {f}->v = {rng.randint(1, 99)} + n; {f}->x = {a};")
        self.put(depth, f"  A* {t} = {a}; {ways.way(rng, f, t, self.unions)}")
        to = rng.choice([f"globals[{rng.randint(0, 3)}]", b])
        self.put(depth, f"  mix({t}->v + or_else({t}->x, {t})->v); {to} = {t}; }}")

    def slice(self, scope, depth):
        """Appended to past its array, cut, and read in a callee."""
        rng = self.rng
        name, i = self.fresh("s"), self.fresh("i")
        self.put(depth, f"Slice {name} = {{make_array<A*>(2), 0, 2}};")
        self.put(depth, f"for (int {i} = 0; {i} < {rng.randint(1, 5)}; ++{i}) {{")
        self.put(depth + 1, f"{name} = append({name}, {self.pick(scope, 'A')});")
        self.put(depth, "}")
        to = rng.choice([f"globals[{rng.randint(0, 3)}]", self.pick(scope, "A")])
        self.put(depth, f"{to} = or_else(at({rng.choice([name, f'cut({name})'])}, n), {to});")

    def freed(self, scope, depth):
        """Blocks that nothing else knows, each deleted once."""
        d, e, o = self.fresh("d"), self.fresh("d"), self.pick(scope, "A")
        self.put(depth, f"{{ A* {d} = make<A>(); A* {e} = make<A>(); {d}->v = n; {e}->v = 3 + n;")
        self.put(depth, f"  {d}->x = {e}; {e}->y = {o}; mix({d}->x->v + {d}->v + {e}->y->v);")
        self.put(depth, "  " + self.rng.choice([
            f"delete {e}; delete {d};", f"drop({e}); delete {d};", f"drop_inner({d}); drop({d});",
            f"if (sum & 1) {{ A* t = {d}; {d} = {e}; {e} = t; }} delete {d}; delete {e};",
            f"if (sum & 2) {{ mix({d}->v); delete {d}; delete {e}; }} else {{ delete {e}; drop({d}); }}",
            f"A* t = sum & 1 ? {d} : {e}; mix(t->v); delete {d}; delete {e};",
            f"delete {d}; globals[n & 3] = {e};", f"delete {d}; {o} = {e};"]))
        self.put(depth, "}")

    def variable_address(self, scope, depth):
        if self.rng.random() < 0.5:
            return self.pick(scope, "R")
        name = self.fresh("v")
        self.put(depth, f"A* {name} = {self.pick(scope, 'A')};")
        scope["A"].append(name)
        return f"&{name}"

    def memory(self, scope, depth):
        rng = self.rng
        a, r = self.pick(scope, "A"), self.pick(scope, "R")
        roll = rng.random()
        if roll < 0.25:
            self.put(depth, f"*{r} = {a};")
        elif roll < 0.45:
            self.put(depth, f"{a} = or_else(*{r}, {a});")
        elif roll < 0.6:
            name = self.fresh("r")
            self.put(depth, f"A** {name} = make<A*>({a});")
            scope["R"].append(name)
        elif roll < 0.7:
            name = self.fresh("m")
            self.put(depth, f"A** {name} = make_array<A*>(4); {name}[{rng.randint(1, 3)}] = {a};")
            scope["R"].append(name)
            other = self.pick(scope, "A")
            self.put(depth, f"{other} = or_else({name}[sum & 3], {other});")
        elif roll < 0.85 or not scope["B"]:
            name = self.fresh("b")
            rest = self.pick(scope, "B") if scope["B"] else "nullptr"
            self.put(depth, f"B* {name} = make<B>(); {name}->a = {a}; {name}->b = {rest};")
            self.put(depth, f"{name}->in.x = {self.pick(scope, 'A')}; {name}->in.v = n;")
            scope["B"].append(name)
        else:
            b = self.pick(scope, "B")
            self.put(depth, rng.choice([
                f"{a} = or_else(or_else({b}->b, {b})->a, {a});", f"{a} = &{b}->in;",
                f"{b}->in = *{a};", f"{b}->a = {a};", f"{a}->x = or_else({b}->in.x, {a});"]))

    def outside(self, scope, depth):
        rng = self.rng
        a = self.pick(scope, "A")
        where = rng.randint(0, 3)
        self.put(depth, rng.choice([
            f"globals[{where}] = {a};", f"{a} = or_else(globals[{where}], {a});",
            f"{a} = through({a});", f"keep({a});", f"send(n, {a});",
            f"{a} = or_else(receive({where}), {a});", f"{a} = or_else(kept(n), {a});",
            f"{{ A* t = nullptr; fill(&t, {a}); mix(t->v); }}"]))

    def closure(self, scope, depth):
        rng = self.rng
        name = self.fresh("l")
        a, b = self.pick(scope, "A"), self.pick(scope, "A")
        body = rng.choice([
            f"{a}->x = t; return {b};", f"A* old = {a}; {a} = t; return old;",
            f"A* made = make<A>(); made->v = t->v; made->y = {b}; return made;",
            f"mix(t->v + {a}->v); return t;"])
        self.put(depth, f"auto {name} = [{rng.choice(['&', '&'])}](A* t) -> A* {{ {body} }};")
        self.put(depth, f"{b} = {name}({self.pick(scope, 'A')});")


def program(seed, frees=False):
    """The texts of a program's files by name; runtime.cc is not for the plugin."""
    rng = random.Random(seed)
    names = [f"f{n}" for n in range(rng.randint(3, 6))]
    declarations = "".join(f"A* {name}(A* p, A* q, A** r, long n);\n" for name in names)
    unions = rng.random() < 0.3
    header = HEADER + (ways.UNIONS if unions else "")
    files = {"one.cc": header + declarations, "two.cc": header + declarations}
    for at, name in enumerate(names):
        # Those before, and itself: the fuel ends a recursion.
        may_call = names[:at + 1] if rng.random() < 0.4 else names[:at]
        # Mostly one file: what is known of callees is what is to be tested.
        file = "two.cc" if rng.random() < 0.2 else "one.cc"
        static = "[[gnu::noinline]] " if rng.random() < 0.4 else ""
        files[file] += static + Function(rng, name, may_call, frees, unions).text()
    files["runtime.cc"] = (HEADER + RUNTIME).replace("START", names[-1]).replace("FUEL", "400")
    return files
