// The name in BURROW_PROFILE, as each process understands it. See profile_name.h.
#include "prof/profile_name.h"

#include <algorithm>

namespace burrow::prof {

bool names_each_process(std::string_view pattern) {
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] == '%') {
      if (pattern[i + 1] == 'p') {
        return true;
      }
      ++i;
    }
  }
  return false;
}

std::string name_for_process(std::string_view pattern, uint32_t process) {
  std::string name;
  for (size_t i = 0; i < pattern.size(); ++i) {
    char next = pattern[i] == '%' && i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (next == 'p') {
      name += std::to_string(process);
      ++i;
    } else {
      name += pattern[i];
      i += next == '%' ? 1 : 0;
    }
  }
  return name;
}

std::string name_beside(std::string_view path, uint32_t process) {
  size_t end = path.size();
  for (std::string_view extension : {".pb.gz", ".pb", ".gz"}) {
    if (path.ends_with(extension)) {
      end = path.size() - extension.size();
      break;
    }
  }
  return std::string(path.substr(0, end)) + "." + std::to_string(process) +
         std::string(path.substr(end));
}

}  // namespace burrow::prof
