// A generator a thread. See random.h.
#include "lang/random.h"

#include "base/annotations.h"
#include "os/os.h"

namespace burrow::lang {

// Not inlined: a goroutine may go on on another thread, with the address of this one's variable.
BURROW_NOINLINE uint32_t random_below(uint32_t bound) {
  static thread_local uint64_t t_state = 0;
  if (BURROW_UNLIKELY(t_state == 0)) {
    t_state = os::random_u64() | 1;
  }
  // xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators").
  uint64_t x = t_state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  t_state = x;
  uint64_t high = (x * 0x2545F4914F6CDD1DULL) >> 32;
  return static_cast<uint32_t>((high * bound) >> 32);
}

}  // namespace burrow::lang
