// A program with plain pointers alone, on the real collected heap: what the plugin puts in must be
// enough for it. Prints a checksum, the cycles there were, and how many objects live that only a
// number leads to.
#include <burrow/any.h>
#include <burrow/chan.h>
#include <burrow/func.h>
#include <burrow/gc.h>
#include <burrow/go.h>
#include <burrow/memstats.h>
#include <burrow/slice.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

using burrow::make;

struct Node {
  long key = 0;
  Node* left = nullptr;
  Node* right = nullptr;
};

// The number is not for the collector to see, once the pointer beside it is known to be exact.
struct Hiding {
  Node* plain = nullptr;
  uint64_t number = 0;
};

struct Random {
  uint64_t state;

  unsigned next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(state >> 33);
  }
};

[[gnu::noinline]] Node* tree(int depth, long& key) {
  if (depth == 0) {
    return nullptr;
  }
  Node* n = make<Node>();
  n->left = tree(depth - 1, key);
  n->key = ++key;
  n->right = tree(depth - 1, key);
  return n;
}

[[gnu::noinline]] long total(const Node* n) {
  return n == nullptr ? 0 : n->key + total(n->left) + total(n->right);
}

/// Moves subtrees about by plain stores, so that a pointer is often in one place only, and that
/// place changes while the collector looks.
[[gnu::noinline]] void shuffle(Node* root, Random& random, int times) {
  for (int n = 0; n < times; ++n) {
    Node* a = root;
    for (unsigned path = random.next() % 64; a->left != nullptr && a->right != nullptr && path > 1;
         path /= 2) {
      a = (path & 1) != 0 ? a->left : a->right;
    }
    Node* moved = a->left;
    a->left = a->right;
    a->right = moved;
    if (moved != nullptr) {
      Node* fresh = make<Node>();
      *fresh = *moved;
      a->right = fresh;
    }
  }
}

[[gnu::noinline]] long closures(long n) {
  long all = 0;
  burrow::Slice<Node*> nodes = burrow::make_slice<Node*>(4);
  for (int i = 0; i < 4; ++i) {
    Node* node = make<Node>();
    node->key = n + i;
    nodes[static_cast<size_t>(i)] = node;
  }
  burrow::Func<long(size_t)> read = [nodes, n](size_t i) { return nodes[i]->key - n; };

  struct Three {
    Node* node;
    long a, b;
  };

  burrow::Any boxed = Three{nodes[3], n, n};
  long garbage = 0;
  total(tree(4, garbage));
  for (size_t i = 0; i < 4; ++i) {
    all += read(i);
  }
  return all + boxed.as<Three>().node->key - n;
}

[[gnu::noinline]] void hide(std::vector<Hiding*>& hiding, std::vector<burrow::Weak<Node>>& weak) {
  for (int n = 0; n < 100; ++n) {
    auto* h = make<Hiding>();
    h->plain = make<Node>();
    auto* hidden = make<Node>();
    h->number = reinterpret_cast<uintptr_t>(hidden);
    weak.push_back(burrow::Weak<Node>(hidden));
    weak.push_back(burrow::Weak<Node>(h->plain));
    hiding.push_back(h);
  }
}

[[gnu::noinline]] void overwrite_stack() {
  volatile char bytes[8192];
  for (volatile char& b : bytes) {
    b = 1;
  }
}

long work(unsigned seed, int rounds) {
  Random random{seed};
  long key = 0;
  Node* root = tree(6, key);
  long sum = 0;
  for (int round = 0; round < rounds; ++round) {
    shuffle(root, random, 64);
    sum = sum * 31 + total(root) + closures(round);
  }
  return sum;
}

int main(int argc, char** argv) {
  int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  return burrow::run([&] {
    burrow::Chan<long> sums(4);
    for (unsigned worker = 0; worker < 4; ++worker) {
      burrow::go([=] { sums.send(work(worker + 1, rounds)); });
    }
    long sum = 0;
    for (int worker = 0; worker < 4; ++worker) {
      sum += sums.recv().value_or(0);
    }
    std::vector<Hiding*> hiding;
    std::vector<burrow::Weak<Node>> weak;
    hide(hiding, weak);
    overwrite_stack();
    burrow::collect();
    int hidden = 0, plain = 0;
    for (size_t n = 0; n < weak.size(); n += 2) {
      hidden += weak[n].get() != nullptr;
      plain += weak[n + 1].get() != nullptr;
    }
    std::printf("%ld %d %d\n", sum, hidden, plain);
    return hiding.size() == 100 ? 0 : 1;
  });
}
