"""Random types with a pointer in each: the map that the collector goes by must cover it.

A type is built from the inside: a pointer, or storage with a pointer made in it, then around it
arrays, structs, classes with bases, unions, templates, each with other members before and behind.
`way` is the expression that leads to the pointer's place. Nothing is run on the collected heap: a
program tells for each type whether the place is in its map.
"""
import random

HEADER = """#include "burrow/gc.h"
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>
using burrow::Ptr;
unsigned char burrow_gc_marking;
void burrow_gc_shade(void*) {}
struct Empty {};
struct Empty2 {};
template <class T> struct Box { T in; };
template <class T> class Closed { T in; public: T& get() { return in; } };
template <class T> class Said { long n; T in; public: T& get() { return in; } };
template <class T> struct burrow::type_map<Said<T>> {};
alignas(64) static char memory[65536];
static int wrong;
template <class T, class F> void check(const char* name, F place) {
  const burrow::internal::TypeInfo* volatile told = &burrow::internal::kTypeInfo<T>;
  T* object = reinterpret_cast<T*>(memory);
  size_t at = reinterpret_cast<char*>(place(*object)) - memory;
  using burrow::internal::ObjectKind;
  bool covered = told->kind == ObjectKind::kRaw ||
                 (told->kind == ObjectKind::kExact && (told->pointers[at / 512] >> at / 8 % 64 & 1));
  if (at % 8 == 0 && !covered) { std::printf("%s: %zu of kind %d\\n", name, at, int(told->kind)); ++wrong; }
}
"""

FILLERS = ["int", "char", "long", "short", "double", "bool", "Empty", "Ptr<int>", "float"]


class Types:
    def __init__(self, seed, plain):
        self.rng, self.plain = random.Random(seed), plain
        self.text, self.count = [], 0

    def fresh(self):
        self.count += 1
        return f"T{self.count}"

    def pointer(self):
        """A type, and how its object's address leads to the pointer's place."""
        rng = self.rng
        size = rng.choice([8, 12, 16, 24, 40])
        byte = rng.choice(["unsigned char", "std::byte", "char"])
        at = rng.choice([n for n in range(0, size - 7, 8)])
        return rng.choice([
            ("Ptr<int>", "&{}"), ("Ptr<int>", "&{}"),
            ("int*", "&{}") if self.plain else ("Ptr<void>", "&{}"),
            (f"std::array<{byte}, {size}>", f"({{}}.data() + {at})"),
            (self.declared(f"struct NAME {{ alignas(8) {byte} in[{size}]; }};"), f"({{}}.in + {at})"),
            (self.declared(f"struct alignas(8) NAME {{ {byte} in[{size}]; }};"), f"({{}}.in + {at})"),
            (self.declared(f"struct NAME {{ {byte} in[{size // 4}][4]; }};"),
             f"(&{{}}.in[0][0] + {at})"),
            (self.declared(f"union NAME {{ double d; {byte} in[{size}]; }};"), f"({{}}.in + {at})"),
        ])

    def declared(self, text):
        name = self.fresh()
        self.text.append(text.replace("NAME", name))
        return name

    def fillers(self, prefix, most):
        rng = self.rng
        lines = []
        for n in range(rng.randint(0, most)):
            kind = rng.choice(FILLERS)
            how = rng.choice(["", "", "alignas(8) ", "alignas(16) "])
            if kind == "Empty":
                how = "[[no_unique_address]] "
                kind = rng.choice(["Empty", "Empty2"])
            if kind in ("int", "long") and rng.random() < 0.3:
                lines.append(f"{kind} {prefix}{n} : {rng.randint(1, 9)};")
            elif rng.random() < 0.2 and not how:
                lines.append(f"{kind} {prefix}{n}[{rng.randint(1, 3)}];")
            else:
                lines.append(f"{how}{kind} {prefix}{n};")
        return " ".join(lines)

    def around(self, inner, way):
        rng = self.rng
        before, behind = self.fillers("a", 3), self.fillers("b", 2)
        roll = rng.randint(0, 7)
        if roll <= 1:
            name = self.declared(f"struct NAME {{ {before} {inner} m; {behind} }};")
            return name, way.format("{}.m")
        if roll == 2:
            name = self.declared(
                f"class NAME {{ {before} {inner} m; {behind} public: auto& get() {{ return m; }} }};")
            return name, way.format("{}.get()")
        if roll == 3:
            count = rng.randint(1, 3)
            name = self.declared(f"struct NAME {{ {before} {inner} m[{count}]; {behind} }};")
            return name, way.format(f"{{}}.m[{rng.randrange(count)}]")
        if roll == 4:
            base = self.declared(f"struct NAME {{ {before} {inner} m; }};")
            virtual = rng.choice(["", "virtual ~NAME() = default; "])
            name = self.declared(f"struct NAME : {base} {{ {virtual}{behind} }};")
            return name, way.format("{}.m")
        if roll == 5:
            return f"std::array<{inner}, 2>", way.format("{}[1]")
        if roll == 6:
            return rng.choice([(f"Box<{inner}>", way.format("{}.in")),
                               (f"Closed<{inner}>", way.format("{}.get()")),
                               (f"Said<{inner}>", way.format("{}.get()"))])
        name = self.declared(
            f"struct NAME {{ {before} union {{ long n; {inner} m; }}; NAME() {{}} ~NAME() {{}} {behind} }};")
        return name, way.format("{}.m")

    def one(self):
        inner, way = self.pointer()
        for _ in range(self.rng.randint(0, 4)):
            inner, way = self.around(inner, way)
        return f'  check<{inner}>("{inner}", []({inner}& o) {{ return {way.format("o")}; }});'


def program(seed, types=40, plain=True):
    made = Types(seed, plain)
    checks = [made.one() for _ in range(types)]
    main = ["int main() {", *checks, "  return wrong != 0;", "}"]
    return "\n".join([HEADER, *made.text, *main, ""])
