// The public functions of the libraries, and the essay of this layer.
//
// What. What include/burrow/ declares, in terms of the layers below: `read_mem_stats`,
// `set_memory_limit`, `write_heap_profile` and their kin. In libburrow.a and libburrow.so only; the
// preload serves programs that know nothing of Burrow.
//
// How. Each public header has one source file here of the same name, which copies and forwards.
//
// Invariants. Public headers include the standard library and each other only. Only what they
// declare is exported from libburrow.so beside malloc and the operators (src/shared.map).
//
// Locks. None of its own.
//
// Rejected. Public headers that are the layers' own: a change inside the heap would then be a
// change for every user.
#pragma once
