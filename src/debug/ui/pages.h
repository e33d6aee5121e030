// The pages of this folder, embedded at build time (see src/debug/CMakeLists.txt).
#pragma once

#include <string_view>

namespace burrow::debug {

/// index.html, with {{NAME}} where index.cc puts something.
extern const std::string_view kIndexPage;

}  // namespace burrow::debug
