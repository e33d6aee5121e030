// Which process serves and writes profiles, when children inherit the environment. See prof.h.
#pragma once

namespace burrow::prof {

/// True in a process that BURROW_HTTP and BURROW_PROFILE are meant for: that whose number is in
/// BURROW_OWNER_PID (`burrow run` sets it, and exec keeps the number), or, when nobody set it, the
/// first process to ask, which then sets it for its children to see. A program that is there to
/// start another one (a shell, timeout, xargs) passes this on: each program that it starts is an
/// owner. False after a fork. Settled by the first call, which must come before there are threads.
[[nodiscard]] bool is_owner();

/// True in an owner that such a program started, so that there may be others.
[[nodiscard]] bool has_other_owners();

/// True in the outermost program that passes this on, until it forks.
[[nodiscard]] bool is_wrapper();

}  // namespace burrow::prof
