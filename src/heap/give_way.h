// One heap in a process. See mheap.h.
#pragma once

namespace burrow::heap {

/// The preload has found that the program has another malloc than the preload's, or Burrow itself:
/// it starts no thread and serves nothing then. Written before main; not by libburrow.
inline constinit bool g_gave_way = false;

}  // namespace burrow::heap
