// Producers and consumers over 10,000 TCP connections on loopback, all open at once: a goroutine at
// each end, parked by wait_readable. The ends are two processes, each with the descriptors of one
// side. Fewer connections where the hard limit of descriptors is low (it says so).
#include <arpa/inet.h>
#include <burrow/chan.h>
#include <burrow/go.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr uint32_t kMessages = 5;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

/// Moves `size` bytes in or out; false at the end of the stream.
template <class Call, class Wait>
bool transfer(Call call, Wait wait, char* data, size_t size) {
  while (size > 0) {
    ssize_t done = call(data, size);
    if (done > 0) {
      data += done;
      size -= static_cast<size_t>(done);
    } else if (done == 0) {
      return false;
    } else if (errno == EAGAIN) {
      wait();
    } else if (errno != EINTR) {
      fail("transfer");
    }
  }
  return true;
}

bool read_value(int fd, uint32_t& value) {
  return transfer([fd](char* data, size_t size) { return ::read(fd, data, size); },
                  [fd] { (void)burrow::wait_readable(fd); }, reinterpret_cast<char*>(&value),
                  sizeof value);
}

void write_value(int fd, uint32_t value) {
  transfer([fd](char* data, size_t size) { return ::write(fd, data, size); },
           [fd] { (void)burrow::wait_writable(fd); }, reinterpret_cast<char*>(&value),
           sizeof value);
}

/// Consumes what the connections bring and answers each value with its successor.
int serve(int listener, uint32_t connections) {
  burrow::Chan<uint32_t> values(64);
  burrow::WaitGroup group;
  for (uint32_t i = 0; i < connections; ++i) {
    int fd = -1;
    while ((fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) < 0) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        fail("accept");
      }
      (void)burrow::wait_readable(listener);
    }
    group.go([fd, values] {
      uint32_t value = 0;
      while (read_value(fd, value)) {
        values.send(value);
        write_value(fd, value + 1);
      }
      ::close(fd);
    });
  }
  burrow::go([&group, values] {
    group.wait();
    values.close();
  });
  uint64_t sum = 0;
  uint64_t count = 0;
  for (uint32_t value : values) {
    sum += value;
    ++count;
  }
  uint64_t n = uint64_t{connections} * kMessages;
  bool right = count == n && sum == n * (n - 1) / 2;
  std::printf("%u connections, %lu values%s\n", connections, static_cast<unsigned long>(count),
              right ? "" : ": WRONG");
  return right ? 0 : 1;
}

int connect_to(const sockaddr_in& address) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    fail("socket");
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINPROGRESS) {
      fail("connect");
    }
    (void)burrow::wait_writable(fd);
  }
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
    errno = error;
    fail("connect");
  }
  return fd;
}

/// Opens all connections, and only then sends over each of them.
int produce(const sockaddr_in& address, uint32_t connections) {
  burrow::Chan<bool> connecting(128);  // as many at a time, for the listener's backlog
  burrow::Chan<bool> start;
  burrow::WaitGroup connected;
  burrow::WaitGroup group;
  std::atomic<uint32_t> wrong{0};
  connected.add(connections);
  for (uint32_t i = 0; i < connections; ++i) {
    connecting.send(true);
    group.go([&, i] {
      int fd = connect_to(address);
      (void)connecting.recv();
      connected.done();
      (void)start.recv();
      for (uint32_t m = 0; m < kMessages; ++m) {
        uint32_t value = i * kMessages + m;
        uint32_t answer = 0;
        write_value(fd, value);
        if (!read_value(fd, answer) || answer != value + 1) {
          wrong.fetch_add(1);
        }
      }
      ::close(fd);
    });
  }
  connected.wait();
  start.close();
  group.wait();
  return wrong.load() == 0 ? 0 : 1;
}

/// As many connections as asked for, or as the limit allows.
uint32_t allowed(uint32_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kOthers = 64;
  if (limit.rlim_cur >= wanted + kOthers) {
    return wanted;
  }
  auto fewer = static_cast<uint32_t>(limit.rlim_cur - kOthers);
  std::fprintf(stderr, "the hard limit of %lu descriptors allows %u connections\n",
               static_cast<unsigned long>(limit.rlim_cur), fewer);
  return fewer;
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t connections = allowed(argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 10000);
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener, 1024) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    fail("listen");
  }
  // Before any goroutine: each process has a scheduler of its own.
  pid_t child = ::fork();
  if (child < 0) {
    fail("fork");
  }
  if (child == 0) {
    ::close(listener);
    return burrow::run([&] { return produce(address, connections); });
  }
  int served = burrow::run([&] { return serve(listener, connections); });
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) {
    std::fprintf(stderr, "the producers failed\n");
    return 1;
  }
  return served;
}
