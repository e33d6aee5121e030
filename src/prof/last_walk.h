// What a walk read, so that the next one from the same place need only compare. See prof.h, How 2.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/annotations.h"
#include "prof/code_modules.h"
#include "prof/row_memo.h"
#include "prof/unwind.h"

namespace burrow::prof {

/// One walk, complete, kept until the next one is. A walk is determined by where it starts, where
/// its stack ends, the rows, and the words that it reads from the stack: when all of these are as
/// they were, so are its frames. They are compared in the order in which a walk reads them, so that
/// nothing is read that it would not read. Belongs to who holds it (`try_hold`).
class LastWalk {
 public:
  /// A step to the caller: where its return address and its rbp were read, and what was there.
  struct Step {
    uintptr_t pc_at = 0;
    uintptr_t pc = 0;
    uintptr_t rbp_at = 0;  ///< pc_at, with pc in rbp, when the step read no rbp
    uintptr_t rbp = 0;
  };

  [[nodiscard]] bool try_hold() {
    // Acquire: pairs with the release in let_go.
    return !held_.load(std::memory_order_relaxed) &&
           !held_.exchange(true, std::memory_order_acquire);
  }

  /// Forgets it and makes it free, whoever held it.
  void reset_after_fork() {
    depth_ = 0;
    held_.store(false, std::memory_order_relaxed);
  }

  void let_go() { held_.store(false, std::memory_order_release); }

  /// The frames of the kept walk when a walk from `start` would find the same ones; else none.
  /// REQUIRES: held; `start` and `end` are of the calling thread.
  [[nodiscard]] BURROW_NO_SANITIZE std::span<const uintptr_t> again(const StackPlace& start,
                                                                    uintptr_t end, size_t capacity,
                                                                    RowMemo& memo) const {
    if (depth_ == 0 || start != start_ || end != end_ || capacity != capacity_) {
      return {};
    }
    for (size_t i = 0; i < steps_; ++i) {
      const Step& step = read_[i];
      if (!holds(step.pc_at, step.pc) || !holds(step.rbp_at, step.rbp)) {
        return {};
      }
    }
    // Now it is certain that the objects are on the stack, and so stay.
    for (size_t i = 0; i < module_count_; ++i) {
      CodeModule now{};
      if (!find_code_module(addresses_[i], memo, now) || now != modules_[i]) {
        return {};
      }
    }
    return memo.epoch() == epoch_ ? std::span(frames_.data(), depth_)
                                  : std::span<const uintptr_t>();
  }

  /// Begins to keep a walk. REQUIRES: held, here and below.
  void begin(const StackPlace& start, uintptr_t end, size_t capacity, const RowMemo& memo) {
    start_ = start;
    end_ = end;
    capacity_ = capacity;
    epoch_ = memo.epoch();
    steps_ = 0;
    module_count_ = 0;
    depth_ = 0;
  }

  /// What comes behind the last step that fits makes the walk one that is not kept.
  void add(const Step& step) {
    if (BURROW_LIKELY(steps_ < read_.size())) {
      read_[steps_] = step;
    }
    ++steps_;
  }

  /// As `add`, of an object that is not permanent.
  void add_module(const CodeModule& module, uintptr_t address) {
    if (module_count_ < modules_.size()) {
      modules_[module_count_] = module;
      addresses_[module_count_] = address;
    }
    ++module_count_;
  }

  /// Ends it. REQUIRES: the walk is complete, and all rows that it used lasting.
  void finish(std::span<const uintptr_t> frames, const RowMemo& memo) {
    if (steps_ <= read_.size() && module_count_ <= modules_.size() &&
        frames.size() <= frames_.size() && memo.epoch() == epoch_) {
      std::copy(frames.begin(), frames.end(), frames_.begin());
      depth_ = frames.size();
    }
  }

 private:
  // What lies there may be other frames' variables by now.
  BURROW_NO_SANITIZE static bool holds(uintptr_t address, uintptr_t word) {
    uintptr_t now = 0;
    std::memcpy(&now, reinterpret_cast<const void*>(address), sizeof now);
    return now == word;
  }

  static constexpr size_t kOwnFrames = 8;  // Burrow's own, which a walk goes through first

  std::atomic<bool> held_{false};
  uint32_t epoch_ = 0;
  StackPlace start_;
  uintptr_t end_ = 0;
  size_t capacity_ = 0;
  size_t steps_ = 0;
  size_t module_count_ = 0;
  size_t depth_ = 0;  // 0: nothing is kept
  std::array<CodeModule, 4> modules_{};
  std::array<uintptr_t, 4> addresses_{};
  std::array<uintptr_t, kMaxDepth> frames_{};
  std::array<Step, kMaxDepth + kOwnFrames> read_{};
};

}  // namespace burrow::prof
