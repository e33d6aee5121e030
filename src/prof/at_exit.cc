// BURROW_PROFILE: the heap profile in a file when the program ends, or on a signal. See prof.h.
//
// Written from the library's destructor, after main returned or exit was called; and by a thread
// when SIGHUP, SIGINT or SIGTERM would end the program, or the signal that BURROW_PROFILE_SIGNAL
// names comes. Not after _exit, exec, or the death by another signal.
#include <atomic>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/futex.h"
#include "base/printer.h"
#include "heap/hooks.h"
#include "os/os.h"
#include "os/signal_watch.h"
#include "os/thread.h"
#include "prof/owner.h"
#include "prof/profile_file.h"
#include "prof/profile_name.h"

namespace burrow::prof {
namespace {

// The demangler is recursive.
constexpr size_t kStackBytes = size_t{1} << 20;

/// Who writes just now: the thread on a signal, or the end of the program.
enum Writing : uint32_t {
  kNobody,
  kWrites,
  kForTheLastTime,  ///< the process ends
};

constinit std::atomic<uint32_t> g_writing{kNobody};
constinit int g_chosen = 0;
// The process whose files are written; what a fork makes is another.
constinit uint32_t g_process = 0;

template <typename... Parts>
void say(const Parts&... parts) {
  FixedPrinter<1024> out;
  out << "burrow: ";
  (out << ... << parts);
  out << '\n';
  out.write_to(2);
}

std::string_view pattern() {
  const char* path = os::env("BURROW_PROFILE");
  return path == nullptr ? std::string_view() : std::string_view(path);
}

bool writes_profile() {
  std::string_view path = pattern();
  return !path.empty() && (names_each_process(path) || is_owner());
}

void write_profile() {
  std::string path = name_for_process(pattern(), os::process_id());
  if (!names_each_process(pattern()) && has_other_owners()) {
    WrittenProfile result = write_profile_unless_taken(path);
    if (!result.written) {
      say("cannot write the profile to ", result.path, ": errno ", errno);
    } else if (result.taken) {
      say(path, " has the profile of another program; that of process ", os::process_id(),
          " is in ", result.path);
    }
    return;
  }
  if (!write_heap_profile_file(path.c_str())) {
    say("cannot write the profile to ", path, ": errno ", errno);
  }
}

// Waits for whoever writes. False when the process ends already.
bool begin(Writing how) {
  for (;;) {
    uint32_t now = kNobody;
    // Acquire: pairs with the release in finish.
    if (g_writing.compare_exchange_strong(now, how, std::memory_order_acquire)) {
      return true;
    }
    if (now == kForTheLastTime && how != kForTheLastTime) {
      return false;
    }
    futex_wait(g_writing, now);
  }
}

void finish() {
  g_writing.store(kNobody, std::memory_order_release);
  futex_wake_all(g_writing);
}

void serve_signals() {
  heap::mute_sampling(true);
  for (;;) {
    int number = os::next_watched_signal();
    if (!begin(kWrites)) {
      return;
    }
    write_profile();
    if (number != g_chosen) {
      os::die_of_signal(number);
    }
    finish();
  }
}

void read_chosen_signal() {
  const char* text = os::env("BURROW_PROFILE_SIGNAL");
  if (text == nullptr || *text == '\0') {
    return;
  }
  if (std::optional<int> number = os::signal_number(text); number) {
    g_chosen = *number;
  } else {
    say("BURROW_PROFILE_SIGNAL=", text,
        " is no signal to write profiles on; write for example USR1");
  }
}

// Settles ownership early, so that children see it. The last run's profile must not look like this
// one's, which any of several programs may write.
__attribute__((constructor(201))) void claim() {
  if (!pattern().empty() && !names_each_process(pattern()) && is_wrapper()) {
    os::remove_file(std::string(pattern()).c_str());
  }
}

__attribute__((constructor)) void watch() {
  heap::MutedScope not_the_programs;
  if (!writes_profile()) {
    return;
  }
  g_process = os::process_id();
  read_chosen_signal();
  if (os::start_background_thread("burrow-profile", serve_signals, kStackBytes)) {
    os::watch_signals(g_chosen);
  }
}

// A wrapper writes its own when no program that it started has written any.
bool writes_for_want_of_others() {
  return !pattern().empty() && !names_each_process(pattern()) && is_wrapper() &&
         !os::file_exists(std::string(pattern()).c_str());
}

__attribute__((destructor)) void write_at_exit() {
  if (!writes_profile() && !writes_for_want_of_others()) {
    return;
  }
  if (g_process == os::process_id()) {
    (void)begin(kForTheLastTime);
  }
  write_profile();
}

}  // namespace
}  // namespace burrow::prof
