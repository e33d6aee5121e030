// A program that knows nothing of Burrow. See sanitizers_test.py.
#include <cstdio>
#include <string>
#include <vector>

int main() {
  std::vector<std::string> texts(1000, std::string(100, 'x'));
  std::printf("%zu\n", texts.size());
  return 0;
}
