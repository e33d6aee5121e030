// Parking and waking goroutines: what channels, timers and the poller are made of. See sched.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace burrow::sched {

struct Goroutine;

/// The goroutine that the caller runs on; null on a plain thread (and on a worker's own stack,
/// where timers' callbacks and commits run). Never remember it for another goroutine's use without
/// something that keeps that one parked.
[[nodiscard]] Goroutine* current();

/// Why a goroutine is parked. `wait_reason_name` gives the words that Go prints.
enum class WaitReason : uint8_t {
  kNone,           ///< not parked
  kChanSend,       ///< "chan send"
  kChanRecv,       ///< "chan receive"
  kChanSendNil,    ///< "chan send (nil chan)"
  kChanRecvNil,    ///< "chan receive (nil chan)"
  kSelect,         ///< "select"
  kSelectNoCases,  ///< "select (no cases)"
  kSleep,          ///< "sleep"
  kIoWait,         ///< "IO wait"
  kMutex,          ///< "sync.Mutex.Lock"
  kWaitGroup,      ///< "sync.WaitGroup.Wait"
  kOnce,           ///< "sync.Once.Do"
  kCond,           ///< "sync.Cond.Wait"
  kRWMutexRead,    ///< "sync.RWMutex.RLock"
  kRWMutexWrite,   ///< "sync.RWMutex.Lock"
  kCollector,      ///< "garbage collection"
};

/// The words that Go prints for a reason.
[[nodiscard]] std::string_view wait_reason_name(WaitReason reason);

/// Runs after a goroutine has left its stack, on the worker, with no goroutine current. Typically
/// unlocks what guards the queue that the goroutine has put itself into: from then on another
/// thread may `ready` it. It must not park, allocate or throw. False: the goroutine goes on.
using ParkCommit = bool (*)(void* argument);

/// Parks the calling goroutine until somebody calls `ready` for it. `commit` may be null. Exactly
/// one `ready` must answer each park whose commit returned true.
/// REQUIRES: the caller is a goroutine; it holds no lock but the one that `commit` lets go of.
void park(WaitReason reason, ParkCommit commit, void* argument);

/// Makes a parked goroutine runnable. Any thread: goroutines, plain threads, timers' callbacks.
/// Called on a worker it takes that processor's next slot, so that the woken one runs as soon as
/// the caller parks; whoever was there goes to the end of the run queue. The goroutine may be
/// running elsewhere before this returns. Inside a commit it may be called for others only.
void ready(Goroutine* goroutine);

/// As `ready`, but the goroutine goes to the end of the run queue: for waking many at once.
void ready_last(Goroutine* goroutine);

/// Lets others run first. The caller goes to the end of the run queue. A plain thread yields to
/// other threads.
void yield_now();

/// Under BURROW_DEBUG=schedstress=1 yields now and then; else nothing. For the beginning of
/// operations of the layers above, outside their locks.
void stress_point();

/// The number of a goroutine, as messages show it: 1 is the one that `run` started.
[[nodiscard]] uint64_t goroutine_id(const Goroutine* goroutine);

/// Ends the program as Go's panic does: "panic: MESSAGE", an empty line, "goroutine 7 [running]:"
/// and the caller's stack on standard error; exit code 2. Works on plain threads too.
[[noreturn]] void panic(std::string_view message);

/// As `panic`, for what Go calls a fatal error ("fatal error: MESSAGE"): misuse that cannot be
/// recovered, such as unlocking an unlocked mutex.
[[noreturn]] void fatal_error(std::string_view message);

}  // namespace burrow::sched
