// The table of profiles under /debug/pprof/. See profiles.h.
#include "debug/profiles.h"

#include <algorithm>
#include <array>
#include <atomic>

namespace burrow::debug {
namespace {

// Entries are only ever added, from the front.
constinit std::array<std::atomic<const Profile*>, 16> g_table = {&kAllocsProfile, &kHeapProfile,
                                                                 &kThreadCreateProfile};

}  // namespace

bool register_profile(const Profile& profile) {
  for (auto& entry : g_table) {
    const Profile* there = nullptr;
    // Release: pairs with the acquires here and in find_profile and all_profiles.
    if (entry.compare_exchange_strong(there, &profile, std::memory_order_acq_rel)) {
      return true;
    }
    if (there->name == profile.name) {
      return false;
    }
  }
  return false;
}

const Profile* find_profile(std::string_view name) {
  for (const auto& entry : g_table) {
    const Profile* p = entry.load(std::memory_order_acquire);
    if (p != nullptr && p->name == name) {
      return p;
    }
  }
  return nullptr;
}

std::vector<const Profile*> all_profiles() {
  std::vector<const Profile*> all;
  for (const auto& entry : g_table) {
    if (const Profile* p = entry.load(std::memory_order_acquire); p != nullptr) {
      all.push_back(p);
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Profile* a, const Profile* b) { return a->name < b->name; });
  return all;
}

}  // namespace burrow::debug
