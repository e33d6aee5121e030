// Unwind rows of call-frame instructions written by hand, and of this program's own functions.
#include "prof/cfi.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "prof/unwind_row.h"

namespace burrow::prof {
namespace {

using Bytes = std::vector<uint8_t>;
using Cfa = UnwindRow::Cfa;
using Rbp = UnwindRow::Rbp;

// What every x86-64 CIE says: CFA = rsp + 8, the return address at CFA - 8.
const Bytes kUsual = {0x0C, 7, 8, 0x80 | 16, 1};

UnwindRow row_at(const Bytes& own, uint64_t target, const Bytes& common = kUsual) {
  return run_cfi({.common = common, .own = own}, target);
}

TEST(Cfi, FramePointerFunctionStepByStep) {
  // push rbp (1 byte); mov rsp, rbp (3 bytes); ...; at 100 pop rbp.
  const Bytes own = {0x41, 0x0E, 16,   0x86, 2,  // advance 1, CFA offset 16, rbp at -16
                     0x43, 0x0D, 6,              // advance 3, CFA register rbp
                     0x02, 96,   0x0C, 7,    8,
                     0xC6, 0x00};  // advance 96, CFA rsp + 8, restore rbp
  EXPECT_EQ(row_at(own, 0), (UnwindRow{Cfa::kRsp, Rbp::kSame, 8, 0}));
  EXPECT_EQ(row_at(own, 1), (UnwindRow{Cfa::kRsp, Rbp::kAtCfa, 16, -16}));
  EXPECT_EQ(row_at(own, 3), (UnwindRow{Cfa::kRsp, Rbp::kAtCfa, 16, -16}));
  EXPECT_EQ(row_at(own, 4), (UnwindRow{Cfa::kRbp, Rbp::kAtCfa, 16, -16}));
  EXPECT_EQ(row_at(own, 99), (UnwindRow{Cfa::kRbp, Rbp::kAtCfa, 16, -16}));
  EXPECT_EQ(row_at(own, 100), (UnwindRow{Cfa::kRsp, Rbp::kSame, 8, 0}));
}

TEST(Cfi, RememberedStateComesBackWithItsCfa) {
  const Bytes own = {0x44, 0x0E, 0x90, 0x01, 0x86, 3,  // CFA rsp + 144, rbp at CFA - 24
                     0x44, 0x0A, 0x0E, 8,    0xC6,     // remember, then an early return's epilogue
                     0x44, 0x0B};                      // back in the body
  EXPECT_EQ(row_at(own, 4), (UnwindRow{Cfa::kRsp, Rbp::kAtCfa, 144, -24}));
  EXPECT_EQ(row_at(own, 8), (UnwindRow{Cfa::kRsp, Rbp::kSame, 8, 0}));
  EXPECT_EQ(row_at(own, 12), (UnwindRow{Cfa::kRsp, Rbp::kAtCfa, 144, -24}));
}

TEST(Cfi, WideAdvancesAndSignedForms) {
  const Bytes own = {0x03, 0x00, 0x01,              // advance 256
                     0x12, 7,    0x7E,              // CFA = rsp + -2 * -8
                     0x04, 0x00, 0x00, 0x01, 0x00,  // advance 65,536
                     0x13, 0x7C,                    // CFA offset = -4 * -8
                     0x11, 6,    0x02};             // rbp at 2 * -8
  EXPECT_EQ(row_at(own, 255), (UnwindRow{Cfa::kRsp, Rbp::kSame, 8, 0}));
  EXPECT_EQ(row_at(own, 256), (UnwindRow{Cfa::kRsp, Rbp::kSame, 16, 0}));
  EXPECT_EQ(row_at(own, 256 + 65'536), (UnwindRow{Cfa::kRsp, Rbp::kAtCfa, 32, -16}));
}

TEST(Cfi, StackAlignmentOfGcc) {
  // lea 8(%rsp), %r10 ...; expression: CFA = *(rbp - 8); rbp at rbp + 0.
  const Bytes own = {0x45, 0x0C, 10, 0,                  // CFA r10
                     0x45, 0x10, 6,  2,    0x76, 0,      // rbp: expression breg6 0
                     0x45, 0x0F, 3,  0x76, 0x78, 0x06};  // CFA: breg6 -8, deref
  EXPECT_EQ(row_at(own, 5), kNeedsLibgcc);
  EXPECT_EQ(row_at(own, 15), (UnwindRow{Cfa::kAtRbp, Rbp::kAtRbp, -8, 0}));
}

TEST(Cfi, OtherRegistersDoNotMatter) {
  const Bytes own = {0x83, 4,    0x8C, 5,  0x10, 3,  2, 0x76, 0x70, 0x16, 12,
                     1,    0x30, 0x2E, 16, 0x05, 14, 6, 0x07, 2,    0x08, 1};
  EXPECT_EQ(row_at(own, 0), (UnwindRow{Cfa::kRsp, Rbp::kSame, 8, 0}));
}

TEST(Cfi, UndefinedReturnAddressEndsTheStack) {
  EXPECT_EQ(row_at({0x07, 16}, 0), kOutermost);
}

TEST(Cfi, WhatIsNotUnderstoodNeedsLibgcc) {
  EXPECT_EQ(row_at({0x0D, 3}, 0), kNeedsLibgcc) << "CFA in rbx";
  EXPECT_EQ(row_at({0x0F, 2, 0x77, 8}, 0), kNeedsLibgcc) << "CFA by an expression over rsp";
  EXPECT_EQ(row_at({0x10, 6, 2, 0x76, 8}, 0), kNeedsLibgcc) << "rbp by another expression";
  EXPECT_EQ(row_at({0x09, 6, 3}, 0), kNeedsLibgcc) << "rbp in rbx";
  EXPECT_EQ(row_at({0x14, 7, 1}, 0), kNeedsLibgcc) << "rsp has a rule";
  EXPECT_EQ(row_at({0x90, 2}, 0), kNeedsLibgcc) << "return address elsewhere";
  EXPECT_EQ(row_at({0x0B}, 0), kNeedsLibgcc) << "nothing was remembered";
  EXPECT_EQ(row_at(Bytes(9, 0x0A), 0), kNeedsLibgcc) << "too much is remembered";
  EXPECT_EQ(row_at({0x01, 0, 0, 0, 0, 0, 0, 0, 0}, 0), kNeedsLibgcc) << "set_loc";
  EXPECT_EQ(row_at({0x3F}, 0), kNeedsLibgcc) << "no such instruction";
  EXPECT_EQ(row_at({}, 0, {}), kNeedsLibgcc) << "no CFA at all";
}

TEST(Cfi, CutInstructionsNeedLibgcc) {
  for (const Bytes& own : {Bytes{0x02},
                           {0x03, 1},
                           {0x04, 1, 2, 3},
                           {0x0C, 7},
                           {0x0E, 0x80},
                           {0x86},
                           {0x0F, 200, 0x76},
                           {0x16, 3, 9, 1}}) {
    EXPECT_EQ(row_at(own, 0), kNeedsLibgcc) << static_cast<int>(own[0]);
  }
}

TEST(Cfi, RandomBytesAreReadInBounds) {
  // Sanitizer builds see a read outside; here the row must at least be one that can be packed.
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    Bytes own(random() % 40);
    for (uint8_t& byte : own) {
      byte = static_cast<uint8_t>(random());
    }
    UnwindRow row = row_at(own, random() % 100);
    PackedRow packed = pack(row);
    ASSERT_LT(packed, PackedRow{1} << kPackedRowBits);
    UnwindRow back = unpack(packed);
    ASSERT_TRUE(back == row || back == kNeedsLibgcc) << i;
  }
}

TEST(UnwindRow, PacksAndUnpacks) {
  for (int32_t offset : {8, 16, 144, 8192, 1'048'568, -8, -1'048'568, 0}) {
    for (int32_t rbp : {-8, -16, -24, -1008}) {
      for (Cfa cfa : {Cfa::kRsp, Cfa::kRbp, Cfa::kAtRbp}) {
        UnwindRow row{cfa, Rbp::kAtCfa, offset, rbp};
        EXPECT_EQ(unpack(pack(row)), row) << offset << ' ' << rbp;
      }
    }
    UnwindRow same{Cfa::kRsp, Rbp::kSame, offset, 0};
    EXPECT_EQ(unpack(pack(same)), same);
    EXPECT_EQ(unpack(pack({Cfa::kRsp, Rbp::kAtRbp, offset, 0})), kNeedsLibgcc);
    UnwindRow at_rbp{Cfa::kAtRbp, Rbp::kAtRbp, offset, 0};
    EXPECT_EQ(unpack(pack(at_rbp)), at_rbp);
  }
  EXPECT_EQ(unpack(pack(kOutermost)), kOutermost);
  EXPECT_EQ(unpack(pack(kNeedsLibgcc)), kNeedsLibgcc);
}

TEST(UnwindRow, WhatDoesNotFitNeedsLibgcc) {
  EXPECT_EQ(unpack(pack({Cfa::kRsp, Rbp::kSame, 1'048'576, 0})), kNeedsLibgcc);
  EXPECT_EQ(unpack(pack({Cfa::kRsp, Rbp::kSame, 12, 0})), kNeedsLibgcc);
  EXPECT_EQ(unpack(pack({Cfa::kRsp, Rbp::kAtCfa, 16, -12})), kNeedsLibgcc);
  EXPECT_EQ(unpack(pack({Cfa::kRsp, Rbp::kAtCfa, 16, 8})), kNeedsLibgcc);
  EXPECT_EQ(unpack(pack({Cfa::kRsp, Rbp::kAtCfa, 16, -1016})), kNeedsLibgcc);
}

}  // namespace
}  // namespace burrow::prof
