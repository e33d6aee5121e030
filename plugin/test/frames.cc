// What the frames of a recursion and of a thread with a small stack take. Prints "2001 ok".
#include <burrow/make.h>
#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

struct Buffer {
  char bytes[60000];
};

// Has its buffer in a frame of its own, not in those of the functions that call each other.
static int checksum(int n) {
  Buffer* b = burrow::make<Buffer>();
  for (int i = 0; i < 100; i++) {
    b->bytes[(i * 601 + n) % 60000] = static_cast<char>(n + i);
  }
  int s = 0;
  for (int i = 0; i < 60000; i += 7) {
    s += b->bytes[i];
  }
  return s;
}

static volatile int total;
int odd(int n);

[[gnu::noinline]] int even(int n) {
  total = checksum(n);
  return n <= 0 ? 0 : 1 + odd(n - 1);
}

[[gnu::noinline]] int odd(int n) {
  return 1 + even(n - 1);
}

struct Text {
  char bytes[12000];
};

// Comes back as a virtual function or one of another file does.
static int (*volatile again)(int);

[[gnu::noinline]] int visit(int n) {
  Text* t = burrow::make<Text>();
  for (int i = 0; i < 100; i++) {
    t->bytes[(i * 119 + n) % 12000] = static_cast<char>(n + i);
  }
  int deeper = n <= 0 ? 0 : 1 + again(n - 1);
  total = t->bytes[n];
  return deeper;
}

static int parse(const char* s) {
  char* b = static_cast<char*>(std::malloc(12000));
  std::memset(b, *s, 12000);
  int sum = 0;
  for (int i = 0; i < 12000; i += 100) {
    sum += b[i];
  }
  std::free(b);
  return sum;
}

static int parse_large(const char* s) {
  char* b = static_cast<char*>(std::malloc(60000));
  std::memset(b, *s, 60000);
  int sum = 0;
  for (int i = 0; i < 60000; i += 100) {
    sum += b[i];
  }
  std::free(b);
  return sum;
}

// Six buffers of 12,000 bytes are more than the stack, if all become parts of this frame.
static void* run(void* p) {
  auto* names = static_cast<const char**>(p);
  int sum = parse_large(names[0]);
  for (int i = 0; i < 6; i += 6) {
    sum += parse(names[0]) + parse(names[1]) + parse(names[2]);
    sum += parse(names[3]) + parse(names[4]) + parse(names[5]);
  }
  names[0] = sum > 0 ? "ok" : "?";
  return nullptr;
}

int main() {
  again = visit;
  if (visit(2000) != 2000) {
    return 3;
  }
  int n = even(2000) + 1;
  const char* names[] = {"a", "b", "c", "d", "e", "f"};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 65536);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, run, names) != 0) {
    return 2;
  }
  pthread_join(thread, nullptr);
  std::printf("%d %s\n", n, names[0]);
}
