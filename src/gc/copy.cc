// A copy of memory with the barrier, for plain pointers in exact objects. See gc.h, "New objects".
//
// Each word is in a register before the flag is looked at, and stays there until it is stored. A
// look at the flag before a memcpy would not do: words that memcpy reads after marking has begun
// are in no register that was looked at.
#include <cstddef>
#include <cstdint>

#include "burrow/internal/object.h"

namespace {

// Any type's memory, at any address.
typedef uintptr_t Word __attribute__((may_alias, aligned(1)));  // NOLINT(modernize-use-using)

constexpr size_t kWord = sizeof(Word);
constexpr size_t kChunk = 4;

template <size_t N>
inline void copy_words(char* to, const char* from) {
  uintptr_t words[N];
  for (size_t i = 0; i < N; ++i) {
    words[i] = *reinterpret_cast<const Word*>(from + i * kWord);
    asm volatile("" : "+r"(words[i]));
  }
  if (burrow::internal::marking()) {
    for (uintptr_t word : words) {
      burrow_gc_shade(reinterpret_cast<void*>(word));
    }
  }
  for (size_t i = 0; i < N; ++i) {
    *reinterpret_cast<Word*>(to + i * kWord) = words[i];
  }
}

// Parts of words, which hold no pointer.
inline void copy_byte(char* to, const char* from) {
  char byte = *from;
  asm volatile("" : "+r"(byte));
  *to = byte;
}

void copy_up(char* to, const char* from, size_t bytes) {
  for (; bytes > 0 && reinterpret_cast<uintptr_t>(to) % kWord != 0; --bytes) {
    copy_byte(to++, from++);
  }
  for (; bytes >= kChunk * kWord; bytes -= kChunk * kWord) {
    copy_words<kChunk>(to, from);
    to += kChunk * kWord;
    from += kChunk * kWord;
  }
  for (; bytes >= kWord; bytes -= kWord) {
    copy_words<1>(to, from);
    to += kWord;
    from += kWord;
  }
  for (; bytes > 0; --bytes) {
    copy_byte(to++, from++);
  }
}

// From the end, for a target that begins in the midst of the source.
void copy_down(char* to, const char* from, size_t bytes) {
  for (; bytes > 0 && reinterpret_cast<uintptr_t>(to + bytes) % kWord != 0; --bytes) {
    copy_byte(to + bytes - 1, from + bytes - 1);
  }
  for (; bytes >= kChunk * kWord; bytes -= kChunk * kWord) {
    copy_words<kChunk>(to + bytes - kChunk * kWord, from + bytes - kChunk * kWord);
  }
  for (; bytes >= kWord; bytes -= kWord) {
    copy_words<1>(to + bytes - kWord, from + bytes - kWord);
  }
  for (; bytes > 0; --bytes) {
    copy_byte(to + bytes - 1, from + bytes - 1);
  }
}

}  // namespace

void burrow_gc_copy(void* to, const void* from, size_t bytes) {
  // Unsigned: a target below the source is far above it.
  if (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from) >= bytes) {
    copy_up(static_cast<char*>(to), static_cast<const char*>(from), bytes);
  } else {
    copy_down(static_cast<char*>(to), static_cast<const char*>(from), bytes);
  }
}
