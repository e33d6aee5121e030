// The debug server: the program's profiles and figures over HTTP. The essay of this layer.
//
// What. Go's net/http/pprof for any program: `/debug/pprof/` with its profiles, `/debug/memstats`
// as expvar prints it, `/metrics` for Prometheus, from one thread of Burrow's own. Off unless
// BURROW_HTTP names an address or the program calls `start_server`.
//
// How.
//  1. start.cc looks at BURROW_HTTP when the library is loaded. Only the owner (prof/owner.h)
//     serves: children that inherit the environment do not.
//  2. address.cc reads the address, listener.cc makes the listening socket of it.
//  3. server.cc is the thread: one poll loop over the listener and at most `kMaxConnections`
//     connections (connection.cc), each with a deadline. A request is answered in the loop; nothing
//     waits for a client. http_parser reads requests (request.cc).
//  4. routes.cc finds what a path means. profiles.cc is the table of profiles: a layer that has a
//     new one calls `register_profile`. heap_profiles.cc, count_profiles.cc, symbol.cc, index.cc,
//     memstats.cc and metrics.cc write the answers.
//     Texts that may be long are made piece by piece as the client takes them (`BodySource`).
//  5. `seconds=N`: a first snapshot is taken and the connection put aside until the time is over;
//     then the difference is written. One such capture at a time, of `kMaxCaptureSeconds` at most.
//
// Invariants. The program must not notice: the thread blocks all signals, sends with MSG_NOSIGNAL
// and is not sampled; its descriptors are close-on-exec, high-numbered and in `FdTable`, by which a
// child of fork closes them. A descriptor that the program closed (closefrom in a daemon) is
// recognised by its inode and never used again; the server then ends. Sizes, times and numbers are
// bounded (limits.h). Memory that runs out while an answer is made costs that answer and nothing
// else: operator new throws in this thread, the frames from there to the connection are compiled
// with exceptions, and the connection refuses with a text that needs no memory, or closes.
//
// Locks. kDebugServer for starting and stopping. The table of descriptors has a kLeaf lock, which
// fork takes, so that a connection accepted at that moment does not stay open in the child.
//
// Rejected.
//  - civetweb: Debian has no archive of it, and the preload must not load libraries into programs.
//    It sets SIGPIPE to be ignored in the whole process, which programs and what they execute
//    inherit; it takes no socket of ours, so that a child of fork could not close it; and a slow
//    client holds a thread.
//  - libmicrohttpd: its archive needs gnutls. libevent: its epoll descriptor is shared with a child
//    of fork, and its timeouts start anew with each byte.
//  - A thread a connection, or a pool: slow clients hold them. A second thread for answers: what is
//    slow is the symboliser's first answer, which others may wait for.
//  - getaddrinfo: it loads name-service plugins into the program. Addresses are numbers, localhost,
//    or paths.
//  - Taking over in a child of fork, for daemons that start by fork: which child is the daemon
//    cannot be known. Run such programs in the foreground.
#pragma once

#include <string>
#include <string_view>

namespace burrow::debug {

/// What came of `start_server`.
struct StartResult {
  bool started = false;
  std::string url;    ///< where it serves, such as "http://127.0.0.1:6060/debug/pprof/"
  std::string error;  ///< one line, when it did not start
};

/// Serves on "localhost:6060", "127.0.0.1:0" (a free port), "[::1]:6060", ":6060" (all interfaces,
/// with a warning on standard error) or "unix:/path".
[[nodiscard]] StartResult start_server(std::string_view address);

/// Ends the server and waits for its thread; nothing when there is none.
void stop_server();

}  // namespace burrow::debug
