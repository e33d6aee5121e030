// Which process serves and writes profiles, when children inherit the environment. See prof.h.
#pragma once

namespace burrow::prof {

/// True in the one process that BURROW_HTTP and BURROW_PROFILE are meant for: that whose number is
/// in BURROW_OWNER_PID (`burrow run` sets it, and exec keeps the number), or, when nobody set it,
/// the first process to ask, which then sets it for its children to see. False after a fork.
[[nodiscard]] bool is_owner();

}  // namespace burrow::prof
