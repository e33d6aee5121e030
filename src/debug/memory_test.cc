// Memory runs out while an answer is made: at every allocation in turn, once and from then on. Each
// answer is whole, or a 503, or the connection closes; nothing is left behind.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

#include "debug/connection.h"
#include "heap/heap.h"
#include "prof/prof.h"

namespace {

// Allocations of this thread until operator new fails; negative: never.
constinit thread_local long t_until_failure = -1;
// How many fail then.
constinit thread_local long t_failures = 0;
constinit thread_local bool t_failed = false;

bool fails() {
  if (t_until_failure < 0 || t_until_failure-- > 0) {
    return false;
  }
  t_failed = true;
  t_until_failure = --t_failures > 0 ? 0 : -1;
  return true;
}

}  // namespace

void* operator new(size_t size) {
  void* block = fails() ? nullptr : std::malloc(size);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}

void* operator new(size_t size, const std::nothrow_t& /*t*/) noexcept {
  return fails() ? nullptr : std::malloc(size);
}

void operator delete(void* block) noexcept {
  std::free(block);
}

void operator delete(void* block, size_t /*size*/) noexcept {
  std::free(block);
}

namespace burrow::debug {
namespace {

constexpr long kAlways = 1L << 40;

size_t open_descriptors() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

// One connection, without a server.
class Exchange {
 public:
  Exchange() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_.data()), 0);
    struct stat status{};
    fstat(ends_[0], &status);
    int big = 1 << 20;  // no answer waits for its reader
    setsockopt(ends_[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
    own_ = {ends_[0], status.st_ino};
  }

  ~Exchange() {
    close(ends_[0]);
    close(ends_[1]);
  }

  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // What the client gets when allocation `n` and `failures` - 1 behind it fail.
  std::string ask(const std::string& request, long n, long failures) {
    EXPECT_EQ(write(ends_[1], request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    t_failures = failures;
    t_failed = false;
    {
      Connection connection(own_, 0);
      t_until_failure = n;
      connection.advance(POLLIN, {true, nullptr});
      if (connection.phase() == Connection::Phase::kCapturing) {
        connection.expire();
      }
      t_until_failure = -1;
      EXPECT_TRUE(connection.phase() == Connection::Phase::kClosing ||
                  connection.phase() == Connection::Phase::kDone);
    }
    std::string answer;
    std::array<char, 65536> buffer;
    for (ssize_t got = 0; (got = read(ends_[1], buffer.data(), buffer.size())) > 0;) {
      answer.append(buffer.data(), static_cast<size_t>(got));
    }
    return answer;
  }

 private:
  std::array<int, 2> ends_{};
  OwnFd own_;
};

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

bool is_refusal(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n") &&
         answer.find("\r\nX-Go-Pprof: 1\r\n") != std::string::npos &&
         answer.find("\r\nContent-Type: text/plain; charset=utf-8\r\n") != std::string::npos &&
         answer.ends_with("\r\n\r\nthe program is out of memory\n") &&
         answer.find("\r\nContent-Length: 29\r\n") != std::string::npos;
}

// Fails each allocation in turn until none is left to fail; returns how many refusals there were.
size_t refusals(const std::string& request, const std::string& status_line, long failures) {
  size_t refused = 0;
  for (long n = 0;; ++n) {
    std::string answer = Exchange().ask(request, n, failures);
    bool failed = t_failed;
    if (is_refusal(answer)) {
      ++refused;
    } else {
      // An allocation that only may fail is done without.
      EXPECT_TRUE(answer.starts_with(status_line)) << n << ": " << answer.substr(0, 200);
    }
    if (!failed) {
      EXPECT_FALSE(is_refusal(answer));
      return refused;
    }
    if (testing::Test::HasFailure()) {
      return refused;
    }
  }
}

class MemoryTest : public testing::Test {
 protected:
  // Some sites in the profile. REQUIRES: the profiler is installed, as it is in a program.
  void SetUp() override {
    prof::set_rate(1);
    for (size_t size : {size_t{100}, size_t{5000}}) {
      blocks_[size == 100 ? 0 : 1] = heap::allocate(size);
    }
    descriptors_ = open_descriptors();
  }

  void TearDown() override {
    EXPECT_EQ(open_descriptors(), descriptors_);
    for (void* block : blocks_) {
      heap::deallocate(block);
    }
  }

  static void check(const std::string& request, const std::string& status_line) {
    for (long failures : {1L, kAlways}) {
      EXPECT_GT(refusals(request, status_line, failures), 0U) << request;
    }
  }

 private:
  std::array<void*, 2> blocks_{};
  size_t descriptors_ = 0;
};

TEST_F(MemoryTest, Text) {
  check(get("/debug/pprof/heap?debug=1"), "HTTP/1.1 200 OK\r\n");
  // The helper had been asked, and its answers kept.
  EXPECT_NE(Exchange().ask(get("/debug/pprof/heap?debug=1"), -1, 0).find("a_function_with_a_long"),
            std::string::npos);
}

TEST_F(MemoryTest, Pprof) {
  for (const char* path : {"heap", "allocs", "threadcreate", "threadcreate?debug=1"}) {
    check(get("/debug/pprof/" + std::string(path)), "HTTP/1.1 200 OK\r\n");
  }
}

TEST_F(MemoryTest, Capture) {
  check(get("/debug/pprof/heap?seconds=1"), "HTTP/1.1 200 OK\r\n");
}

TEST_F(MemoryTest, FiguresAndIndex) {
  show_command_line(true);
  for (const char* path :
       {"/debug/pprof/", "/debug/pprof/cmdline", "/debug/memstats", "/metrics"}) {
    check(get(path), "HTTP/1.1 200 OK\r\n");
  }
}

TEST_F(MemoryTest, SymbolsAndErrors) {
  check(
      "POST /debug/pprof/symbol HTTP/1.1\r\nHost: localhost\r\nContent-Length: 41\r\n\r\n"
      "0x7fffffff0000+0x7fffffff0001+0x1234567890",
      "HTTP/1.1 200 OK\r\n");
  check(get("/debug/pprof/" + std::string(100, 'x')), "HTTP/1.1 404 Not Found\r\n");
  check(get("/debug/pprof?" + std::string(100, 'x')), "HTTP/1.1 301 Moved Permanently\r\n");
  check("GARBAGE\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n");
}

}  // namespace
}  // namespace burrow::debug
