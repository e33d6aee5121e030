// A TCP echo server and its clients in one program: a goroutine a connection, plain blocking style.
#include <arpa/inet.h>
#include <burrow/chan.h>
#include <burrow/go.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

/// Reads what is there, waiting for it without holding a thread. 0 at the end.
size_t read_some(int fd, char* buffer, size_t size) {
  for (;;) {
    ssize_t got = ::read(fd, buffer, size);
    if (got >= 0) {
      return static_cast<size_t>(got);
    }
    if (errno != EAGAIN && errno != EINTR) {
      fail("read");
    }
    (void)burrow::wait_readable(fd);
  }
}

void write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    ssize_t put = ::write(fd, data, size);
    if (put >= 0) {
      data += put;
      size -= static_cast<size_t>(put);
    } else if (errno == EAGAIN) {
      (void)burrow::wait_writable(fd);
    } else if (errno != EINTR) {
      fail("write");
    }
  }
}

void serve(int listener) {
  for (;;) {
    int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno != EAGAIN) {
        return;  // closed
      }
      (void)burrow::wait_readable(listener);
      continue;
    }
    burrow::go([fd] {
      char buffer[4096];
      while (size_t got = read_some(fd, buffer, sizeof buffer)) {
        write_all(fd, buffer, got);
      }
      ::close(fd);
    });
  }
}

int connect_to(const sockaddr_in& address) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINPROGRESS) {
      fail("connect");
    }
    (void)burrow::wait_writable(fd);
  }
  return fd;
}

/// Says something and returns what comes back.
std::string ask(const sockaddr_in& address, const std::string& text) {
  int fd = connect_to(address);
  write_all(fd, text.data(), text.size());
  std::string answer;
  char buffer[64];
  while (answer.size() < text.size()) {
    size_t got = read_some(fd, buffer, sizeof buffer);
    if (got == 0) {
      break;
    }
    answer.append(buffer, got);
  }
  ::close(fd);
  return answer;
}

}  // namespace

int main() {
  return burrow::run([] {
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);  // port 0: any that is free
    socklen_t length = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener, 128) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      fail("listen");
    }
    burrow::go([listener] { serve(listener); });

    constexpr int kClients = 100;
    burrow::Chan<bool> results;
    for (int i = 0; i < kClients; ++i) {
      burrow::go([=] {
        std::string text = "hello from client " + std::to_string(i);
        results.send(ask(address, text) == text);
      });
    }
    int well = 0;
    for (int i = 0; i < kClients; ++i) {
      well += *results.recv() ? 1 : 0;
    }
    std::printf("%d of %d clients got their text back\n", well, kClients);
    return well == kClients ? 0 : 1;
  });
}
