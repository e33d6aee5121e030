// Functions of the C library that block signals: here they leave the one unblocked with which
// threads are stopped. A thread that blocks it has to be traced (os/stop.h), and a program that
// blocks "all" signals means those that it knows. So does one that waits for all: it would take the
// stop's signal from the thread and see one that nobody sent.
//
// Defined in the program or in libburrow, they come before the C library's for all objects. What a
// handler blocks while it runs (sigaction's sa_mask) is left alone: the stop waits for it.
#include "os/signal_mask.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/annotations.h"
#include "os/os.h"
#include "os/stop.h"

namespace {

using burrow::os::change_signal_mask;
using burrow::os::MaskChange;
using burrow::os::SignalMask;

// Of Linux 5.11, on all processors; headers may be older.
constexpr long kEpollPwait2 = 441;

SignalMask mask_of(const sigset_t* set) {
  SignalMask mask;
  std::memcpy(&mask.bits, set, sizeof(mask.bits));
  mask.bits &= SignalMask::all().bits;
  return mask.without(burrow::os::stop_signal());
}

// The number of the error.
int change_mask(int how, const sigset_t* set, sigset_t* former) {
  MaskChange change = MaskChange::kBlock;  // of nothing
  SignalMask mask;
  if (set != nullptr) {
    switch (how) {
      case SIG_BLOCK:
        break;
      case SIG_UNBLOCK:
        change = MaskChange::kUnblock;
        break;
      case SIG_SETMASK:
        change = MaskChange::kSet;
        break;
      default:
        return EINVAL;
    }
    mask = mask_of(set);
  }
  mask = change_signal_mask(change, mask);
  if (former != nullptr) {
    std::memset(former, 0, sizeof(*former));
    std::memcpy(former, &mask.bits, sizeof(mask.bits));
  }
  return 0;
}

// With this mask no handler but the stop's can run. Whoever waits so expects no EINTR.
bool is_deaf(SignalMask mask) {
  SignalMask most = SignalMask::all().without(burrow::os::stop_signal());
  most = most.without(SIGKILL).without(SIGSTOP);
  return (mask.bits & most.bits) == most.bits;
}

// A set for the time of a call, as the kernel takes it; null stays null.
class WaitMask {
 public:
  explicit WaitMask(const sigset_t* set) : given_(set != nullptr) {
    if (given_) {
      mask_ = mask_of(set);
    }
  }

  [[nodiscard]] const SignalMask* get() const { return given_ ? &mask_ : nullptr; }

  [[nodiscard]] bool is_deaf() const { return given_ && ::is_deaf(mask_); }

 private:
  bool given_;
  SignalMask mask_;
};

// The kernel shortens it by what has passed; the C library's functions leave it as it is.
class WaitTime {
 public:
  explicit WaitTime(const timespec* time) : given_(time != nullptr) {
    if (given_) {
      time_ = *time;
    }
  }

  [[nodiscard]] timespec* get() { return given_ ? &time_ : nullptr; }

  void set(int64_t ns) { time_ = {ns / 1'000'000'000, ns % 1'000'000'000}; }

 private:
  bool given_;
  timespec time_{};
};

// A call that may sleep, and is a cancellation point. The kernel shortens a timespec that it is
// given by what has passed.
template <typename... Args>
int wait(bool again, long number, Args... arguments) {
  int type = 0;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
  int result = 0;
  do {
    result = static_cast<int>(syscall(number, arguments...));
  } while (again && result < 0 && errno == EINTR);
  int error = errno;
  pthread_setcanceltype(type, &type);
  errno = error;
  return result;
}

// Waits for signals of a set. The stop's is none of them: the kernel would give it to the caller
// and not to its handler.
int wait_for_signal(const sigset_t* set, siginfo_t* info, const timespec* timeout, bool again) {
  SignalMask wanted = mask_of(set);
  SignalMask blocked = change_signal_mask(MaskChange::kBlock, {});
  again = again || is_deaf({wanted.bits | blocked.bits});
  if (timeout == nullptr) {
    return wait(again, SYS_rt_sigtimedwait, &wanted, info, nullptr, sizeof(SignalMask));
  }
  constexpr int64_t kSecond = 1'000'000'000;
  timespec left = *timeout;
  int64_t started = burrow::os::monotonic_ns();
  for (;;) {
    int got = wait(false, SYS_rt_sigtimedwait, &wanted, info, &left, sizeof(SignalMask));
    if (got >= 0 || errno != EINTR || !again) {
      return got;
    }
    // In two parts, as the sum may overflow.
    int64_t passed = burrow::os::monotonic_ns() - started;
    left = {timeout->tv_sec - passed / kSecond, timeout->tv_nsec - passed % kSecond};
    if (left.tv_nsec < 0) {
      left = {left.tv_sec - 1, left.tv_nsec + kSecond};
    }
    if (left.tv_sec < 0) {
      left = {0, 0};
    }
  }
}

}  // namespace

extern "C" {

BURROW_EXPORT int pthread_sigmask(int how, const sigset_t* set, sigset_t* former) noexcept {
  return change_mask(how, set, former);
}

BURROW_EXPORT int sigprocmask(int how, const sigset_t* set, sigset_t* former) noexcept {
  int error = change_mask(how, set, former);
  if (error != 0) {
    errno = error;
    return -1;
  }
  return 0;
}

// Whoever calls it asks afterwards whether what it waits for has come.
BURROW_EXPORT int sigsuspend(const sigset_t* set) {
  return wait(false, SYS_rt_sigsuspend, WaitMask(set).get(), sizeof(SignalMask));
}

BURROW_EXPORT int ppoll(pollfd* polled, nfds_t count, const timespec* timeout,
                        const sigset_t* set) {
  WaitMask mask(set);
  return wait(mask.is_deaf(), SYS_ppoll, polled, count, WaitTime(timeout).get(), mask.get(),
              sizeof(SignalMask));
}

BURROW_EXPORT int pselect(int count, fd_set* in, fd_set* out, fd_set* errors,
                          const timespec* timeout, const sigset_t* set) {
  WaitMask mask(set);

  struct {
    const SignalMask* mask;
    size_t bytes;
  } packed{mask.get(), sizeof(SignalMask)};

  return wait(mask.is_deaf(), SYS_pselect6, count, in, out, errors, WaitTime(timeout).get(),
              &packed);
}

BURROW_EXPORT int epoll_pwait(int epoll, epoll_event* events, int most, int timeout,
                              const sigset_t* set) {
  WaitMask mask(set);
  int64_t deadline = burrow::os::monotonic_ns() + int64_t{timeout} * 1'000'000;
  for (;;) {
    int got =
        wait(false, SYS_epoll_pwait, epoll, events, most, timeout, mask.get(), sizeof(SignalMask));
    if (got >= 0 || errno != EINTR || !mask.is_deaf()) {
      return got;
    }
    if (timeout > 0) {
      int64_t left = deadline - burrow::os::monotonic_ns();
      timeout = static_cast<int>(std::max<int64_t>(left, 0) / 1'000'000);
    }
  }
}

BURROW_EXPORT int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* timeout,
                               const sigset_t* set) {
  WaitMask mask(set);
  int64_t deadline = 0;
  WaitTime left(timeout);
  if (timeout != nullptr) {
    constexpr time_t kYears = 1'000'000'000;  // more may overflow
    deadline = burrow::os::monotonic_ns() + std::min(timeout->tv_sec, kYears) * 1'000'000'000 +
               timeout->tv_nsec;
  }
  for (;;) {
    int got =
        wait(false, kEpollPwait2, epoll, events, most, left.get(), mask.get(), sizeof(SignalMask));
    if (got >= 0 || errno != EINTR || !mask.is_deaf()) {
      return got;
    }
    if (timeout != nullptr) {
      left.set(std::max<int64_t>(deadline - burrow::os::monotonic_ns(), 0));
    }
  }
}

BURROW_EXPORT int sigwait(const sigset_t* set, int* signal) {
  int got = wait_for_signal(set, nullptr, nullptr, true);
  if (got < 0) {
    return errno;
  }
  *signal = got;
  return 0;
}

BURROW_EXPORT int sigwaitinfo(const sigset_t* set, siginfo_t* info) {
  return wait_for_signal(set, info, nullptr, false);
}

BURROW_EXPORT int sigtimedwait(const sigset_t* set, siginfo_t* info, const timespec* timeout) {
  return wait_for_signal(set, info, timeout, false);
}

BURROW_EXPORT int signalfd(int fd, const sigset_t* set, int flags) noexcept {
  SignalMask wanted = mask_of(set);
  return static_cast<int>(syscall(SYS_signalfd4, fd, &wanted, sizeof(wanted), flags));
}
}
