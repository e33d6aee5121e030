// The workloads that are written once for every C++ heap. A `Heap` has
//   make<T>(), make_array<T>(n)     zeroed memory
//   drop(p)                         for heaps without a collector: frees
// See workloads.h.
#pragma once

#include "workloads.h"

namespace bench {

template <template <class> class Pointer>
struct Tree {
  Pointer<Tree> left;
  Pointer<Tree> right;
};

template <class T>
using Raw = T*;

template <class Heap, class T>
T* grow(int depth) {
  T* tree = Heap::template make<T>();
  if (depth > 0) {
    tree->left = grow<Heap, T>(depth - 1);
    tree->right = grow<Heap, T>(depth - 1);
  }
  return tree;
}

template <class T>
long nodes(const T* tree) {
  const T* left = tree->left;
  const T* right = tree->right;
  return left == nullptr ? 1 : 1 + nodes(left) + nodes(right);
}

template <class Heap, class T>
void drop_tree(T* tree) {
  if constexpr (Heap::kDrops) {
    if (tree != nullptr) {
      drop_tree<Heap, T>(tree->left);
      drop_tree<Heap, T>(tree->right);
      Heap::drop(tree);
    }
  }
}

template <class Heap, class T>
void grow_and_count(int depth) {
  T* tree = grow<Heap, T>(depth);
  expect(nodes(tree) == (2L << depth) - 1, "nodes were lost");
  drop_tree<Heap, T>(tree);
}

/// The benchmark of that name: a stretch tree, a tree that lives on, many that do not.
template <class Heap, template <class> class Pointer>
void trees(long count) {
  using T = Tree<Pointer>;
  constexpr int kLeast = 4;
  int most = std::max(static_cast<int>(count), kLeast + 2);
  Clock clock;
  grow_and_count<Heap, T>(most + 1);
  T* lives = grow<Heap, T>(most);
  for (int depth = kLeast; depth <= most; depth += 2) {
    for (long i = 0; i < 1L << (most - depth + kLeast); ++i) {
      grow_and_count<Heap, T>(depth);
    }
  }
  expect(nodes(lives) == (2L << most) - 1, "nodes were lost");
  std::printf("{\"s\":%.6g,\"peak_mib\":%.6g}\n", clock.seconds(), peak_mib());
}

template <size_t Bytes>
struct Plain {
  uint64_t words[Bytes / sizeof(uint64_t)];
};

/// Small objects as they are made one by one, big ones as buffers.
template <class Heap, size_t Bytes>
void allocate(long count) {
  constexpr size_t kBuffer = 1024;
  Clock clock;
  for (long i = 0; i < count; ++i) {
    if constexpr (Bytes < kBuffer) {
      keep(Heap::template make<Plain<Bytes>>());
    } else {
      keep(Heap::template make_array<unsigned char>(Bytes));
    }
  }
  report("ns", clock.ns() / static_cast<double>(count));
}

struct ListNode {
  ListNode* next;
  uint64_t value[3];
};

/// Nodes in 1,024 lists, whose heads are all that keeps them.
template <class Heap>
ListNode** lists(long count, bool shuffled) {
  constexpr size_t kLists = 1024;
  auto** heads = Heap::template make_array<ListNode*>(kLists);
  auto n = static_cast<size_t>(count);
  auto** all = Heap::template make_array<ListNode*>(n);
  for (size_t i = 0; i < n; ++i) {
    all[i] = Heap::template make<ListNode>();
  }
  Random random;
  for (size_t i = n; shuffled && i > 1; --i) {
    std::swap(all[i - 1], all[random.below(static_cast<uint32_t>(i))]);
  }
  for (size_t i = 0; i < n; ++i) {
    ListNode*& head = heads[i * kLists / n];
    all[i]->next = head;
    head = all[i];
  }
  std::fill(all, all + n, nullptr);
  return heads;
}

/// An entry of the cache: in a chain of its hash bucket, and in the list by use.
struct Entry {
  Entry* chain;
  Entry* newer;
  Entry* older;
  uint64_t key;
  unsigned char* value;
};

template <class Heap>
class Cache {
 public:
  static constexpr size_t kValueBytes = 960;  // 1 KiB with the entry and its bucket

  explicit Cache(uint32_t capacity)
      : capacity_(capacity), buckets_(Heap::template make_array<Entry*>(capacity)) {
    ends_ = Heap::template make<Entry>();
    ends_->newer = ends_->older = ends_;
  }

  /// Hits move to the front; misses take the place of the entry that was not used for longest.
  bool look_up(uint64_t key) {
    Entry*& bucket = buckets_[key % capacity_];
    Entry* entry = bucket;
    while (entry != nullptr && entry->key != key) {
      entry = entry->chain;
    }
    bool hit = entry != nullptr;
    if (hit) {
      unlink(entry);
    } else {
      if (size_ == capacity_) {
        evict(ends_->newer);
      }
      entry = Heap::template make<Entry>();
      entry->key = key;
      entry->value = Heap::template make_array<unsigned char>(kValueBytes);
      entry->value[0] = static_cast<unsigned char>(key);
      entry->chain = bucket;
      bucket = entry;
      ++size_;
    }
    expect(entry->value[0] == static_cast<unsigned char>(key), "an entry was lost");
    entry->older = ends_->older;
    entry->newer = ends_;
    ends_->older->newer = entry;
    ends_->older = entry;
    return hit;
  }

 private:
  void unlink(Entry* entry) {
    entry->older->newer = entry->newer;
    entry->newer->older = entry->older;
  }

  void evict(Entry* entry) {
    unlink(entry);
    Entry** at = &buckets_[entry->key % capacity_];
    while (*at != entry) {
      at = &(*at)->chain;
    }
    *at = entry->chain;
    --size_;
  }

  uint32_t capacity_;
  uint32_t size_ = 0;
  Entry** buckets_;
  Entry* ends_;  ///< `newer` is the oldest, `older` the newest
};

template <class Heap>
void lru(long count) {
  constexpr long kEntries = 1L << 20;
  auto capacity = static_cast<uint32_t>(std::clamp(count / 4, 16L, kEntries));
  Cache<Heap> cache(capacity);  // on the stack, which every collector looks through
  Random random;
  for (uint32_t i = 0; i < capacity; ++i) {
    cache.look_up(2 * i);
  }
  long hits = 0;
  Clock clock;
  for (long i = 0; i < count; ++i) {
    hits += cache.look_up(random.below(2 * capacity)) ? 1 : 0;
  }
  double ns = clock.ns();
  expect(hits > count / 4, "too few hits");
  report("ns", ns / static_cast<double>(count));
}

}  // namespace bench
