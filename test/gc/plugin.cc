// Burrow inside of a plugin: a library that a program loads which had its malloc before.
#include <vector>

#include "burrow/gc.h"

namespace {

struct Node {
  burrow::Ptr<Node> next;
  long value = 0;
};

std::vector<Node*>* g_kept;
thread_local Node* t_kept;

}  // namespace

extern "C" __attribute__((visibility("default"))) long plugin_lost(void** block, long count) {
  g_kept = new std::vector<Node*>;
  for (long i = 0; i < count; ++i) {
    Node* node = burrow::make<Node>();
    node->value = i;
    g_kept->push_back(node);
    block[i] = burrow::make<Node>(Node{{}, i});
    burrow::make<Node>();
  }
  t_kept = burrow::make<Node>(Node{{}, 7});
  burrow::collect();
  for (long i = 0; i < count; ++i) {
    burrow::make<Node>(Node{{}, -1});
  }
  long lost = t_kept->value == 7 ? 0 : 1;
  for (long i = 0; i < count; ++i) {
    lost += static_cast<long>((*g_kept)[static_cast<size_t>(i)]->value != i) +
            static_cast<long>(static_cast<Node*>(block[i])->value != i);
  }
  delete g_kept;
  return lost;
}
