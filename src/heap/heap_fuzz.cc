// libFuzzer's target for the heap: an input is a program of calls on two threads, run against a
// shadow map of what must be live. Checks contents, overlap, alignment, usable sizes, zeroes and
// figures.
//
// BURROW_FUZZ_FAULT plants a fault between the heap and the target (test/fuzz shows that each is
// found): it stands for a heap that is wrong in that way.
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bits.h"
#include "heap/hardened.h"
#include "heap/heap.h"
#include "heap/size_classes.h"
#include "heap/stats.h"

namespace burrow::heap {
namespace {

constexpr size_t kMostLive = 48 * kMiB;

[[noreturn]] void fail(const char* what, const void* p, size_t size) {
  fprintf(stderr, "heap_fuzz: %s: block %p of %zu bytes\n", what, p, size);
  std::abort();
}

std::string_view fault() {
  static const char* const text = getenv("BURROW_FUZZ_FAULT");
  return text == nullptr ? "" : text;
}

bool planted(std::string_view name) {
  return !fault().empty() && fault() == name;
}

/// The bytes of an input, read one after the other; zeroes when they are used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  [[nodiscard]] bool empty() const { return at_ == end_; }

  uint8_t byte() { return empty() ? 0 : *at_++; }

  size_t word() {
    size_t high = byte();
    return high << 8 | byte();
  }

  /// A size: mostly small, on and around the borders of classes, sometimes pages and more.
  size_t size() {
    size_t n = word();
    switch (n & 7) {
      case 0:
        return class_info(SizeClass(1 + (n >> 3) % (kNumClasses - 1))).size + (n >> 12) % 3 - 1;
      case 1:
        return n % (48 * kKiB);
      case 2:
        return (n >> 3) * 37 % (3 * kMiB);
      case 3:
        return (n >> 3) % 64 * kPageSize + (n >> 12) % 3;
      default:
        return (n >> 3) % 1100;
    }
  }

  size_t alignment() { return size_t{1} << byte() % 23; }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

/// A second thread that runs what it is given, in order.
class Helper {
 public:
  Helper() : thread_([this] { loop(); }) { thread_.detach(); }

  void post(std::function<void()> job) {
    std::lock_guard hold(lock_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }

  void wait() {
    std::unique_lock hold(lock_);
    changed_.wait(hold, [this] { return jobs_.empty() && !busy_; });
  }

 private:
  void loop() {
    std::unique_lock hold(lock_);
    for (;;) {
      changed_.wait(hold, [this] { return !jobs_.empty(); });
      std::vector<std::function<void()>> now;
      now.swap(jobs_);
      busy_ = true;
      hold.unlock();
      for (auto& job : now) {
        job();
      }
      hold.lock();
      busy_ = false;
      changed_.notify_all();
    }
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> jobs_;
  bool busy_ = false;
  std::thread thread_;
};

/// What the shadow map knows of a block.
struct Block {
  size_t size;
  size_t usable;
  size_t alignment;
  uint8_t seed;
  bool resized;
};

// Large blocks are filled and checked at both ends and once a page, so that inputs run fast.
template <typename F>
void for_filled_bytes(size_t size, F f) {
  constexpr size_t kWhole = 2048;
  for (size_t i = 0; i < size; ++i) {
    if (i >= kWhole && i + kWhole < size) {
      size_t next = round_up(i, size_t{4096});
      i = std::min(next > i ? next : i, size - kWhole);
    }
    f(i);
  }
}

uint8_t pattern(size_t i, uint8_t seed) {
  return static_cast<uint8_t>(i * 13 + (i >> 8) * 7 + seed * size_t{31} + 1);
}

void fill(void* p, const Block& b) {
  auto* bytes = static_cast<uint8_t*>(p);
  for_filled_bytes(b.size, [&](size_t i) { bytes[i] = pattern(i, b.seed); });
}

// Checks the first `size` bytes of what `fill` wrote.
void check_contents(const void* p, const Block& b, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(p);
  for_filled_bytes(b.size, [&](size_t i) {
    if (i < size && bytes[i] != pattern(i, b.seed)) {
      fail("contents changed", p, b.size);
    }
  });
}

// The heap as the target sees it, with the planted fault in between.
void* heap_reallocate(void* p, size_t size) {
  void* q = reallocate(p, size);
  if (q != nullptr && size > 16 && planted("realloc-copies-too-little")) {
    static_cast<uint8_t*>(q)[15] ^= 0x55;
  }
  return q;
}

void* heap_zeroed(size_t size) {
  void* p = allocate_zeroed(size);
  if (p != nullptr && size > 0 && planted("calloc-not-zeroed")) {
    static_cast<uint8_t*>(p)[size - 1] = 1;
  }
  return p;
}

void* heap_aligned(size_t alignment, size_t size) {
  auto* p = static_cast<char*>(allocate_aligned(alignment, size));
  return p != nullptr && planted("misaligned") && alignment > 64 ? p + 16 : p;
}

size_t heap_usable_size(const void* p, size_t asked) {
  size_t usable = usable_size(p);
  return planted("usable-too-small") && asked > 100 ? asked - 1 : usable;
}

/// One run of an input.
class Run {
 public:
  explicit Run(Helper& helper) : helper_(helper), bytes_before_(figures()) {}

  void step(Input& in);
  void finish();

 private:
  using Live = std::map<uintptr_t, Block>;

  // Bytes that the heap says are live.
  static size_t figures() {
    HeapStats s;
    read_stats(s);
    return s.alloc;
  }

  void add(void* p, size_t size, size_t alignment, bool zeroed, bool resized = false);
  void check_zero(const void* p, size_t size);
  void check_figures();
  void allocate_one(Input& in);
  void resize_one(Input& in);
  void free_one(Input& in);
  void free_some_elsewhere(Input& in);
  void run_out(Input& in);
  Live::iterator pick(Input& in);
  void drop(Live::iterator at);

  Helper& helper_;
  size_t bytes_before_;
  Live live_;
  size_t live_bytes_ = 0;
  uint8_t seed_ = 0;
};

void Run::check_zero(const void* p, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(p);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != 0) {
      fail("not zero", p, size);
    }
  }
}

void Run::add(void* p, size_t size, size_t alignment, bool zeroed, bool resized) {
  if (p == nullptr) {
    return;
  }
  if (planted("overlap") && !live_.empty() && live_.size() % 8 == 0) {
    deallocate(p);
    p = reinterpret_cast<void*>(live_.begin()->first);
  }
  auto address = reinterpret_cast<uintptr_t>(p);
  if (address % std::max<size_t>(alignment, 16) != 0) {
    fail("alignment", p, size);
  }
  Block b{size, heap_usable_size(p, size), alignment, ++seed_, resized};
  if (b.usable < size) {
    fail("usable size", p, size);
  }
  auto after = live_.lower_bound(address);
  if ((after != live_.end() && address + std::max<size_t>(b.usable, 1) > after->first) ||
      (after != live_.begin() &&
       std::prev(after)->first + std::prev(after)->second.usable > address)) {
    fail("overlap", p, size);
  }
  if (zeroed) {
    check_zero(p, size);
  }
  fill(p, b);
  live_.emplace(address, b);
  live_bytes_ += b.usable;
}

void Run::drop(Live::iterator at) {
  live_bytes_ -= at->second.usable;
  live_.erase(at);
}

Run::Live::iterator Run::pick(Input& in) {
  auto at = live_.begin();
  std::advance(at, static_cast<ptrdiff_t>(in.byte() % live_.size()));
  return at;
}

void Run::allocate_one(Input& in) {
  size_t size = in.size();
  if (live_bytes_ + size > kMostLive) {
    return;
  }
  switch (in.byte() % 4) {
    case 0:
      add(heap_zeroed(size), size, 1, true);
      return;
    case 1: {
      size_t alignment = in.alignment();
      add(heap_aligned(alignment, size), size, alignment, false);
      return;
    }
    default:
      add(allocate(size), size, 1, false);
  }
}

void Run::resize_one(Input& in) {
  size_t size = std::max<size_t>(in.size(), 1);
  if (live_.empty() || live_bytes_ + size > kMostLive) {
    return;
  }
  auto at = pick(in);
  auto* p = reinterpret_cast<void*>(at->first);
  Block b = at->second;
  check_contents(p, b, b.size);
  drop(at);
  if (in.byte() % 4 == 0) {
    // On the other thread, which waits for nothing.
    void* q = nullptr;
    helper_.post([&] { q = heap_reallocate(p, size); });
    helper_.wait();
    p = q;
  } else {
    p = heap_reallocate(p, size);
  }
  if (p == nullptr) {
    fail("realloc failed", p, size);
  }
  check_contents(p, b, std::min(size, b.size));
  add(p, size, 1, false, true);
}

// Frees a block in the way that fits it.
void release(void* p, const Block& b, uint8_t way) {
  check_contents(p, b, b.size);
  if (planted("lost-free") && way % 8 == 0) {
    return;
  }
  if (planted("double-free") && way % 8 == 1) {
    deallocate(p);
  }
  switch (way % 3) {
    case 0:
      deallocate_sized(p, b.size, b.alignment,
                       b.resized ? SizeRule::kMayBeResized : SizeRule::kExact);
      return;
    case 1:
      deallocate_sized(p, b.size, b.alignment, SizeRule::kMayBeResized);
      return;
    default:
      deallocate(p);
  }
}

void Run::free_one(Input& in) {
  if (live_.empty()) {
    return;
  }
  auto at = pick(in);
  auto* p = reinterpret_cast<void*>(at->first);
  Block b = at->second;
  if (planted("free-by-neighbour") && live_.size() > 4) {
    auto other = std::next(at) == live_.end() ? live_.begin() : std::next(at);
    deallocate(reinterpret_cast<void*>(other->first));
    drop(at);
    return;
  }
  drop(at);
  release(p, b, in.byte());
}

// The other thread frees while this one goes on.
void Run::free_some_elsewhere(Input& in) {
  std::vector<std::pair<void*, Block>> some;
  for (size_t n = in.byte() % 32; n > 0 && !live_.empty(); --n) {
    auto at = pick(in);
    some.emplace_back(reinterpret_cast<void*>(at->first), at->second);
    drop(at);
  }
  uint8_t way = in.byte();
  helper_.post([some, way] {
    for (const auto& [p, b] : some) {
      release(p, b, way);
    }
  });
}

// A limit that is too low for most: what is refused must leave everything as it was.
void Run::run_out(Input& in) {
  helper_.wait();
  HeapStats s;
  read_stats(s);
  size_t before = set_memory_limit(s.heap_sys - s.heap_released + in.word() * 64);
  for (int i = 0; i < 20; ++i) {
    size_t size = in.size();
    if (live_bytes_ + size <= kMostLive) {
      add(allocate(size), size, 1, false);
    }
  }
  if (!live_.empty()) {
    auto at = pick(in);
    auto* p = reinterpret_cast<void*>(at->first);
    size_t less = at->second.size / 2 + 1;
    Block b = at->second;
    drop(at);
    void* q = less <= b.size ? heap_reallocate(p, less) : p;
    if (q == nullptr) {
      fail("a block does not shrink", p, b.size);
    }
    less = std::min(less, b.size);
    check_contents(q, b, less);
    add(q, less, 1, false, true);
  }
  set_memory_limit(before);
}

void Run::check_figures() {
  helper_.wait();
  if (!hardened_on() && figures() != bytes_before_ + live_bytes_) {
    fail("figures are wrong by", nullptr, figures() - bytes_before_ - live_bytes_);
  }
}

void Run::step(Input& in) {
  switch (in.byte() % 16) {
    case 0:
      free_some_elsewhere(in);
      return;
    case 1:
      (void)release_memory();
      return;
    case 2:
      check_figures();
      return;
    case 3:
      helper_.wait();
      verify();
      return;
    case 4:
      run_out(in);
      return;
    case 5:
      // Many of one size: magazines run full and spans run empty.
      for (size_t n = in.byte(), size = in.size() % 4096; n > 0; --n) {
        add(allocate(size), size, 1, false);
      }
      return;
    case 6:
    case 7:
    case 8:
      resize_one(in);
      return;
    case 9:
    case 10:
    case 11:
      free_one(in);
      return;
    default:
      allocate_one(in);
  }
}

void Run::finish() {
  helper_.wait();
  while (!live_.empty()) {
    auto at = live_.begin();
    release(reinterpret_cast<void*>(at->first), at->second, at->second.seed);
    drop(at);
  }
  check_figures();
}

}  // namespace
}  // namespace burrow::heap

// libFuzzer's names. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  constexpr std::string_view kFaults[] = {
      "",          "realloc-copies-too-little", "overlap",     "calloc-not-zeroed", "misaligned",
      "lost-free", "usable-too-small",          "double-free", "free-by-neighbour"};
  for (std::string_view known : kFaults) {
    if (burrow::heap::fault() == known) {
      return 0;
    }
  }
  fprintf(stderr, "heap_fuzz: unknown BURROW_FUZZ_FAULT\n");
  exit(2);
}

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& helper = *new burrow::heap::Helper;
  burrow::heap::Run run(helper);
  for (burrow::heap::Input in(data, size); !in.empty();) {
    run.step(in);
  }
  run.finish();
  return 0;
}
