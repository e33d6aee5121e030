// Mappings, pages that are there, and reads that cannot fault.
#include "os/mappings.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "os/os.h"
#include "os/thread.h"

namespace burrow::os {
namespace {

constexpr size_t kPages = 8;

/// Pages with their number in each byte.
class Mappings : public testing::Test {
 protected:
  Mappings()
      : memory_(static_cast<char*>(mmap(nullptr, kPages * kOsPageSize, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}

  ~Mappings() override { munmap(memory_, kPages * kOsPageSize); }

  char* page(size_t i) { return memory_ + i * kOsPageSize; }

  [[nodiscard]] uintptr_t at(size_t i) { return reinterpret_cast<uintptr_t>(page(i)); }

  void fill() {
    for (size_t i = 0; i < kPages; ++i) {
      std::memset(page(i), static_cast<int>(i + 1), kOsPageSize);
    }
  }

  // What a copy of all pages has in each.
  std::vector<int> read_all() {
    std::vector<char> copy(kPages * kOsPageSize, 99);
    read_what_is_there(copy.data(), at(0), copy.size());
    std::vector<int> seen;
    for (size_t i = 0; i < kPages; ++i) {
      EXPECT_EQ(copy[i * kOsPageSize], copy[(i + 1) * kOsPageSize - 1]);
      seen.push_back(copy[i * kOsPageSize]);
    }
    return seen;
  }

 private:
  char* memory_;
};

TEST_F(Mappings, TellTheirEndsAndRights) {
  ASSERT_EQ(mprotect(page(2), kOsPageSize, PROT_READ), 0);
  ASSERT_EQ(mprotect(page(3), kOsPageSize, PROT_NONE), 0);
  Mapping read_only = mapping_of(at(2) + 5);
  EXPECT_EQ(read_only.start, at(2));
  EXPECT_EQ(read_only.limit, at(3));
  EXPECT_TRUE(read_only.readable && !read_only.writable && !read_only.shared && !read_only.file);
  EXPECT_FALSE(mapping_of(at(3)).readable);
  munmap(page(7), kOsPageSize);
  EXPECT_LE(mapping_of(at(6)).limit, at(7));
}

TEST_F(Mappings, TellWhatIsAFile) {
  auto code = reinterpret_cast<uintptr_t>(&mapping_of);
  EXPECT_TRUE(mapping_of(code).file);
  auto stack = reinterpret_cast<uintptr_t>(&code);
  EXPECT_FALSE(mapping_of(stack).file);
  void* shared = mmap(nullptr, kOsPageSize, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Mapping m = mapping_of(reinterpret_cast<uintptr_t>(shared));
  EXPECT_TRUE(m.shared && !m.file);
  munmap(shared, kOsPageSize);
}

TEST_F(Mappings, TellWhichPagesTheyHave) {
  page(1)[0] = 1;
  page(2)[0] = 1;
  page(5)[0] = 1;
  volatile char zero = page(6)[0];  // the kernel's page of zeroes
  (void)zero;
  std::vector<std::pair<uintptr_t, uintptr_t>> parts;
  for_each_present(at(0), at(kPages),
                   [&](uintptr_t from, uintptr_t to) { parts.emplace_back(from, to); });
  ASSERT_GE(parts.size(), 2U);
  EXPECT_EQ(parts[0], std::pair(at(1), at(3)));
  EXPECT_EQ(parts[1].first, at(5));
}

TEST_F(Mappings, AreReadWhereTheyCanBe) {
  fill();
  EXPECT_EQ(read_all(), (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  munmap(page(0), kOsPageSize);
  munmap(page(4), 2 * kOsPageSize);
  EXPECT_EQ(read_all(), (std::vector<int>{0, 2, 3, 4, 0, 0, 7, 8}));
  munmap(page(7), kOsPageSize);
  EXPECT_EQ(read_all(), (std::vector<int>{0, 2, 3, 4, 0, 0, 7, 0}));
}

TEST_F(Mappings, AreReadThoughClosed) {
  fill();
  ASSERT_EQ(mprotect(page(3), kOsPageSize, PROT_NONE), 0);
  std::vector<int> seen = read_all();
  EXPECT_TRUE(seen[3] == 4 || seen[3] == 0);  // a kernel may refuse
  seen[3] = 4;
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(Mappings, ArePiecesInOneCopy) {
  fill();
  std::array<Piece, 3> pieces{Piece{at(1) + 8, 16}, Piece{at(5), 8}, Piece{at(2), 8}};
  std::array<char, 32> copy{};
  ASSERT_TRUE(try_read_all(copy.data(), pieces));
  EXPECT_EQ(copy[15], 2);
  EXPECT_EQ(copy[16], 6);
  EXPECT_EQ(copy[31], 3);
  ASSERT_EQ(mprotect(page(5), kOsPageSize, PROT_NONE), 0);
  EXPECT_FALSE(try_read_all(copy.data(), pieces));
}

TEST_F(Mappings, AreReadWithoutTheSystemCallToo) {
  fill();
  munmap(page(4), kOsPageSize);
  auto read_without_it = [this] {
    forbid_process_reads();
    char byte = 0;
    bool refused = !try_read(&byte, at(1), 1);
    std::vector<int> expected{1, 2, 3, 4, 0, 6, 7, 8};
    std::exit(refused && read_all() == expected ? 0 : 1);
  };
  EXPECT_EXIT(read_without_it(), testing::ExitedWithCode(0), "");
}

TEST(OwnMemory, IsLeftOut) {
  constexpr size_t kBytes = 8 * kOsPageSize;
  auto* memory = static_cast<char*>(reserve(kBytes, kOsPageSize));
  auto start = reinterpret_cast<uintptr_t>(memory);
  auto others = [&](uintptr_t from, uintptr_t to) {
    std::vector<std::pair<uintptr_t, uintptr_t>> parts;
    for_each_not_own(from, to, [&](uintptr_t a, uintptr_t b) { parts.emplace_back(a, b); });
    return parts;
  };
  EXPECT_TRUE(others(start, start + kBytes).empty());
  EXPECT_EQ(own_memory_end(start + 5), start + kBytes);
  unreserve(memory + kBytes / 2, kBytes / 2);
  EXPECT_EQ(own_memory_end(start + 5), start + kBytes / 2);
  EXPECT_EQ(own_memory_end(start + kBytes / 2), 0U);
  EXPECT_EQ(others(start, start + kBytes),
            (std::vector{std::pair(start + kBytes / 2, start + kBytes)}));
  unreserve(memory, kBytes / 2);
  EXPECT_EQ(others(start, start + kBytes), (std::vector{std::pair(start, start + kBytes)}));
}

TEST(OwnMemory, HasRoomForMany) {
  std::vector<char> places(2000);
  for (char& place : places) {
    note_own_memory(&place, 1);
  }
  for (char& place : places) {
    EXPECT_EQ(own_memory_end(reinterpret_cast<uintptr_t>(&place)),
              reinterpret_cast<uintptr_t>(&place) + 1);
    forget_own_memory(&place);
    EXPECT_EQ(own_memory_end(reinterpret_cast<uintptr_t>(&place)), 0U);
  }
}

// A local variable would not do: AddressSanitizer keeps those elsewhere.
uintptr_t place_on_stack() {
  return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
}

TEST(ThreadStack, IsWhatTheCLibrarySays) {
  std::thread([] {
    learn_thread_stacks();
    pthread_attr_t attributes;
    ASSERT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    void* low = nullptr;
    size_t bytes = 0;
    pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
    StackBounds own = thread_stack(static_cast<uintptr_t>(pthread_self()));
    // Without the guard there, with it here.
    EXPECT_LE(own.low, reinterpret_cast<uintptr_t>(low));
    EXPECT_EQ(own.limit, reinterpret_cast<uintptr_t>(low) + bytes);
    EXPECT_TRUE(own.holds(place_on_stack()));
    EXPECT_NE(stack_end(place_on_stack()), 0U);
  }).join();
}

TEST(ThreadStack, OfTheFirstThread) {
  uintptr_t sp = place_on_stack();
  StackBounds first = first_stack(sp);
  EXPECT_TRUE(first.holds(sp));
  EXPECT_EQ(first.limit, mapping_of(sp).limit);
  EXPECT_EQ(stack_end(sp), first.limit);
  EXPECT_EQ(thread_stack(static_cast<uintptr_t>(pthread_self())).limit, 0U);
}

TEST(ThreadStack, DoesNotEndWhereAnotherBegins) {
  std::vector<char> other(64 * kOsPageSize);
  std::thread([&] {
    learn_thread_stacks();
    EXPECT_EQ(stack_end(reinterpret_cast<uintptr_t>(other.data())), 0U);
  }).join();
}

}  // namespace
}  // namespace burrow::os
