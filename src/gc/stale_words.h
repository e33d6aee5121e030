// StaleWords: what the verifier must not take for pointers.
//
// A word that nobody has written for long may hold the address of memory that was freed. When a
// cycle comes by and there is no object, marking passes it over; when an object is placed there
// before the cycle ends, the word equals its address, and yet nobody has stored it: no page became
// dirty, and rightly so. Likewise a word in free memory, which malloc hands out meanwhile and its
// owner has not written to. Known by the words of all the arena as they were when the cycle began,
// and not by what the dirty tracking says, which the verifier is to judge.
#pragma once

#include "gc/tables.h"

namespace burrow::gc {

/// A cycle begins: notes the words of the arena that point into it, but to no object or from memory
/// that is nobody's. REQUIRES: the world is stopped.
void begin_stale_words();

/// The same anew for a part that was written to, before it is looked through: what is written from
/// then on is looked at later. Any thread.
void note_stale_words(Address start, Address end);

/// The word at `found_at` is one of those, and was not changed since; wrong for one of 128 that
/// was.
[[nodiscard]] bool is_stale_word(Address found_at, Address word);

/// Gives the memory back.
void forget_stale_words();

}  // namespace burrow::gc
