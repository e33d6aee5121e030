// Signals that a thread of Burrow's waits for. See os.h.
//
// The handler does no more than note the signal and wake the thread: whatever it interrupted may
// hold any lock. In a child of fork, which has no such thread, a signal that ends programs does so.
#pragma once

#include <optional>
#include <string_view>

namespace burrow::os {

/// The number of a signal that a program may be sent for a purpose of its own: "USR1", "SIGUSR1",
/// "RTMIN+3" or "10". Not those that report faults or cannot be caught, and not the one that stops
/// threads.
[[nodiscard]] std::optional<int> signal_number(std::string_view text);

/// Watches SIGHUP, SIGINT and SIGTERM where nothing else is set for them, and `chosen` (0: none),
/// once in a process. A program that handles one of these itself takes it over from then on.
void watch_signals(int chosen);

/// Sleeps until one of them comes.
[[nodiscard]] int next_watched_signal();

/// Ends the process by the default action of a signal. Returns in a process that is the first of
/// its container: the kernel does not let it die of a signal that it has no handler for.
void die_of_signal(int number);

}  // namespace burrow::os
