// Random graphs of objects with destructors, some without between, made by several threads while
// collections run. Each destructor and cleanup checks what has gone before it against a model.
//
//     gc_destroy SEEDS THREADS [FAULT]
//
// FAULT plants one (order, gate, weak): the checks must notice.
#include "destroy.h"

#include <atomic>
#include <bitset>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "burrow/gc.h"

namespace {

constexpr uint64_t kMagic = 0x5ca1ab1e0ddba11;
constexpr size_t kNodes = 24;
// Blocks of malloc's that a node owns refer from the lower half to the upper half only: a cycle
// through one would never go.
constexpr size_t kHalf = kNodes / 2;

using Nodes = std::bitset<kNodes>;

std::atomic<long> g_made{0};
std::atomic<long> g_gone{0};

[[noreturn]] void fail(const char* what, size_t node, size_t other) {
  std::fprintf(stderr, "destroy: node %zu: %s %zu\n", node, what, other);
  std::abort();
}

// What a graph looks like; without pointers to it. Destructors and cleanups run one at a time.
struct Model {
  std::vector<Nodes> reaches = std::vector<Nodes>(kNodes);     // not itself, unless in a cycle
  std::vector<Nodes> by_objects = std::vector<Nodes>(kNodes);  // the same, through no block
  Nodes destroyed;
  Nodes has_destructor;

  void close() {
    for (auto* edges : {&reaches, &by_objects}) {
      for (size_t via = 0; via < kNodes; ++via) {
        for (Nodes& from : *edges) {
          from |= from[via] ? (*edges)[via] : Nodes();
        }
      }
    }
  }

  [[nodiscard]] bool in_cycle(size_t a, size_t b) const {
    return by_objects[a][b] && by_objects[b][a];
  }

  void destroy(size_t node) {
    if (destroyed[node]) {
      fail("destroyed twice", node, node);
    }
    destroyed[node] = true;
    for (size_t other = 0; other < kNodes; ++other) {
      if (other == node || !has_destructor[other]) {
        continue;
      }
      bool cycle = in_cycle(node, other);
      if (reaches[node][other] && !cycle && destroyed[other]) {
        fail("destroyed after what it points to,", node, other);
      }
      if (cycle && other > node && !destroyed[other]) {
        fail("destroyed before a younger one of its cycle,", node, other);
      }
    }
  }

  void clean(size_t node) {
    for (size_t other = 0; other < kNodes; ++other) {
      bool used_it = other == node || reaches[other][node];
      if (has_destructor[other] && used_it && !destroyed[other]) {
        fail("cleaned up before one that points to it,", node, other);
      }
    }
  }
};

// Common to all kinds: what a walk checks and follows.
struct Base {
  std::shared_ptr<Model>* model = nullptr;  // in a block of malloc's
  size_t id = 0;
  uint64_t magic = kMagic;
  bool has_destructor = false;
};

struct Plain : Base {
  Base* next[2] = {};
};

struct Owner : Base {
  Base* next[2] = {};
  std::vector<Base*> owned;
  burrow::Weak<Base> weak;
  std::string text = "long enough for a block of malloc's of its own";

  ~Owner();
};

struct Exact {
  burrow::Ptr<Base> next[2];
};

// An object with a destructor, pointers only where the collector is told, behind one without.
struct Far : Base {
  burrow::Ptr<Exact> between = burrow::make<Exact>();

  ~Far();
};

bool is_whole(const Base* node) {
  return node->magic == kMagic && node->id < kNodes && node->model != nullptr;
}

void expect_whole(const Base* node) {
  if (!is_whole(node)) {
    fail("is not whole when it is destroyed,", node->id, node->id);
  }
}

// Of a cycle one has to go first.
void expect_usable(const Base* from, const Base* node) {
  bool gone_in_cycle = node != nullptr && node->magic == kMagic && node->model == nullptr &&
                       (*from->model)->in_cycle(from->id, node->id);
  if (node != nullptr && !gone_in_cycle && !is_whole(node)) {
    fail("an object that it reaches is not whole,", from->id, node->id);
  }
}

// Its memory stays for a while: whoever still uses the object shall notice.
void leave(Base* node) {
  (*node->model)->destroy(node->id);
  ++g_gone;
  delete std::exchange(node->model, nullptr);
  asm volatile("" : : "r"(node) : "memory");  // the compiler must not drop the store
}

Owner::~Owner() {
  expect_whole(this);
  for (const Base* node : next) {
    expect_usable(this, node);
  }
  for (const Base* node : owned) {
    expect_usable(this, node);
  }
  expect_usable(this, weak.get());
  if (text.size() != 46) {
    fail("its own text is not whole", id, text.size());
  }
  leave(this);
}

Far::~Far() {
  expect_whole(this);
  for (const Base* node : between->next) {
    expect_usable(this, node);
  }
  leave(this);
}

class Graph {
 public:
  explicit Graph(uint64_t seed) : random_(seed) {
    for (size_t id = 0; id < kNodes; ++id) {
      make(id);
    }
    for (size_t id = 0; id < kNodes; ++id) {
      connect(id);
    }
    model_->close();
  }

  Base* any() { return nodes_[random_() % kNodes]; }

 private:
  template <class T>
  T* make_one(size_t id, bool has_destructor) {
    T* node = burrow::make<T>();
    node->model = new std::shared_ptr<Model>(model_);
    node->id = id;
    node->has_destructor = has_destructor;
    model_->has_destructor[id] = has_destructor;
    g_made += has_destructor ? 1 : 0;
    return node;
  }

  void make(size_t id) {
    switch (random_() % 4) {
      case 0: {
        auto* plain = make_one<Plain>(id, false);
        next_[id][0] = reinterpret_cast<Base**>(&plain->next[0]);
        next_[id][1] = reinterpret_cast<Base**>(&plain->next[1]);
        nodes_[id] = plain;
        break;
      }
      case 1: {
        far_[id] = make_one<Far>(id, true);
        nodes_[id] = far_[id];
        break;
      }
      default: {
        owner_[id] = make_one<Owner>(id, true);
        next_[id][0] = &owner_[id]->next[0];
        next_[id][1] = &owner_[id]->next[1];
        nodes_[id] = owner_[id];
      }
    }
    if (random_() % 3 == 0) {
      auto model = model_;
      burrow::add_cleanup(nodes_[id], [model](size_t node) { model->clean(node); }, id);
    }
  }

  size_t target(size_t id) { return id < kHalf ? random_() % kNodes : kHalf + random_() % kHalf; }

  void note(size_t from, size_t to, bool by_object) {
    model_->reaches[from][to] = true;
    model_->by_objects[from][to] = by_object || model_->by_objects[from][to];
  }

  void connect(size_t id) {
    for (size_t i = 0; i < 2; ++i) {
      size_t to = target(id);
      if (random_() % 3 == 0) {
        continue;
      }
      note(id, to, true);
      if (far_[id] != nullptr) {
        far_[id]->between->next[i] = nodes_[to];
      } else {
        *next_[id][i] = nodes_[to];
      }
    }
    if (owner_[id] == nullptr) {
      return;
    }
    if (id < kHalf && random_() % 2 == 0) {
      size_t to = kHalf + random_() % kHalf;
      owner_[id]->owned.push_back(nodes_[to]);
      note(id, to, false);
    }
    owner_[id]->weak = burrow::Weak<Base>(any());
  }

  std::mt19937_64 random_;
  std::shared_ptr<Model> model_ = std::make_shared<Model>();
  Base* nodes_[kNodes] = {};
  Base** next_[kNodes][2] = {};
  Owner* owner_[kNodes] = {};
  Far* far_[kNodes] = {};
};

constexpr size_t kWeak = 16;
burrow::Weak<Base> g_weak[8][kWeak];

__attribute__((noinline)) void build(uint64_t seed, size_t number) {
  Graph graph(seed * 977 + number);
  for (burrow::Weak<Base>& weak : g_weak[number]) {
    weak = burrow::Weak<Base>(graph.any());
  }
}

// What a weak pointer gave stays whole while it is held.
__attribute__((noinline)) void ask(size_t number) {
  for (burrow::Weak<Base>& weak : g_weak[number]) {
    Base* node = weak.get();
    for (int i = 0; i < 4 && node != nullptr; ++i) {
      if (!is_whole(node)) {
        fail("a weak pointer gave one that is destroyed", node->id, node->id);
      }
      std::this_thread::yield();
    }
  }
}

void act(size_t seeds, size_t number) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    build(seed, number);
    ask(number);
  }
  for (burrow::Weak<Base>& weak : g_weak[number]) {
    weak = burrow::Weak<Base>();
  }
}

void run(size_t seeds, size_t threads) {
  std::atomic<bool> done{false};
  std::thread collector([&] {
    while (!done.load()) {
      burrow::collect();
    }
  });
  std::vector<std::thread> actors;
  for (size_t i = 0; i < threads; ++i) {
    actors.emplace_back(act, seeds, i);
  }
  for (std::thread& actor : actors) {
    actor.join();
  }
  done.store(true);
  collector.join();
  // What a block refers to takes another collection.
  for (int i = 0; i < 4; ++i) {
    burrow::collect();
    drain();
  }
}

}  // namespace

int main(int argc, char** argv) {
  size_t seeds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
  size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
  std::string fault = argc > 3 ? argv[3] : "";
  plant(fault);
  run(seeds, threads);
  long left = g_made - g_gone;
  std::printf("destroy: %ld of %ld objects are left\n", left, g_made.load());
  // Stale words on stacks may keep some.
  if (left > 200) {
    return 1;
  }
  std::puts("destroy: passed");
  return 0;
}
