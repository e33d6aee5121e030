// Random object graphs, mutated by several threads and goroutines while collections run; pointers
// lie in every kind of place. Whatever can be reached must be whole, and what cannot must be given
// back.
//
//     gc_graph SEEDS THREADS OPERATIONS [GOROUTINES [FAULT]]
//
// FAULT plants one (barrier, dirty; hide.cc has others): with BURROW_DEBUG=gcverify=1 the verifier
// must notice.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "burrow/gc.h"
#include "burrow/go.h"
#include "gc/faults.h"
#include "gc/pacer.h"

namespace {

constexpr uint64_t kMagic = 0x5ca1ab1e0ddba11;

struct Exact;

struct Raw {
  Raw* next[2];
  Exact* exact;
  uint64_t id;
  uint64_t check;
};

struct Exact {
  burrow::Ptr<Exact> next[2];
  burrow::Ptr<Raw> raw;
  uint64_t id;
  uint64_t check;
};

static_assert(burrow::internal::kPointerMap<Raw>.kind == burrow::internal::ObjectKind::kRaw);
static_assert(burrow::internal::kPointerMap<Exact>.kind == burrow::internal::ObjectKind::kExact);

template <class T>
T* new_node(uint64_t id) {
  T* node = burrow::make<T>();
  node->id = id;
  node->check = id ^ kMagic;
  return node;
}

template <class T>
void expect_whole(const T* node, const char* where) {
  if (node != nullptr && node->check != (node->id ^ kMagic)) {
    std::fprintf(stderr, "graph: object %p, reached by %s, is not whole: id %lx, check %lx\n",
                 static_cast<const void*>(node), where, node->id, node->check);
    std::abort();
  }
}

constexpr size_t kSlots = 64;

std::atomic<Raw*> g_shared[kSlots];
Exact* g_exact[kSlots];
thread_local Raw* t_raw[kSlots];

// On each actor's stack: others put pointers there, also while the actor is parked.
using Mailbox = std::atomic<Raw*>;
constexpr size_t kMostActors = 8;
std::atomic<Mailbox*> g_mailboxes[kMostActors];
std::atomic<size_t> g_active{0};

// Everything that one thread owns, but for what lies on its stack.
struct Places {
  Raw** block = static_cast<Raw**>(std::calloc(kSlots, sizeof(Raw*)));
  std::vector<Exact*> vector = std::vector<Exact*>(kSlots);
  std::vector<std::function<Raw*()>> functions = std::vector<std::function<Raw*()>>(kSlots);
  std::vector<char*> inner = std::vector<char*>(kSlots);  // into the middle of a Raw

  ~Places() { std::free(block); }
};

class Actor {
 public:
  Actor(uint64_t seed, size_t number, bool is_thread)
      : random_(seed * 977 + number), number_(number), is_thread_(is_thread) {}

  void run(size_t operations, Raw* volatile* stack_raw, Exact* volatile* stack_exact) {
    for (size_t i = 0; i < operations; ++i) {
      step(stack_raw, stack_exact);
      if (!is_thread_ && i % 8 == 0) {
        burrow::yield();
      }
    }
  }

  // Until nobody has the address of its mailbox any more.
  void wait_for_others() const {
    g_active.fetch_sub(1);
    while (g_active.load() != 0) {
      is_thread_ ? std::this_thread::yield() : burrow::yield();
    }
  }

 private:
  size_t slot() { return random_() % kSlots; }

  // The globals are shared out, so that no two threads write to one.
  size_t own_global() { return slot() / 8 * 8 + number_ % 8; }

  // A goroutine has no thread_locals of its own: it moves among threads.
  Raw** local() { return is_thread_ ? t_raw : places_.block; }

  void send(Raw* node) {
    Mailbox* box = g_mailboxes[random_() % kMostActors].load();
    if (box != nullptr) {
      box->store(node);
    }
  }

  Raw* receive() {
    Raw* node = g_mailboxes[number_].load()->exchange(nullptr);
    expect_whole(node, "a mailbox");
    return node;
  }

  Raw* read_raw(Raw* volatile* stack_raw) {
    switch (random_() % 7) {
      case 0:
        return stack_raw[slot()];
      case 1:
        return g_shared[slot()].load();
      case 2:
        return local()[slot()];
      case 3:
        return places_.block[slot()];
      case 5:
        return receive();
      case 4: {
        auto& f = places_.functions[slot()];
        return f ? f() : nullptr;
      }
      default: {
        char* inside = places_.inner[slot()];
        return inside != nullptr ? reinterpret_cast<Raw*>(inside - offsetof(Raw, check)) : nullptr;
      }
    }
  }

  void write_raw(Raw* volatile* stack_raw, Raw* node) {
    switch (random_() % 7) {
      case 0:
        stack_raw[slot()] = node;
        break;
      case 1:
        g_shared[slot()].store(node);
        break;
      case 2:
        local()[slot()] = node;
        break;
      case 3:
        places_.block[slot()] = node;
        break;
      case 4:
        // Too large for std::function's own space: the pointer lies in a malloc'd block.
        places_.functions[slot()] = [node, pad = std::array<uint64_t, 4>()] {
          (void)pad;
          return node;
        };
        break;
      case 5:
        send(node);
        break;
      default:
        places_.inner[slot()] =
            node != nullptr ? reinterpret_cast<char*>(node) + offsetof(Raw, check) : nullptr;
    }
  }

  Exact* read_exact(Exact* volatile* stack_exact) {
    switch (random_() % 3) {
      case 0:
        return stack_exact[slot()];
      case 1:
        return g_exact[own_global()];
      default:
        return places_.vector[slot()];
    }
  }

  void write_exact(Exact* volatile* stack_exact, Exact* node) {
    switch (random_() % 3) {
      case 0:
        stack_exact[slot()] = node;
        break;
      case 1:
        g_exact[own_global()] = node;
        break;
      default:
        places_.vector[slot()] = node;
    }
  }

  // Takes a pointer out of a node and puts it where only a stack, a block or another node has it.
  void move_raw(Raw* volatile* stack_raw, Exact* volatile* stack_exact) {
    Raw* from = read_raw(stack_raw);
    Raw* to = read_raw(stack_raw);
    if (from == nullptr || to == nullptr) {
      return;
    }
    expect_whole(from, "a root");
    expect_whole(to, "a root");
    size_t i = random_() % 2;
    Raw* moved = from->next[i];
    expect_whole(moved, "a raw field");
    from->next[i] = nullptr;
    if (random_() % 2 == 0) {
      to->next[random_() % 2] = moved;
    } else {
      write_raw(stack_raw, moved);
    }
    expect_whole(from->exact, "a raw field");
    if (random_() % 4 == 0) {
      write_exact(stack_exact, from->exact);
      from->exact = nullptr;
    }
  }

  void move_exact(Raw* volatile* stack_raw, Exact* volatile* stack_exact) {
    Exact* from = read_exact(stack_exact);
    Exact* to = read_exact(stack_exact);
    if (from == nullptr || to == nullptr) {
      return;
    }
    expect_whole(from, "a root");
    expect_whole(to, "a root");
    size_t i = random_() % 2;
    Exact* moved = from->next[i];
    expect_whole(moved, "an exact field");
    from->next[i] = nullptr;
    if (random_() % 2 == 0) {
      to->next[random_() % 2] = moved;
    } else {
      write_exact(stack_exact, moved);
    }
    Raw* raw = from->raw;
    expect_whole(raw, "an exact field");
    if (random_() % 4 == 0) {
      write_raw(stack_raw, raw);
      from->raw = nullptr;
    }
  }

  void grow(Raw* volatile* stack_raw, Exact* volatile* stack_exact) {
    Raw* raw = new_node<Raw>(random_());
    raw->next[0] = read_raw(stack_raw);
    raw->next[1] = read_raw(stack_raw);
    raw->exact = read_exact(stack_exact);
    Exact* exact = new_node<Exact>(random_());
    exact->next[0] = read_exact(stack_exact);
    exact->next[1] = read_exact(stack_exact);
    exact->raw = raw;
    write_raw(stack_raw, raw);
    write_exact(stack_exact, exact);
  }

  void walk(Raw* volatile* stack_raw, Exact* volatile* stack_exact) {
    Raw* raw = read_raw(stack_raw);
    Exact* exact = read_exact(stack_exact);
    for (int i = 0; i < 32 && (raw != nullptr || exact != nullptr); ++i) {
      expect_whole(raw, "a walk");
      expect_whole(exact, "a walk");
      if (raw != nullptr) {
        exact = raw->exact != nullptr ? raw->exact : exact;
        raw = raw->next[random_() % 2];
      }
      if (exact != nullptr) {
        exact = exact->next[random_() % 2];
      }
    }
  }

  void forget(Raw* volatile* stack_raw, Exact* volatile* stack_exact) {
    write_raw(stack_raw, nullptr);
    write_exact(stack_exact, nullptr);
  }

  void step(Raw* volatile* stack_raw, Exact* volatile* stack_exact) {
    switch (random_() % 8) {
      case 0:
      case 1:
        grow(stack_raw, stack_exact);
        break;
      case 2:
      case 3:
        move_raw(stack_raw, stack_exact);
        break;
      case 4:
      case 5:
        move_exact(stack_raw, stack_exact);
        break;
      case 6:
        walk(stack_raw, stack_exact);
        break;
      default:
        forget(stack_raw, stack_exact);
    }
  }

  std::mt19937_64 random_;
  size_t number_;
  bool is_thread_;
  Places places_;
};

struct Cast {
  size_t threads;
  size_t goroutines;
};

__attribute__((noinline)) void act(uint64_t seed, size_t number, size_t operations,
                                   bool is_thread) {
  Raw* volatile stack_raw[kSlots] = {};
  Exact* volatile stack_exact[kSlots] = {};
  Mailbox mailbox{nullptr};
  g_mailboxes[number].store(&mailbox);
  {
    Actor actor(seed, number, is_thread);
    actor.run(operations, stack_raw, stack_exact);
    g_mailboxes[number].store(nullptr);
    actor.wait_for_others();
  }
  std::memset(t_raw, 0, sizeof(t_raw));
}

void run_seed(uint64_t seed, Cast cast, size_t operations) {
  std::atomic<bool> done{false};
  std::thread collector([&] {
    while (!done.load()) {
      burrow::collect();
    }
  });
  g_active.store(cast.threads + cast.goroutines);
  std::vector<std::thread> actors;
  for (size_t i = 0; i < cast.threads; ++i) {
    actors.emplace_back(act, seed, i, operations, true);
  }
  burrow::WaitGroup goroutines;
  for (size_t i = 0; i < cast.goroutines; ++i) {
    goroutines.add(1);
    burrow::go([&, number = cast.threads + i] {
      act(seed, number, operations, false);
      goroutines.done();
    });
  }
  goroutines.wait();
  for (std::thread& t : actors) {
    t.join();
  }
  done.store(true);
  collector.join();
}

// With every root gone, next to nothing may stay: stale words on stacks keep some alive.
bool everything_is_given_back() {
  for (auto& shared : g_shared) {
    shared.store(nullptr);
  }
  std::memset(g_exact, 0, sizeof(g_exact));
  burrow::collect();
  burrow::collect();
  uint64_t left = burrow::gc::g_pacer.marked();
  std::printf("graph: %lu bytes are left\n", left);
  return left < 64 * 1024;
}

}  // namespace

int main(int argc, char** argv) {
  size_t seeds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 4;
  size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
  size_t operations = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 100000;
  size_t goroutines = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 2;
  std::string fault = argc > 5 ? argv[5] : "";
  burrow::gc::g_faults.no_barrier = fault == "barrier";
  burrow::gc::g_faults.no_dirty_rescan = fault == "dirty";
  if (threads + goroutines > kMostActors) {
    std::fprintf(stderr, "graph: at most %zu actors\n", kMostActors);
    return 2;
  }
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    run_seed(seed, {threads, goroutines}, operations);
  }
  if (!everything_is_given_back()) {
    return 1;
  }
  std::puts("graph: passed");
  return 0;
}
