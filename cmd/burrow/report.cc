// The table of `burrow top`. See report.h.
#include "report.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

namespace burrow::cmd {
namespace {

namespace fs = std::filesystem;

/// What makes two frames one row.
struct Key {
  std::string name;
  std::string file;
  int64_t line = 0;
  std::string object_file;  ///< where there is no name

  auto operator<=>(const Key&) const = default;

  [[nodiscard]] std::string printable() const {
    std::string text = name;
    const char* blank = text.empty() ? "" : " ";
    if (line != 0) {
      return text + blank + file + ":" + std::to_string(line);
    }
    if (!file.empty()) {
      return text + blank + file;
    }
    if (!name.empty()) {
      return text;
    }
    return object_file.empty() ? "<unknown>"
                               : "[" + fs::path(object_file).filename().string() + "]";
  }
};

struct Value {
  int64_t flat = 0;
  int64_t cum = 0;
};

using Place = std::pair<std::string, int64_t>;

struct Node {
  Value value;
  std::map<Place, Value> places;  ///< the lines of a function
};

std::string clean(const std::string& file) {
  return file.empty() ? file : fs::path(file).lexically_normal().string();
}

/// Sums a profile up.
class Summary {
 public:
  Summary(const Profile& profile, const ReportOptions& options)
      : profile_(profile), options_(options) {
    for (const ProfileLocation& location : profile.locations) {
      frames_.push_back(frames_of(location));
    }
  }

  void add(const ProfileSample& sample);
  [[nodiscard]] std::vector<Row> rows() const;

 private:
  struct Frame {
    const Key* key = nullptr;
    Node* node = nullptr;
    Place place;
  };

  std::vector<Frame> frames_of(const ProfileLocation& location);

  const Profile& profile_;
  ReportOptions options_;
  std::map<Key, Node> nodes_;
  std::vector<std::vector<Frame>> frames_;  ///< of each location, innermost first
};

std::vector<Summary::Frame> Summary::frames_of(const ProfileLocation& location) {
  std::vector<Frame> frames;
  auto add_frame = [&](Key key, Place place) {
    auto it = nodes_.try_emplace(std::move(key)).first;
    frames.push_back({&it->first, &it->second, std::move(place)});
  };
  if (location.lines.empty()) {
    add_frame({"", "", 0, location.object_file}, {});
  }
  for (const ProfileLine& line : location.lines) {
    const ProfileFunction& function = profile_.functions[line.function];
    Place place(clean(function.file), line.line);
    Key key{function.name, "", 0, function.name.empty() ? location.object_file : ""};
    if (options_.lines) {
      key.file = place.first;
      key.line = place.second;
    }
    add_frame(std::move(key), std::move(place));
  }
  return frames;
}

void Summary::add(const ProfileSample& sample) {
  int64_t value = sample.values[options_.type];
  if (value == 0) {
    return;
  }
  std::set<const Node*> seen;
  const Frame* leaf = nullptr;
  for (size_t location : sample.locations) {
    for (const Frame& frame : frames_[location]) {
      leaf = leaf == nullptr ? &frame : leaf;
      if (seen.insert(frame.node).second) {
        frame.node->value.cum += value;
        frame.node->places[frame.place].cum += value;
      }
    }
  }
  if (leaf != nullptr) {
    leaf->node->value.flat += value;
    leaf->node->places[leaf->place].flat += value;
  }
}

// Of a function's lines the one with the most.
Place heaviest(const std::map<Place, Value>& places) {
  auto weight = [](const auto& entry) {
    return std::pair(std::abs(entry.second.flat), std::abs(entry.second.cum));
  };
  auto it = std::max_element(places.begin(), places.end(),
                             [&](const auto& a, const auto& b) { return weight(a) < weight(b); });
  return it == places.end() ? Place() : it->first;
}

std::vector<Row> Summary::rows() const {
  std::vector<std::tuple<const Key*, const Node*, std::string>> kept;
  for (const auto& [key, node] : nodes_) {
    if (node.value.flat != 0 || node.value.cum != 0) {
      kept.emplace_back(&key, &node, key.printable());
    }
  }
  std::sort(kept.begin(), kept.end(), [this](const auto& a, const auto& b) {
    const auto& [key_a, node_a, name_a] = a;
    const auto& [key_b, node_b, name_b] = b;
    int64_t flat_a = std::abs(node_a->value.flat);
    int64_t flat_b = std::abs(node_b->value.flat);
    int64_t cum_a = std::abs(node_a->value.cum);
    int64_t cum_b = std::abs(node_b->value.cum);
    return options_.by_cum
               ? std::tie(cum_b, name_a, flat_b, *key_a) < std::tie(cum_a, name_b, flat_a, *key_b)
               : std::tie(flat_b, name_a, cum_b, *key_a) < std::tie(flat_a, name_b, cum_a, *key_b);
  });
  std::vector<Row> rows;
  for (const auto& [key, node, printable] : kept) {
    Place place = heaviest(node->places);
    rows.push_back({key->name.empty() ? Key{"", "", 0, key->object_file}.printable() : key->name,
                    place.first, place.second, node->value.flat, node->value.cum});
  }
  return rows;
}

}  // namespace

Report make_report(const Profile& profile, const ReportOptions& options) {
  Report report;
  Summary summary(profile, options);
  for (const ProfileSample& sample : profile.samples) {
    summary.add(sample);
    report.total += std::abs(sample.values[options.type]);
  }
  report.rows = summary.rows();
  return report;
}

}  // namespace burrow::cmd
