// Does one wrong thing, named on the command line, from a goroutine. See goroutines_test.py.
#include <burrow/chan.h>
#include <burrow/go.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

namespace {

using namespace std::chrono_literals;

void send_closed() {
  burrow::Chan<int> chan(1);
  chan.close();
  chan.send(1);
}

// The sender waits already when the channel is closed.
void send_closed_while_waiting() {
  burrow::Chan<int> chan;
  burrow::go([chan] {
    burrow::yield();
    chan.close();
  });
  chan.send(1);
}

void select_send_closed() {
  burrow::Chan<int> chan;
  chan.close();
  burrow::select(burrow::on_send(chan, 1, [] {}), burrow::after(1h, [] {}));
}

void select_send_closed_while_waiting() {
  burrow::Chan<int> chan;
  burrow::go([chan] {
    burrow::yield();
    chan.close();
  });
  burrow::select(burrow::on_send(chan, 1, [] {}), burrow::after(1h, [] {}));
}

void close_twice() {
  burrow::Chan<int> chan;
  chan.close();
  chan.close();
}

void close_nil() {
  burrow::Chan<int>(nullptr).close();
}

void size_out_of_range() {
  burrow::Chan<long> chan(SIZE_MAX / 2);
}

void wait_group_negative() {
  burrow::WaitGroup group;
  group.add(1);
  group.done();
  group.done();
}

void unlock_unlocked() {
  burrow::Mutex mutex;
  mutex.unlock();
}

void rw_unlock_unlocked() {
  burrow::RWMutex mutex;
  mutex.unlock();
}

void rw_runlock_unlocked() {
  burrow::RWMutex mutex;
  mutex.unlock_shared();
}

void ticker_zero() {
  burrow::Ticker ticker(0s);
}

void thread_close_twice() {
  std::thread([] { close_twice(); }).join();
}

void deadlock_recv() {
  burrow::Chan<int> chan;
  (void)chan.recv();
}

void deadlock_send() {
  burrow::Chan<int> chan;
  chan.send(1);
}

void deadlock_nil_recv() {
  burrow::Chan<int> nil = nullptr;
  (void)nil.recv();
}

void deadlock_nil_send() {
  burrow::Chan<int> nil = nullptr;
  nil.send(1);
}

void deadlock_select() {
  burrow::Chan<int> a;
  burrow::Chan<int> b;
  burrow::select(burrow::on_recv(a, [](auto) {}), burrow::on_send(b, 1, [] {}));
}

void deadlock_empty_select() {
  burrow::select();
}

void deadlock_mutex() {
  burrow::Mutex mutex;
  mutex.lock();
  mutex.lock();
}

void deadlock_rw_mutex_read() {
  burrow::RWMutex mutex;
  mutex.lock();
  mutex.lock_shared();
}

void deadlock_rw_mutex_write() {
  burrow::RWMutex mutex;
  mutex.lock_shared();
  mutex.lock();
}

void deadlock_wait_group() {
  burrow::WaitGroup group;
  group.add(1);
  group.wait();
}

void deadlock_cond() {
  burrow::Mutex mutex;
  burrow::Cond cond;
  mutex.lock();
  cond.wait(mutex);
}

// Two that wait for each other, and main for both.
void deadlock_of_several() {
  burrow::Chan<int> a;
  burrow::Chan<int> b;
  burrow::WaitGroup group;
  group.go([=] {
    (void)a.recv();
    b.send(1);
  });
  group.go([=] {
    (void)b.recv();
    a.send(1);
  });
  group.wait();
}

struct Case {
  const char* name;
  void (*run)();
};

constexpr Case kCases[] = {
    {"send_closed", send_closed},
    {"send_closed_while_waiting", send_closed_while_waiting},
    {"select_send_closed", select_send_closed},
    {"select_send_closed_while_waiting", select_send_closed_while_waiting},
    {"close_twice", close_twice},
    {"close_nil", close_nil},
    {"size_out_of_range", size_out_of_range},
    {"wait_group_negative", wait_group_negative},
    {"unlock_unlocked", unlock_unlocked},
    {"rw_unlock_unlocked", rw_unlock_unlocked},
    {"rw_runlock_unlocked", rw_runlock_unlocked},
    {"ticker_zero", ticker_zero},
    {"thread_close_twice", thread_close_twice},
    {"deadlock_recv", deadlock_recv},
    {"deadlock_send", deadlock_send},
    {"deadlock_nil_recv", deadlock_nil_recv},
    {"deadlock_nil_send", deadlock_nil_send},
    {"deadlock_select", deadlock_select},
    {"deadlock_empty_select", deadlock_empty_select},
    {"deadlock_mutex", deadlock_mutex},
    {"deadlock_rw_mutex_read", deadlock_rw_mutex_read},
    {"deadlock_rw_mutex_write", deadlock_rw_mutex_write},
    {"deadlock_wait_group", deadlock_wait_group},
    {"deadlock_cond", deadlock_cond},
    {"deadlock_of_several", deadlock_of_several},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Case& one : kCases) {
    if (argc == 2 && std::strcmp(argv[1], one.name) == 0) {
      return burrow::run([&one] {
        one.run();
        return 0;
      });
    }
  }
  std::fprintf(stderr, "usage: %s CASE\n", argv[0]);
  return 64;
}
