// The threads that mark. See team.h.
#include "gc/team.h"

#include <sched.h>

#include <new>

#include "base/futex.h"
#include "gc/gc.h"
#include "os/os.h"
#include "os/stop.h"
#include "os/thread.h"

namespace burrow::gc {

constinit Team g_team;

namespace {

// Bytes between looks at the clock: some 3 us of objects in order, 30 us of misses.
constexpr size_t kLook = 4 * kKiB;
// Small heaps are marked before a helper would be awake.
constexpr int64_t kAloneNs = 25'000;

}  // namespace

bool Team::start(size_t helpers) {
  if (markers_ == nullptr) {
    markers_ = static_cast<Marker*>(os::map_memory(kMostMarkers * sizeof(Marker)));
  }
  if (markers_ == nullptr) {
    return false;
  }
  new (&markers_[0]) Marker;
  markers_[0].init();
  count_ = 1;
  next_marker_.store(1, std::memory_order_relaxed);
  for (size_t i = 0; i < helpers && count_ < kMostMarkers; ++i) {
    new (&markers_[count_]) Marker;
    markers_[count_].init();
    if (!os::start_background_thread("burrow-mark", helper_main)) {
      break;
    }
    ++count_;
  }
  return true;
}

void Team::helper_main() {
  Team& team = g_team;
  Marker& marker = team.markers_[team.next_marker_.fetch_add(1, std::memory_order_relaxed)];
  for (;;) {
    // Acquire: pairs with the release in `run`.
    uint32_t run = team.run_.load(std::memory_order_acquire);
    if (run % 2 == 0) {
      futex_wait(team.run_, run);
      continue;
    }
    team.help(marker);
    while (team.run_.load(std::memory_order_acquire) == run) {
      futex_wait(team.run_, run);
    }
  }
}

void Team::help(Marker& marker) {
  // Sequentially consistent, as is the leader's look at it after it closed the run: either the
  // leader sees this helper inside, or the helper sees that the run is over.
  inside_.fetch_add(1, std::memory_order_seq_cst);
  if (run_.load(std::memory_order_seq_cst) % 2 != 0) {
    int64_t started = os::thread_cpu_ns();
    work(marker);
    helpers_cpu_ns_.fetch_add(os::thread_cpu_ns() - started, std::memory_order_relaxed);
  }
  inside_.fetch_sub(1, std::memory_order_release);
}

// Nothing is at hand: other markers may still give some. False when they have nothing either.
bool Team::wait_for_work(Turn& turn) {
  constexpr int kYields = 20;
  constexpr int64_t kPauseNs = 20'000;
  g_mark_pool.note_idle(1);
  for (int i = 0; !g_mark_pool.has_work() && busy_.load(std::memory_order_acquire) != 0; ++i) {
    if (turn.beside() && i >= kYields) {
      os::sleep_ns(kPauseNs);  // a chain of objects can be followed by one only, and may be long
    } else {
      sched_yield();
    }
  }
  g_mark_pool.note_idle(-1);
  return g_mark_pool.has_work() || busy_.load(std::memory_order_acquire) != 0;
}

void Team::call_helpers() {
  called_ = true;
  run_.fetch_add(1, std::memory_order_seq_cst);
  futex_wake_all(run_);
}

bool Team::works_alone(const Marker& marker) const {
  return &marker == &markers_[0] && !called_ && count_ > 1;
}

void Team::check(const Marker& marker, Turn& turn) {
  turn.check();
  if (works_alone(marker) && (stress() || os::monotonic_ns() - started_ns_ >= kAloneNs)) {
    call_helpers();
  }
}

// Marks until nothing is at hand.
void Team::drain(Marker& marker, Turn& turn) {
  while (!marker.drain(turn.beside() || works_alone(marker) ? kLook : SIZE_MAX / 2)) {
    check(marker, turn);
  }
}

void Team::work(Marker& marker) {
  Turn turn(quota_, pace_);
  do {
    busy_.fetch_add(1, std::memory_order_acq_rel);
    while (const RootJob* job = jobs_->take()) {
      run_job(marker, *job);
      check(marker, turn);
      drain(marker, turn);
    }
    drain(marker, turn);
    busy_.fetch_sub(1, std::memory_order_acq_rel);
  } while (wait_for_work(turn));
}

void Team::run(RootJobs& jobs, Pace pace) {
  jobs_ = &jobs;
  pace_ = pace;
  called_ = false;
  started_ns_ = os::monotonic_ns();
  // Again when a helper took work in the moment in which the leader found nothing to do.
  do {
    work(markers_[0]);
  } while (g_mark_pool.has_work());
  if (!called_) {
    return;
  }
  run_.fetch_add(1, std::memory_order_seq_cst);
  while (inside_.load(std::memory_order_seq_cst) != 0) {
    sched_yield();
  }
  // A helper that left last may have put work back.
  if (g_mark_pool.has_work()) {
    (void)markers_[0].drain(SIZE_MAX / 2);
  }
  futex_wake_all(run_);
}

void Team::add_work(const Marker::Work& work, int64_t ns) {
  others_marked_bytes_.fetch_add(work.marked_bytes, std::memory_order_relaxed);
  others_marked_objects_.fetch_add(work.marked_objects, std::memory_order_relaxed);
  others_scanned_bytes_.fetch_add(work.scanned_bytes, std::memory_order_relaxed);
  assist_ns_.fetch_add(ns, std::memory_order_relaxed);
}

Marker::Work Team::take_work() {
  Marker::Work sum;
  sum.marked_bytes = others_marked_bytes_.exchange(0, std::memory_order_relaxed);
  sum.marked_objects = others_marked_objects_.exchange(0, std::memory_order_relaxed);
  sum.scanned_bytes = others_scanned_bytes_.exchange(0, std::memory_order_relaxed);
  for (size_t i = 0; i < count_; ++i) {
    sum += markers_[i].take_work();
  }
  return sum;
}

void Team::reset_after_fork() {
  count_ = 1;
  busy_.store(0, std::memory_order_relaxed);
  inside_.store(0, std::memory_order_relaxed);
}

}  // namespace burrow::gc
