// What the command says. See console.h.
#include "console.h"

#include <cstring>
#include <iostream>

namespace burrow::cmd {

int complain(int code, std::string_view text) {
  std::cout.flush();
  std::cerr << "burrow: " << text << '\n';
  return code;
}

std::string error_text(int error) {
  const char* text = strerrordesc_np(error);
  return text == nullptr ? "error " + std::to_string(error) : std::string(text);
}

}  // namespace burrow::cmd
