// Loops: one slot serves all iterations, so an object must be dead when its site runs again.
#include <burrow/corpus.h>

int each_its_own(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    int* p = make<int>(i);  // -m: does not escape
    s += *p;
  }
  return s;
}

int list(int n) {
  Node* head = nullptr;
  for (int i = 0; i < n; ++i) {
    Node* p = make<Node>();  // -m: escapes to heap
    p->next = head;
    p->value = i;
    head = p;
  }
  int s = 0;
  for (; head; head = head->next) {
    s += head->value;
  }
  return s;
}

int the_last_one(int n) {
  int* last = nullptr;
  for (int i = 0; i < n; ++i) {
    last = make<int>(i);  // -m: does not escape [O0: escapes to heap] [go: escapes to heap]
  }
  return last ? *last : 0;
}

int the_one_before(int n) {
  int* before = make<int>(0);  // -m: does not escape
  int s = 0;
  for (int i = 0; i < n; ++i) {
    int* now = make<int>(i);  // -m: escapes to heap
    s += *before - *now;
    before = now;
  }
  return s;
}

int in_an_outer_variable(int n) {
  Pair pair{};
  for (int i = 0; i < n; ++i) {
    pair.first = make<int>(i);  // -m: escapes to heap
    promises(&pair);
  }
  return pair.first ? *pair.first : 0;
}

int in_an_inner_variable(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    Pair pair{};
    pair.first = make<int>(i);  // -m: does not escape
    pair.second = pair.first;
    s += *pair.second;
  }
  return s;
}

int in_an_inner_object(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    Pair* pair = make<Pair>();   // -m: does not escape
    pair->first = make<int>(i);  // -m: does not escape [go: escapes to heap]
    s += *pair->first;
  }
  return s;
}

int in_an_outer_object(int n) {
  Pair* pair = make<Pair>();  // -m: does not escape
  for (int i = 0; i < n; ++i) {
    pair->first = make<int>(i);  // -m: escapes to heap
    promises(pair);
  }
  return *pair->first;
}

int nested(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    int* outer = make<int>(i);  // -m: does not escape
    for (int j = 0; j < n; ++j) {
      int* inner = make<int>(j);  // -m: does not escape
      s += *outer * *inner;
    }
  }
  return s;
}

int inner_kept_by_outer(int n) {
  int s = 0;
  for (int i = 0; i < n; ++i) {
    Node* first = make<Node>();  // -m: does not escape
    for (int j = 0; j < n; ++j) {
      Node* p = make<Node>();  // -m: escapes to heap
      p->next = first->next;
      first->next = p;
    }
    for (Node* p = first; p; p = p->next) {
      s += p->value;
    }
  }
  return s;
}

int swapped(int n) {
  int* a = make<int>(1);  // -m: does not escape
  int* b = make<int>(2);  // -m: does not escape
  for (int i = 0; i < n; ++i) {
    int* t = a;
    a = b;
    b = t;
  }
  return *a;
}

int used_after_the_loop(int n) {
  int i = 0;
  for (;;) {
    int* p = make<int>(i);  // -m: does not escape
    if (++i > n) {
      return *p;
    }
  }
}

int jumps_back(int n) {
  Node* kept = nullptr;
again:
  Node* p = make<Node>();  // -m: escapes to heap
  p->next = kept;
  kept = p;
  if (--n > 0) {
    goto again;
  }
  return kept->next != kept;
}

int jumps_back_without(int n) {
  int s = 0;
again:
  int* p = make<int>(n);  // -m: does not escape
  s += *p;
  if (--n > 0) {
    goto again;
  }
  return s;
}

int into_the_middle(int n) {
  int s = 0;
  if (n & 1) {
    goto middle;
  }
  while (n > 0) {
    --n;
    {
    middle:
      int* p = make<int>(n);  // -m: escapes to heap [go: does not escape]
      s += *p;
    }
    --n;
  }
  return s;
}

int by_reference(int n) {
  int* kept = nullptr;
  int** place = &kept;
  int s = 0;
  for (int i = 0; i < n; ++i) {
    if (kept) {
      s += *kept;
    }
    *place = make<int>(i);  // -m: escapes to heap
    promises(place);
  }
  return s;
}

struct Ring {
  int* slots[4];
};

int in_a_ring(int n) {
  Ring ring{};
  int s = 0;
  for (int i = 0; i < n; ++i) {
    ring.slots[i & 3] = make<int>(i);  // -m: escapes to heap
    if (int* old = ring.slots[(i + 1) & 3]) {
      s += *old;
    }
  }
  return s;
}
