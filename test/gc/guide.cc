// The snippets of docs/collected-heap.md, as one program: guide_test.py compares the two.
#include <burrow/any.h>
#include <burrow/func.h>
#include <burrow/gc.h>
#include <burrow/memstats.h>
#include <burrow/pool.h>
#include <burrow/slice.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

// clang-format off: the guide's lines are what they are.
struct Node {
  burrow::Ptr<Node> next;
  int value = 0;
};

Node* push(Node* list, int value) {
  return burrow::make<Node>(Node{list, value});
}

struct Log {
  std::vector<std::string> lines;
};

struct Session {
  Log* log = nullptr;

  ~Session() { log->lines.push_back("session ended"); }  // the log is whole
};

class Account {
 public:
  explicit Account(Node* owner) : owner_(owner) {}

 private:
  friend struct burrow::type_map<Account>;

  burrow::Ptr<Node> owner_;
  long cents_ = 0;
};

struct Digest {
  explicit Digest(unsigned long seed) : words{seed} {}

  unsigned long words[8];
};

BURROW_FIELDS(Account, owner_);  // its pointers are in owner_ and nowhere else
BURROW_OPAQUE(Digest);           // it has none, whatever its bits look like

static_assert(burrow::internal::kPointerMap<Account>.kind == burrow::internal::ObjectKind::kExact);
static_assert(burrow::internal::kPointerMap<Digest>.kind == burrow::internal::ObjectKind::kNoscan);

namespace {

void expect(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "guide: not so: %s\n", what);
    std::exit(1);
  }
}

void objects() {
  Node* list = nullptr;
  for (int i = 0; i < 100; ++i) {
    list = push(list, i);
  }
  burrow::Root<Node> root = burrow::make<Node>();  // counts wherever it lies
  void* shared = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  burrow::add_roots(shared, 1 << 20);  // from now on pointers in it count
  static_cast<Node**>(shared)[0] = root.get();
  burrow::remove_roots(shared);  // before it is unmapped
  munmap(shared, 1 << 20);
  std::vector<char> buffer(1 << 20);
  burrow::declare_pointer_free(buffer.data());
  auto* account = burrow::make<Account>(list);
  burrow::collect();
  expect(list->next->value == 98 && root->value == 0 && account != nullptr, "objects stay");
}

void slices() {
  burrow::Slice<int> s = burrow::make_slice<int>(0, 10);
  s = burrow::append(s, 1, 2, 3);
  burrow::Slice<int> tail = s(1, 3);  // s[1:3]
  tail[0] = 20;                       // also s[1]
  s = burrow::append(s, tail);
  expect(s == burrow::Slice<int>{1, 20, 3, 20, 3}, "slices share their elements");
}

void values() {
  burrow::Any a = 42;  // in the Any itself: no allocation
  a = std::string("text");
  if (const auto* text = a.try_as<std::string>()) {
    std::printf("%s\n", text->c_str());
  }
  burrow::Func<int(int)> add = [base = 10](int x) { return base + x; };
  burrow::Func<int(int)> same = add;  // the same captures
  expect(a.as<std::string>() == "text" && same(1) == 11, "values are what they were");
}

void pools() {
  burrow::Pool<Digest> pool([] { return burrow::make<Digest>(0); });
  Digest* digest = pool.get();
  pool.put(digest);
  expect(pool.get() == digest, "a pool gives what it got");
}

void ends() {
  Node* node = burrow::make<Node>();
  burrow::Cleanup cleanup = burrow::add_cleanup(node, [](int fd) { close(fd); }, open("/dev/null", 0));
  burrow::Weak<Node> weak(node);
  if (Node* still_there = weak.get()) {
    still_there->value = 1;
  }
  cleanup.stop();  // or let it run
  expect(node->value == 1, "a weak pointer leads to its object");
  burrow::make<Session>()->log = burrow::make<Log>();
}

void containers() {
  std::vector<Node*, burrow::allocator<Node*>> nodes;
  nodes.push_back(burrow::make<Node>());
  burrow::collect();
  expect(nodes[0]->value == 0, "a container's objects stay");
}

void memory() {
  burrow::set_memory_limit(int64_t{2} << 30);
  burrow::collect();
  burrow::MemStats stats = burrow::read_mem_stats();
  std::printf("%lu bytes live after %u collections\n", stats.heap_alloc, stats.num_gc);
  expect(stats.num_gc >= 3 && stats.heap_alloc > 0, "the figures follow");
}

}  // namespace

int main() {
  objects();
  slices();
  values();
  pools();
  ends();
  containers();
  memory();
}
