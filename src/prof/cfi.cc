// The call-frame instructions of DWARF 5, 6.4.2, as far as compilers write them. See cfi.h.
#include "prof/cfi.h"

#include <array>
#include <cstddef>

#include "prof/dwarf_cursor.h"

namespace burrow::prof {
namespace {

// DWARF's numbers for x86-64 registers.
constexpr uint64_t kRbp = 6;
constexpr uint64_t kRsp = 7;
constexpr uint64_t kReturn = 16;

constexpr uint8_t kOpBreg6 = 0x76;
constexpr uint8_t kOpDeref = 0x06;

enum Op : uint8_t {
  kNop = 0x00,
  kAdvance1 = 0x02,
  kAdvance2 = 0x03,
  kAdvance4 = 0x04,
  kOffsetExtended = 0x05,
  kRestoreExtended = 0x06,
  kUndefined = 0x07,
  kSameValue = 0x08,
  kRegister = 0x09,
  kRememberState = 0x0A,
  kRestoreState = 0x0B,
  kDefCfa = 0x0C,
  kDefCfaRegister = 0x0D,
  kDefCfaOffset = 0x0E,
  kDefCfaExpression = 0x0F,
  kExpression = 0x10,
  kOffsetExtendedSf = 0x11,
  kDefCfaSf = 0x12,
  kDefCfaOffsetSf = 0x13,
  kValOffset = 0x14,
  kValOffsetSf = 0x15,
  kValExpression = 0x16,
  kGnuArgsSize = 0x2E,
  kAdvance = 0x40,  // with the operand in the low six bits, as the next two
  kOffset = 0x80,
  kRestore = 0xC0,
};

struct Rule {
  enum class Kind : uint8_t { kUnset, kUndefined, kAtCfa, kAtRbp, kOther };
  Kind kind = Kind::kUnset;
  int64_t offset = 0;
};

struct State {
  enum class Cfa : uint8_t { kRegister, kAtRbp, kOther };
  Cfa cfa = Cfa::kOther;
  uint64_t cfa_register = 0;
  int64_t cfa_offset = 0;
  Rule rbp, rsp, ra;

  Rule* rule(uint64_t reg) {
    return reg == kRbp ? &rbp : reg == kRsp ? &rsp : reg == kReturn ? &ra : nullptr;
  }
};

class Interpreter {
 public:
  Interpreter(const CfiProgram& program, uint64_t target) : program_(program), target_(target) {}

  UnwindRow run() {
    if (!execute(program_.common)) {
      return kNeedsLibgcc;
    }
    location_ = 0;
    initial_ = now_;
    return execute(program_.own) ? row() : kNeedsLibgcc;
  }

 private:
  static constexpr size_t kMostRemembered = 8;

  bool execute(std::span<const uint8_t> code) {
    DwarfCursor in(code);
    while (!in.at_end() && location_ <= target_) {
      uint8_t op = in.byte();
      bool known = op >= kAdvance                           ? short_form(op, in)
                   : op >= kDefCfa && op <= kDefCfaOffsetSf ? cfa_or_rule(op, in)
                                                            : other(op, in);
      if (!known || !in.ok()) {
        return false;
      }
    }
    return true;
  }

  bool short_form(uint8_t op, DwarfCursor& in) {
    uint8_t operand = op & 0x3F;
    switch (op & 0xC0) {
      case kAdvance:
        location_ += operand * program_.code_factor;
        return true;
      case kOffset:
        set(operand, Rule::Kind::kAtCfa, scaled(in.uleb()));
        return true;
      default:
        restore(operand);
        return true;
    }
  }

  bool cfa_or_rule(uint8_t op, DwarfCursor& in) {
    switch (op) {
      case kDefCfa:
        now_.cfa = State::Cfa::kRegister;
        now_.cfa_register = in.uleb();
        now_.cfa_offset = static_cast<int64_t>(in.uleb());
        return true;
      case kDefCfaSf:
        now_.cfa = State::Cfa::kRegister;
        now_.cfa_register = in.uleb();
        now_.cfa_offset = scaled(static_cast<uint64_t>(in.sleb()));
        return true;
      case kDefCfaRegister:
        now_.cfa = State::Cfa::kRegister;
        now_.cfa_register = in.uleb();
        return true;
      case kDefCfaOffset:
        now_.cfa_offset = static_cast<int64_t>(in.uleb());
        return true;
      case kDefCfaOffsetSf:
        now_.cfa_offset = scaled(static_cast<uint64_t>(in.sleb()));
        return true;
      case kDefCfaExpression:
        define_by_expression(in.take(in.uleb()));
        return true;
      case kExpression: {
        uint64_t reg = in.uleb();
        std::span<const uint8_t> code = in.take(in.uleb());
        bool at_rbp = reg == kRbp && code.size() == 2 && code[0] == kOpBreg6 && code[1] == 0;
        set(reg, at_rbp ? Rule::Kind::kAtRbp : Rule::Kind::kOther, 0);
        return true;
      }
      case kOffsetExtendedSf: {
        uint64_t reg = in.uleb();
        set(reg, Rule::Kind::kAtCfa, scaled(static_cast<uint64_t>(in.sleb())));
        return true;
      }
      default:
        return false;
    }
  }

  bool other(uint8_t op, DwarfCursor& in) {
    switch (op) {
      case kNop:
        return true;
      case kAdvance1:
        location_ += in.byte() * program_.code_factor;
        return true;
      case kAdvance2:
        location_ += in.fixed<uint16_t>() * program_.code_factor;
        return true;
      case kAdvance4:
        location_ += in.fixed<uint32_t>() * program_.code_factor;
        return true;
      case kRememberState:
        if (depth_ == kMostRemembered) {
          return false;
        }
        remembered_[depth_++] = now_;
        return true;
      case kRestoreState:
        if (depth_ == 0) {
          return false;
        }
        now_ = remembered_[--depth_];
        return true;
      case kGnuArgsSize:
        (void)in.uleb();
        return true;
      default:
        return rule_of_register(op, in);
    }
  }

  bool rule_of_register(uint8_t op, DwarfCursor& in) {
    uint64_t reg = in.uleb();
    switch (op) {
      case kOffsetExtended:
        set(reg, Rule::Kind::kAtCfa, scaled(in.uleb()));
        return true;
      case kRestoreExtended:
        restore(reg);
        return true;
      case kUndefined:
        set(reg, Rule::Kind::kUndefined, 0);
        return true;
      case kSameValue:
        set(reg, Rule::Kind::kUnset, 0);
        return true;
      case kRegister:
      case kValOffset:
        (void)in.uleb();
        break;
      case kValOffsetSf:
        (void)in.sleb();
        break;
      case kValExpression:
        (void)in.take(in.uleb());
        break;
      default:
        return false;
    }
    set(reg, Rule::Kind::kOther, 0);
    return true;
  }

  // Wraps around: what comes of senseless numbers is refused in `row`.
  [[nodiscard]] int64_t scaled(uint64_t n) const {
    return static_cast<int64_t>(n * static_cast<uint64_t>(program_.data_factor));
  }

  // GCC's form for functions that align their stack: the CFA is kept in the word at rbp - 8.
  void define_by_expression(std::span<const uint8_t> code) {
    DwarfCursor in(code);
    bool known = in.byte() == kOpBreg6;
    int64_t offset = in.sleb();
    known = known && in.byte() == kOpDeref && in.at_end() && in.ok();
    now_.cfa = known ? State::Cfa::kAtRbp : State::Cfa::kOther;
    now_.cfa_offset = offset;
  }

  void set(uint64_t reg, Rule::Kind kind, int64_t offset) {
    if (Rule* rule = now_.rule(reg)) {
      *rule = {kind, offset};
    }
  }

  void restore(uint64_t reg) {
    if (Rule* rule = now_.rule(reg)) {
      *rule = *initial_.rule(reg);
    }
  }

  [[nodiscard]] UnwindRow row() const {
    if (now_.ra.kind == Rule::Kind::kUndefined) {
      return kOutermost;
    }
    constexpr int64_t kMost = 1 << 30;
    bool simple = now_.ra.kind == Rule::Kind::kAtCfa && now_.ra.offset == -8 &&
                  now_.rsp.kind == Rule::Kind::kUnset && now_.cfa != State::Cfa::kOther &&
                  now_.cfa_offset < kMost && now_.cfa_offset > -kMost && now_.rbp.offset < kMost &&
                  now_.rbp.offset > -kMost;
    UnwindRow row;
    if (now_.cfa == State::Cfa::kAtRbp) {
      row.cfa = UnwindRow::Cfa::kAtRbp;
    } else if (now_.cfa_register == kRsp) {
      row.cfa = UnwindRow::Cfa::kRsp;
    } else if (now_.cfa_register == kRbp) {
      row.cfa = UnwindRow::Cfa::kRbp;
    } else {
      simple = false;
    }
    row.cfa_offset = static_cast<int32_t>(now_.cfa_offset);
    switch (now_.rbp.kind) {
      case Rule::Kind::kUnset:
      case Rule::Kind::kUndefined:
        break;
      case Rule::Kind::kAtCfa:
        row.rbp = UnwindRow::Rbp::kAtCfa;
        row.rbp_offset = static_cast<int32_t>(now_.rbp.offset);
        break;
      case Rule::Kind::kAtRbp:
        row.rbp = UnwindRow::Rbp::kAtRbp;
        break;
      case Rule::Kind::kOther:
        simple = false;
        break;
    }
    return simple ? row : kNeedsLibgcc;
  }

  const CfiProgram& program_;
  uint64_t target_;
  uint64_t location_ = 0;
  State now_, initial_;
  std::array<State, kMostRemembered> remembered_;
  size_t depth_ = 0;
};

}  // namespace

UnwindRow run_cfi(const CfiProgram& program, uint64_t target) {
  return Interpreter(program, target).run();
}

}  // namespace burrow::prof
