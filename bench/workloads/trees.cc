// Trees built and thrown away, one kept to the end: the shape of a compiler's syntax trees. Nodes
// are of three sizes and are made and destroyed by new and delete.
#include <cstdlib>
#include <memory>

#include "bench.h"

namespace {

/// A node with `Extra` bytes of attributes behind its children.
struct Node {
  virtual ~Node() = default;
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;
  std::size_t value = 0;
};

template <std::size_t Extra>
struct Wide final : Node {
  char attributes[Extra] = {};
};

std::unique_ptr<Node> build(std::size_t depth, std::size_t value) {
  std::unique_ptr<Node> node;
  switch (value % 3) {
    case 0:
      node = std::make_unique<Wide<8>>();
      break;
    case 1:
      node = std::make_unique<Wide<40>>();
      break;
    default:
      node = std::make_unique<Wide<120>>();
      break;
  }
  node->value = value;
  if (depth > 0) {
    node->left = build(depth - 1, value * 2);
    node->right = build(depth - 1, value * 2 + 1);
  }
  return node;
}

std::size_t count(const Node& node) {
  return 1 + (node.left ? count(*node.left) + count(*node.right) : 0);
}

}  // namespace

int main(int argc, char** argv) {
  const burrow::bench::Options options(argc, argv, {{"depth", "16"}, {"trees", "80"}});
  const std::size_t depth = options.number("depth");
  std::size_t nodes = 0;
  const burrow::bench::Stopwatch watch;
  const std::unique_ptr<Node> kept = build(depth, 1);
  for (std::size_t i = 0; i < options.number("trees"); ++i) {
    const std::unique_ptr<Node> tree = build(depth - i % 4, i);
    nodes += count(*tree);
  }
  nodes += count(*kept);
  burrow::bench::Report report("trees");
  report.add_times(watch, static_cast<double>(nodes));
  report.print();
  return 0;
}
