// Signals that a thread of Burrow's waits for. See os/signal_watch.h.
#include "os/signal_watch.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/errno_scope.h"
#include "base/futex.h"
#include "os/os.h"
#include "os/signal_mask.h"
#include "os/stop.h"

namespace burrow::os {
namespace {

constexpr std::array kFatal = {SIGHUP, SIGINT, SIGTERM};

// Bit n - 1 for signal n. The handler's release pairs with the thread's acquire.
constinit std::atomic<uint64_t> g_pending{0};
// Counts what came: the word that the thread sleeps on.
constinit std::atomic<uint32_t> g_arrivals{0};
// Written once, before a handler is there.
constinit uint32_t g_watcher = 0;
constinit int g_chosen = 0;

void note_signal(int number) {
  ErrnoScope keep;
  if (process_id() != g_watcher) {
    if (number != g_chosen) {
      struct sigaction standard{};
      standard.sa_handler = SIG_DFL;
      sigaction(number, &standard, nullptr);
      raise(number);  // when the handler returns
    }
    return;
  }
  g_pending.fetch_or(uint64_t{1} << (number - 1), std::memory_order_release);
  g_arrivals.fetch_add(1, std::memory_order_release);
  futex_wake_one(g_arrivals);
}

void catch_signal(int number, int flags) {
  struct sigaction action{};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK | flags;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

}  // namespace

std::optional<int> signal_number(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, int>, 12> kNames = {{{"HUP", SIGHUP},
                                                                        {"INT", SIGINT},
                                                                        {"QUIT", SIGQUIT},
                                                                        {"USR1", SIGUSR1},
                                                                        {"USR2", SIGUSR2},
                                                                        {"ALRM", SIGALRM},
                                                                        {"TERM", SIGTERM},
                                                                        {"VTALRM", SIGVTALRM},
                                                                        {"PROF", SIGPROF},
                                                                        {"WINCH", SIGWINCH},
                                                                        {"IO", SIGIO},
                                                                        {"URG", SIGURG}}};
  if (text.starts_with("SIG")) {
    text.remove_prefix(3);
  }
  int base = 0;
  for (const auto& [name, number] : kNames) {
    if (text == name) {
      return number;
    }
  }
  if (text.starts_with("RTMIN")) {
    base = SIGRTMIN;
    text.remove_prefix(5);
    if (text.empty()) {
      return base;
    }
    if (!text.starts_with("+")) {
      return std::nullopt;
    }
    text.remove_prefix(1);
  }
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    return std::nullopt;
  }
  number += base;
  bool named = number > 0 && number != stop_signal() &&
               std::any_of(kNames.begin(), kNames.end(),
                           [&](const auto& entry) { return entry.second == number; });
  bool real_time = number >= SIGRTMIN && number <= SIGRTMAX;
  return named || real_time ? std::optional(number) : std::nullopt;
}

void watch_signals(int chosen) {
  g_watcher = process_id();
  g_chosen = chosen;
  for (int number : kFatal) {
    struct sigaction now{};
    if (number != chosen && sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      // A second one, while the first is being seen to, ends the program at once.
      catch_signal(number, SA_RESETHAND);
    }
  }
  if (chosen != 0) {
    catch_signal(chosen, 0);
  }
}

int next_watched_signal() {
  for (;;) {
    uint32_t arrivals = g_arrivals.load(std::memory_order_acquire);
    // Acquire: pairs with the release in note_signal.
    if (uint64_t pending = g_pending.load(std::memory_order_acquire); pending != 0) {
      int bit = std::countr_zero(pending);
      g_pending.fetch_and(~(uint64_t{1} << bit), std::memory_order_acq_rel);
      return bit + 1;
    }
    futex_wait(g_arrivals, arrivals);
  }
}

void die_of_signal(int number) {
  if (process_id() == 1) {
    return;  // the kernel does not let init die of a signal
  }
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigaction(number, &standard, nullptr);
  change_signal_mask(MaskChange::kUnblock, {uint64_t{1} << (number - 1)});
  raise(number);
  _exit(128 + number);
}

}  // namespace burrow::os
