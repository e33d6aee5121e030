// epoll. See os/poll.h.
#include "os/poll.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/errno_scope.h"
#include "os/os.h"

namespace burrow::os {
namespace {

timespec duration(int64_t ns) {
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

}  // namespace

bool PollSet::open() {
  int saved_errno = errno;
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = -1;
  bool ok = epoll_ >= 0 && wake_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0;
  errno = ok ? saved_errno : errno;
  return ok;
}

ArmResult PollSet::arm(int fd, PollEvents wanted) {
  ErrnoScope keep;
  epoll_event event{};
  event.events = EPOLLONESHOT;
  event.events |= wanted.readable ? uint32_t{EPOLLIN} | uint32_t{EPOLLRDHUP} : 0U;
  event.events |= wanted.writable ? uint32_t{EPOLLOUT} : 0U;
  event.data.fd = fd;
  ArmResult result = ArmResult::kArmed;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) {
    result = ArmResult::kRenewed;
    if (errno != ENOENT || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
      result = errno == EPERM   ? ArmResult::kAlways
               : errno == EBADF ? ArmResult::kBad
                                : ArmResult::kRefused;
    }
  }
  return result;
}

size_t PollSet::wait(std::span<PollEvent> events, int64_t timeout_ns) {
  ErrnoScope keep;
  std::array<epoll_event, 128> raw;
  int room = static_cast<int>(std::min(events.size(), raw.size()));
  // epoll_pwait2 would take nanoseconds but is young; a millisecond too late is too late for
  // timers, so the last one is waited out by ppoll on the set itself.
  if (timeout_ns > 0) {
    timespec wait_for = duration(timeout_ns);
    pollfd set{epoll_, POLLIN, 0};
    ::ppoll(&set, 1, &wait_for, nullptr);
  }
  int n = ::epoll_wait(epoll_, raw.data(), room, timeout_ns < 0 ? -1 : 0);
  size_t count = 0;
  for (int i = 0; i < n; ++i) {
    if (raw[static_cast<size_t>(i)].data.fd < 0) {
      // One that does not wait leaves it to the one that does.
      uint64_t drained = 0;
      if (timeout_ns != 0) {
        (void)!::read(wake_, &drained, sizeof drained);
      }
      continue;
    }
    uint32_t got = raw[static_cast<size_t>(i)].events;
    events[count++] = {raw[static_cast<size_t>(i)].data.fd,
                       {.readable = (got & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0,
                        .writable = (got & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0}};
  }
  return count;
}

void PollSet::interrupt() {
  ErrnoScope keep;
  uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

bool poll_one(int fd, PollEvents wanted, int64_t timeout_ns) {
  ErrnoScope keep;
  int64_t end = timeout_ns < 0 ? 0 : monotonic_ns() + timeout_ns;
  pollfd set{fd, 0, 0};
  set.events = static_cast<short>((wanted.readable ? POLLIN | POLLRDHUP : 0) |
                                  (wanted.writable ? POLLOUT : 0));
  int n = 0;
  do {
    int64_t left = timeout_ns < 0 ? 0 : std::max<int64_t>(0, end - monotonic_ns());
    timespec wait_for = duration(left);
    n = ::ppoll(&set, 1, timeout_ns < 0 ? nullptr : &wait_for, nullptr);
  } while (n < 0 && errno == EINTR);
  return n != 0;
}

}  // namespace burrow::os
