// Waiting on several channels at once: Go's `select`. Comes with chan.h.
//
//   burrow::select(burrow::on_recv(jobs, [&](std::optional<Job> job) { ... }),
//                  burrow::on_send(results, result, [&] { ... }),
//                  burrow::after(1s, [&] { ... }),
//                  burrow::otherwise([&] { ... }));
//
// Of the cases that are ready one is chosen at random, each as likely as the others, and carried
// out; its handler then runs as the caller's own code, with no lock held: it may use the same
// channels, throw, or wait. When no case is ready `otherwise` runs where there is one, else select
// waits. A channel may stand in several cases. A closed channel is ready: its on_recv gets nothing,
// its on_send panics. A nil channel is never ready.
#pragma once

#include <burrow/internal/cxx20.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "burrow/internal/chan.h"
#include "burrow/internal/spawn.h"

namespace burrow {

template <class T>
class Chan;

namespace internal {

enum class CaseKind { kChannel, kTimeout, kOtherwise };

template <class T, class F>
struct RecvCase {
  static constexpr CaseKind kKind = CaseKind::kChannel;
  const Chan<T>& chan;
  F handler;
  ElementSlot<T> slot;

  RecvCase(const Chan<T>& c, F f) : chan(c), handler(std::forward<F>(f)) {}

  void prepare(SelectCase& to) {
    to.chan = chan.core();
    to.element = std::addressof(slot.value);
  }

  decltype(auto) run(const SelectCase& done) {
    std::optional<T> value;
    if (done.ok) {
      value.emplace(std::move(slot.value));
      slot.value.~T();
    }
    return std::forward<F>(handler)(std::move(value));
  }
};

template <class T, class F>
struct SendCase {
  static constexpr CaseKind kKind = CaseKind::kChannel;
  const Chan<T>& chan;
  T value;
  F handler;

  void prepare(SelectCase& to) {
    to.chan = chan.core();
    to.element = std::addressof(value);
    to.is_send = true;
  }

  decltype(auto) run(const SelectCase& /*done*/) { return std::forward<F>(handler)(); }
};

template <class F>
struct TimeoutCase {
  static constexpr CaseKind kKind = CaseKind::kTimeout;
  std::chrono::nanoseconds duration;
  F handler;

  decltype(auto) run(const SelectCase& /*done*/) { return std::forward<F>(handler)(); }
};

template <class F>
struct OtherwiseCase {
  static constexpr CaseKind kKind = CaseKind::kOtherwise;
  F handler;

  decltype(auto) run(const SelectCase& /*done*/) { return std::forward<F>(handler)(); }
};

template <class Case>
using HandlerResult = decltype(std::declval<Case&>().run(std::declval<const SelectCase&>()));

/// The cases of one select: the channels' first, in `channels`; `chosen` is an index into Cases.
template <class... Cases>
struct Selection {
  static constexpr size_t kCount = sizeof...(Cases);
  static constexpr size_t kChannels = (size_t{0} + ... + (Cases::kKind == CaseKind::kChannel));
  static constexpr bool kOtherwise = (false || ... || (Cases::kKind == CaseKind::kOtherwise));

  SelectCase channels[kChannels + 1];
  size_t place[kChannels + 1] = {};
  size_t used = 0;
  int64_t timeout_ns = kNoTimeout;
  size_t timeout_place = 0;
  size_t otherwise_place = 0;

  template <class Case>
  void add(Case& one, size_t index) {
    if constexpr (Case::kKind == CaseKind::kChannel) {
      one.prepare(channels[used]);
      place[used++] = index;
    } else if constexpr (Case::kKind == CaseKind::kTimeout) {
      int64_t ns = one.duration.count() < 0 ? 0 : one.duration.count();
      if (timeout_ns == kNoTimeout || ns < timeout_ns) {
        timeout_ns = ns;
        timeout_place = index;
      }
    } else {
      otherwise_place = index;
    }
  }

  /// The index among the cases of the one that was carried out, and its record.
  std::pair<size_t, const SelectCase*> choose() {
    size_t chosen = select_cases(channels, used, kOtherwise, timeout_ns);
    if (chosen == kSelectOtherwise) {
      return {otherwise_place, &channels[kChannels]};
    }
    if (chosen == kSelectTimeout) {
      return {timeout_place, &channels[kChannels]};
    }
    return {place[chosen], &channels[chosen]};
  }
};

template <class R, size_t I, class... Cases>
R run_case(size_t chosen, const SelectCase& done, std::tuple<Cases&...>& cases) {
  if constexpr (I + 1 == sizeof...(Cases)) {
    return std::get<I>(cases).run(done);
  } else {
    if (chosen == I) {
      return std::get<I>(cases).run(done);
    }
    return run_case<R, I + 1>(chosen, done, cases);
  }
}

}  // namespace internal

/// A case that receives; `handler` takes a std::optional<T>, empty when the channel is closed and
/// all values are received.
template <class T, class F>
[[nodiscard]] internal::RecvCase<T, F> on_recv(const Chan<T>& chan, F&& handler) {
  return {chan, std::forward<F>(handler)};
}

/// A case that sends `value`, which is kept or moved from as the case is chosen or not; `handler`
/// takes nothing and runs after the value is handed over.
template <class T, class F>
[[nodiscard]] internal::SendCase<T, F> on_send(const Chan<T>& chan, std::type_identity_t<T> value,
                                               F&& handler) {
  return {chan, std::move(value), std::forward<F>(handler)};
}

/// A case for when no other was ready for the duration. Of several the shortest counts.
template <class Rep, class Period, class F>
[[nodiscard]] internal::TimeoutCase<F> after(std::chrono::duration<Rep, Period> duration,
                                             F&& handler) {
  return {std::chrono::nanoseconds(internal::to_ns(duration)), std::forward<F>(handler)};
}

/// The case for when no other is ready at once: Go's `default`.
template <class F>
[[nodiscard]] internal::OtherwiseCase<F> otherwise(F&& handler) {
  return {std::forward<F>(handler)};
}

/// Carries out one of the cases; see above. Returns what its handler returns, for which all
/// handlers must return the same type; when that is void, the index of the chosen case. Without any
/// case it waits for ever.
template <class... Cases>
auto select(Cases&&... cases) {
  static_assert((size_t{0} + ... +
                 (std::remove_cvref_t<Cases>::kKind == internal::CaseKind::kOtherwise)) <= 1,
                "a select has one otherwise at most");
  internal::Selection<std::remove_cvref_t<Cases>...> selection;
  if constexpr (sizeof...(Cases) == 0) {
    (void)selection.choose();
  } else {
    size_t index = 0;
    (selection.add(cases, index++), ...);
    auto [chosen, done] = selection.choose();
    std::tuple<Cases&...> all(cases...);
    using R = internal::HandlerResult<std::tuple_element_t<0, std::tuple<Cases...>>>;
    static_assert((std::is_same_v<R, internal::HandlerResult<Cases>> && ...),
                  "all handlers of a select must return the same type");
    if constexpr (std::is_void_v<R>) {
      internal::run_case<R, 0>(chosen, *done, all);
      return chosen;
    } else {
      return internal::run_case<R, 0>(chosen, *done, all);
    }
  }
}

}  // namespace burrow
