// Starting and stopping the server; BURROW_HTTP; fork. See debug_server.h.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/futex.h"
#include "base/printer.h"
#include "debug/debug_server.h"
#include "debug/server.h"
#include "heap/hooks.h"
#include "heap/scavenger.h"
#include "os/fork.h"
#include "os/os.h"
#include "os/thread.h"
#include "prof/owner.h"

namespace burrow::debug {
namespace {

// The demangler is recursive.
constexpr size_t kStackBytes = size_t{1} << 20;

constinit Mutex g_lock{LockRank::kDebugServer};
/// The server of this process, or null.
constinit Server* g_server BURROW_GUARDED_BY(g_lock) = nullptr;
/// The same for the server's thread, which takes no lock.
constinit std::atomic<Server*> g_to_run{nullptr};
constinit std::atomic<uint32_t> g_running{0};

void say(std::string_view a, std::string_view b, std::string_view c = {}) {
  FixedPrinter<1024> out;
  out << "burrow: " << a << b << c << '\n';
  out.write_to(2);
}

void run_server() {
  heap::mute_sampling(true);
  heap::throw_when_out_of_memory();
  // Acquire: pairs with the release in start_server.
  g_to_run.load(std::memory_order_acquire)->run();
  // Release: pairs with the acquire in stop_locked.
  g_running.store(0, std::memory_order_release);
  futex_wake_one(g_running);
}

void stop_locked() BURROW_REQUIRES(g_lock) {
  if (g_server == nullptr) {
    return;
  }
  g_server->ask_to_stop();
  while (g_running.load(std::memory_order_acquire) != 0) {
    futex_wait(g_running, 1);
  }
  remove_socket_file(g_server->listener());
  delete g_server;
  g_server = nullptr;
}

// For scripts and tests that ask for port 0: the address in a file, complete when it ends in a
// newline.
void write_address_file(const std::string& url) {
  const char* path = os::env("BURROW_HTTP_ADDRFILE");
  if (path == nullptr || *path == '\0') {
    return;
  }
  std::string line = url + "\n";
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    say("cannot write the address to BURROW_HTTP_ADDRFILE=", path);
  }
  if (fd >= 0) {
    close(fd);
  }
}

// The server's thread is not in the child; its memory stays as it is.
void in_child() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  g_fds.close_all_in_child();
  g_server = nullptr;
  g_running.store(0, std::memory_order_relaxed);
}

constinit os::ForkPart g_fork_part{.rank = LockRank::kLeaf,
                                   .each_lock = [](auto visit) { visit(g_fds.lock()); },
                                   .child = in_child};

__attribute__((constructor(102))) void add_part() {
  os::add_fork_part(g_fork_part);
}

void start_from_environment(std::string_view address) {
  StartResult result = start_server(address);
  if (!result.started) {
    say(result.error, "; the program goes on without its debug server");
    return;
  }
  say("serving ", result.url);
  write_address_file(result.url);
}

// At load time, so that a port in use and the chosen address are known before main.
__attribute__((constructor)) void load() {
  heap::MutedScope not_the_programs;
  const char* address = os::env("BURROW_HTTP");
  if (address != nullptr && *address != '\0' && prof::is_owner()) {
    start_from_environment(address);
  }
}

// Only the socket's file needs care: the thread may serve until the process is gone.
__attribute__((destructor)) void unload() BURROW_NO_THREAD_SAFETY_ANALYSIS {
  if (g_server != nullptr) {
    remove_socket_file(g_server->listener());
  }
}

}  // namespace

StartResult start_server(std::string_view text) {
  heap::MutedScope not_the_programs;
  StartResult result;
  Address address = parse_address(text);
  if (!address.error.empty()) {
    result.error = "cannot serve on \"" + std::string(text) + "\": " + address.error;
    return result;
  }
  MutexLock hold(g_lock);
  if (g_server != nullptr && g_running.load(std::memory_order_acquire) != 0) {
    result.error = "already serving " + url_of(g_server->listener().address);
    return result;
  }
  stop_locked();
  Listener listener = open_listener(address);
  if (!listener.error.empty()) {
    result.error = "cannot serve on " + std::string(text) + ": " + listener.error;
    return result;
  }
  result.url = url_of(listener.address);
  if (listener.address.kind == Address::Kind::kPublic) {
    say("warning: other machines can read the profiles at ", text,
        "; write localhost:PORT to keep them here");
  }
  const char* show = os::env("BURROW_HTTP_CMDLINE");
  show_command_line(show != nullptr && std::string_view(show) == "1");
  if (show != nullptr && *show != '\0' && std::string_view(show) != "0" &&
      std::string_view(show) != "1") {
    say("BURROW_HTTP_CMDLINE=", show, " is wrong; write 1 to serve the program's arguments");
  }
  g_server = new Server(std::move(listener));
  g_running.store(1, std::memory_order_relaxed);
  // Release: pairs with the acquire in run_server.
  g_to_run.store(g_server, std::memory_order_release);
  result.started = os::start_background_thread("burrow-debug", run_server, kStackBytes);
  if (!result.started) {
    result.error = "cannot start a thread for the debug server";
    g_running.store(0, std::memory_order_relaxed);
    stop_locked();
  } else {
    heap::start_scavenger();
  }
  return result;
}

void stop_server() {
  MutexLock hold(g_lock);
  stop_locked();
}

}  // namespace burrow::debug
