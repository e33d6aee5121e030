// The switch keeps what the ABI says a call keeps, on both sides, and stacks begin as they should.
#include <gtest/gtest.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <cfenv>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "arch/arch.h"

extern "C" {
BURROW_HIDDEN void* burrow_test_switch(burrow::arch::Context* from, burrow::arch::Context* to,
                                       void* value, const uint64_t* in, uint64_t* out);
// The scheduler's, which is not linked here.
constinit thread_local void* burrow_worker = nullptr;
}

namespace burrow::arch {
namespace {

using Registers = std::array<uint64_t, 6>;

struct ControlWords {
  uint32_t mxcsr = 0;
  uint16_t x87 = 0;

  static ControlWords read() {
    ControlWords words;
    asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(words.mxcsr), "=m"(words.x87));
    return words;
  }

  void write() const { asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87)); }

  bool operator==(const ControlWords&) const = default;
};

// A stack and the two contexts that switch between it and the test.
struct Strand {
  Strand() : memory(64 * 1024) {}

  void start(void (*entry)(void*, void*)) {
    auto end = reinterpret_cast<uintptr_t>(memory.data() + memory.size());
    make_context(inside, reinterpret_cast<void*>(end / 16 * 16), entry, this);
  }

  std::vector<char> memory;
  Context outside;
  Context inside;
  uintptr_t seen = 0;
  size_t frames = 0;
  int faults = 0;
};

Registers pattern(uint64_t seed) {
  Registers registers;
  for (size_t i = 0; i < registers.size(); ++i) {
    registers[i] = (seed + 1) * 0x9E3779B97F4A7C15 + i;
  }
  return registers;
}

void* count_up(void* value) {
  return static_cast<char*>(value) + 1;
}

constexpr uint64_t kTurns = 1000;

void other_side(void* value, void* raw) {
  auto* strand = static_cast<Strand*>(raw);
  for (uint64_t turn = 0;; ++turn) {
    Registers in = pattern(turn * 2 + 1);
    Registers out{};
    value = burrow_test_switch(&strand->inside, &strand->outside, count_up(value), in.data(),
                               out.data());
    strand->faults += in == out ? 0 : 1;
  }
}

TEST(Switch, KeepsTheRegistersOfBothSides) {
  Strand strand;
  strand.start(other_side);
  void* value = nullptr;
  for (uint64_t turn = 0; turn < kTurns; ++turn) {
    Registers in = pattern(turn * 2);
    Registers out{};
    value = burrow_test_switch(&strand.outside, &strand.inside, value, in.data(), out.data());
    ASSERT_EQ(in, out);
    // The value went there and came back with one more.
    ASSERT_EQ(reinterpret_cast<uintptr_t>(value), turn + 1);
  }
  EXPECT_EQ(strand.faults, 0);
}

constexpr ControlWords kOurs{.mxcsr = 0x1F80 | 0x2000, .x87 = 0x037F | 0x0400};    // downward
constexpr ControlWords kTheirs{.mxcsr = 0x1F80 | 0x8040, .x87 = 0x027F | 0x0800};  // flush; upward

void change_control_words(void* /*value*/, void* raw) {
  auto* strand = static_cast<Strand*>(raw);
  // New stacks have the words of the one who made them.
  strand->faults += ControlWords::read() == kOurs ? 0 : 1;
  kTheirs.write();
  while (true) {
    switch_context(strand->inside, strand->outside, nullptr);
    strand->faults += ControlWords::read() == kTheirs ? 0 : 1;
  }
}

TEST(Switch, KeepsTheControlWordsOfBothSides) {
  ControlWords former = ControlWords::read();
  Strand strand;
  kOurs.write();
  strand.start(change_control_words);
  bool kept = true;
  for (int i = 0; i < 10; ++i) {
    switch_context(strand.outside, strand.inside, nullptr);
    kept = kept && ControlWords::read() == kOurs;
  }
  former.write();
  EXPECT_TRUE(kept);
  EXPECT_EQ(strand.faults, 0);
}

_Unwind_Reason_Code count_frame(_Unwind_Context* context, void* raw) {
  auto* strand = static_cast<Strand*>(raw);
  if (_Unwind_GetIP(context) != 0) {  // 0: there is no caller
    ++strand->frames;
    strand->seen = _Unwind_GetIP(context);
  }
  return strand->frames < 1000 ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

BURROW_NOINLINE void throw_deep(int depth) {
  if (depth == 0) {
    throw std::runtime_error("from below");
  }
  throw_deep(depth - 1);
  asm volatile("");
}

void walk_and_throw(void* /*value*/, void* raw) {
  auto* strand = static_cast<Strand*>(raw);
  // As the ABI wants it at a call.
  strand->faults += reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) % 16 == 0 ? 0 : 1;
  _Unwind_Backtrace(count_frame, strand);
  try {
    throw_deep(10);
  } catch (const std::runtime_error&) {
    strand->faults += 100;
  }
  switch_context(strand->inside, strand->outside, nullptr);
}

TEST(Switch, WalksEndAtTheEntryAndExceptionsPass) {
  Strand strand;
  strand.start(walk_and_throw);
  switch_context(strand.outside, strand.inside, nullptr);
  EXPECT_EQ(strand.faults, 100);
  // This function, and the entry; no more.
  EXPECT_EQ(strand.frames, 2U);
  auto entry = reinterpret_cast<uintptr_t>(&burrow_stack_entry);
  EXPECT_GE(strand.seen, entry);
  EXPECT_LT(strand.seen, entry + 32);
}

TEST(Switch, TellsWhereAStackGoesOn) {
  Strand strand;
  strand.start(other_side);
  Registers in = pattern(1);
  Registers out{};
  (void)burrow_test_switch(&strand.outside, &strand.inside, nullptr, in.data(), out.data());
  StackTop top = stack_top(strand.inside);
  // In burrow_test_switch, with the registers of the other side's pattern.
  EXPECT_EQ(top.rbp, pattern(1)[1]);
  auto function = reinterpret_cast<uintptr_t>(&burrow_test_switch);
  EXPECT_GT(top.pc, function);
  EXPECT_LT(top.pc, function + 128);
  auto low = reinterpret_cast<uintptr_t>(strand.memory.data());
  EXPECT_GT(top.sp, low);
  EXPECT_LT(top.sp, low + strand.memory.size());
}

TEST(Switch, TheWorkerIsOfTheThread) {
  int here = 0;
  burrow_worker = &here;
  EXPECT_EQ(read_worker(), &here);
  burrow_worker = nullptr;
  EXPECT_EQ(read_worker(), nullptr);
}

}  // namespace
}  // namespace burrow::arch
