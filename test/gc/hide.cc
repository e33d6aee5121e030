// Objects hidden on stacks while the collector marks: what lies in the last nodes of a long list is
// taken out, held by a stack alone, and put back, again and again. Marking comes by late: after the
// stack was looked at, before the object is back.
//
//     gc_hide CYCLES [FAULT]
//
// FAULT plants one (stacks, goroutines): with BURROW_DEBUG=gcverify=1 the verifier must notice.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "burrow/gc.h"
#include "burrow/go.h"
#include "gc/faults.h"

namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMagic = 0x5ca1ab1e0ddba11;
constexpr size_t kNodes = size_t{1} << 19;
constexpr size_t kGifts = 4096;  // each actor has its own
constexpr size_t kHands = 64;

struct Gift {
  uint64_t check = kMagic;
  uint64_t unused[5] = {};
};

struct Node {
  Node* next = nullptr;
  Gift* gift = nullptr;
};

// An address that the collector does not take for one.
class Hidden {
 public:
  explicit Hidden(Node* node) : word_(~reinterpret_cast<uintptr_t>(node)) {}

  [[nodiscard]] Node* get() const { return reinterpret_cast<Node*>(~word_); }

 private:
  uintptr_t word_;
};

Node* g_list;
std::array<std::vector<Hidden>, 2> g_last;  // of each actor
std::atomic<bool> g_done{false};

void build_list() {
  g_list = burrow::make<Node>();
  Node* end = g_list;
  for (size_t i = 1; i < kNodes; ++i) {
    end->next = burrow::make<Node>();
    end = end->next;
    if (i >= kNodes - 2 * kGifts) {
      end->gift = burrow::make<Gift>();
      g_last[i % 2].push_back(Hidden(end));
    }
  }
}

__attribute__((noinline)) void expect_whole(const Gift* gift) {
  if (gift == nullptr || gift->check != kMagic) {
    std::fprintf(stderr, "hide: the object at %p is not whole\n", static_cast<const void*>(gift));
    std::abort();
  }
}

void put_back(Node* node, Gift* volatile& held) {
  expect_whole(held);
  node->gift = held;
  held = nullptr;
}

// Moves gifts between the nodes and the array, which lies on the caller's stack.
__attribute__((noinline)) void move_some(std::mt19937_64& random, const std::vector<Hidden>& last,
                                         size_t* places, Gift* volatile* held) {
  for (int i = 0; i < 8; ++i) {
    size_t hand = random() % kHands;
    if (held[hand] != nullptr) {
      put_back(last[places[hand]].get(), held[hand]);
      continue;
    }
    places[hand] = random() % last.size();
    Node* node = last[places[hand]].get();
    if (node->gift != nullptr) {
      expect_whole(node->gift);
      held[hand] = node->gift;
      node->gift = nullptr;
    }
  }
}

// Every gift is back.
void expect_all() {
  size_t nodes = 0;
  size_t gifts = 0;
  for (const Node* node = g_list; node != nullptr; node = node->next) {
    ++nodes;
    if (node->gift != nullptr) {
      expect_whole(node->gift);
      ++gifts;
    }
  }
  if (nodes != kNodes || gifts != 2 * kGifts) {
    std::fprintf(stderr, "hide: %zu of %zu nodes and %zu of %zu objects are left\n", nodes, kNodes,
                 gifts, 2 * kGifts);
    std::abort();
  }
}

template <class Sleep>
__attribute__((noinline)) void hide(size_t number, Sleep sleep) {
  Gift* volatile held[kHands] = {};
  size_t places[kHands];
  std::mt19937_64 random(number);
  while (!g_done.load()) {
    move_some(random, g_last[number], places, held);
    sleep(200us);
  }
  for (size_t hand = 0; hand < kHands; ++hand) {
    if (held[hand] != nullptr) {
      put_back(g_last[number][places[hand]].get(), held[hand]);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  size_t cycles = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10;
  std::string fault = argc > 2 ? argv[2] : "";
  burrow::gc::g_faults.no_stack_rescan = fault == "stacks";
  burrow::gc::g_faults.no_goroutine_rescan = fault == "goroutines";
  build_list();
  std::thread thread([] { hide(0, [](auto d) { std::this_thread::sleep_for(d); }); });
  burrow::WaitGroup goroutine;
  goroutine.add(1);
  burrow::go([&] {
    hide(1, [](auto d) { burrow::sleep_for(d); });
    goroutine.done();
  });
  for (size_t i = 0; i < cycles; ++i) {
    burrow::collect();
  }
  g_done.store(true);
  thread.join();
  goroutine.wait();
  expect_all();
  std::puts("hide: passed");
  return 0;
}
