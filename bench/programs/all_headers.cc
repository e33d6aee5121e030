// Input of the clang-parse row: the whole standard library, with enough uses to instantiate it.
#include <algorithm>
#include <any>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <ranges>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace {

template <int N>
struct Level {
  using Table = std::map<std::string, std::variant<int, std::string, std::vector<double>>>;
  using Index = std::unordered_map<std::string, std::function<std::optional<int>(const Table&)>>;

  static int work(const std::vector<std::tuple<int, std::string, double>>& rows) {
    Table table;
    Index index;
    for (const auto& [number, text, value] : rows) {
      table[text] = std::vector<double>(static_cast<std::size_t>(number + N), value);
      index[text] = [number](const Table& t) { return std::optional<int>(number + (int)t.size()); };
    }
    std::regex pattern("([a-z]+)([0-9]*)");
    auto matching = rows | std::views::filter([&](const auto& row) {
                      return std::regex_match(std::get<1>(row), pattern);
                    });
    return (int)std::ranges::distance(matching) + Level<N - 1>::work(rows);
  }
};

template <>
struct Level<0> {
  static int work(const std::vector<std::tuple<int, std::string, double>>& rows) {
    return (int)rows.size();
  }
};

}  // namespace

int main() {
  std::vector<std::tuple<int, std::string, double>> rows{{1, "a1", 2.0}};
  std::cout << Level<4>::work(rows) << '\n';
}
