// Figures with units, as pprof prints them. See units.h.
#include "units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <span>

namespace burrow::cmd {
namespace {

struct Unit {
  std::string_view name;
  std::string_view aliases;  ///< with a blank before and after each
  double factor = 1;
};

constexpr double kKilo = 1024;

constexpr std::array<Unit, 6> kMemory = {{
    {"B", " b byte ", 1},
    {"kB", " kb kbyte kilobyte ", kKilo},
    {"MB", " mb mbyte megabyte ", kKilo* kKilo},
    {"GB", " gb gbyte gigabyte ", kKilo* kKilo* kKilo},
    {"TB", " tb tbyte terabyte ", kKilo* kKilo* kKilo* kKilo},
    {"PB", " pb pbyte petabyte ", kKilo* kKilo* kKilo* kKilo* kKilo},
}};

constexpr std::array<Unit, 5> kTime = {{
    {"ns", " ns nanosecond ", 1},
    {"us", " us microsecond ", 1e3},
    {"ms", " ms millisecond ", 1e6},
    {"s", " s sec second ", 1e9},
    {"hrs", " hour hr ", 3600e9},
}};

const Unit* find(std::span<const Unit> units, std::string_view name) {
  std::string wanted(name);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (wanted.size() > 2 && wanted.ends_with('s')) {
    wanted.pop_back();
  }
  wanted = " " + wanted + " ";
  for (const Unit& unit : units) {
    if (unit.aliases.find(wanted) != std::string_view::npos) {
      return &unit;
    }
  }
  return nullptr;
}

struct Family {
  std::span<const Unit> units;
  const Unit* fallback = nullptr;  ///< for what is too small for any
};

// The family that a unit is of; no units when it is of none.
Family family_of(std::string_view name) {
  if (find(kMemory, name) != nullptr) {
    return {kMemory, kMemory.data()};
  }
  if (find(kTime, name) != nullptr) {
    return {kTime, &kTime[3]};
  }
  return {};
}

struct Scaled {
  double value = 0;
  std::string_view unit;
};

Scaled scale(int64_t value, std::string_view from, std::string_view to) {
  Family family = family_of(from);
  if (family.units.empty()) {
    return {static_cast<double>(value), {}};
  }
  double base = static_cast<double>(value) * find(family.units, from)->factor;
  const Unit* unit = family.fallback;
  if (to == "auto") {
    for (const Unit& u : family.units) {
      unit = std::abs(base) >= u.factor ? &u : unit;
    }
  } else if (const Unit* wanted = find(family.units, to); wanted != nullptr) {
    unit = wanted;
  }
  return {base / unit->factor, unit->name};
}

template <typename... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 64> text;
  int length = std::snprintf(text.data(), text.size(), format, values...);
  return {text.data(), std::min(static_cast<size_t>(std::max(length, 0)), text.size() - 1)};
}

}  // namespace

std::string scaled_label(int64_t value, std::string_view from, std::string_view to) {
  Scaled scaled = scale(value, from, to);
  std::string text = print("%.2f", scaled.value);
  if (text.ends_with(".00")) {
    text.resize(text.size() - 3);
  }
  return text == "0" || text == "-0" ? "0" : text + std::string(scaled.unit);
}

std::string table_unit(int64_t least, int64_t most, std::string_view from) {
  least = least == 0 ? most : least;
  std::string_view unit = scale(least, from, "auto").unit;
  if (unit != scale(most, from, "auto").unit && least < most / 100) {
    // The least is still seen in hundredths.
    unit = scale(100 * least, from, "auto").unit;
  }
  return std::string(unit.empty() ? from : unit);
}

std::string percentage(int64_t value, int64_t total) {
  double ratio =
      total == 0 ? 0 : std::abs(static_cast<double>(value) / static_cast<double>(total)) * 100;
  if (ratio >= 99.95 && ratio <= 100.05) {
    return "  100%";
  }
  return ratio >= 1 ? print("%5.2f%%", ratio) : print("%5.2g%%", ratio);
}

bool is_unit_of(std::string_view to, std::string_view from) {
  return to == "auto" || find(family_of(from).units, to) != nullptr;
}

}  // namespace burrow::cmd
