// The prime sieve: a chain of goroutines, each of which lets through what its prime does not
// divide.
#include <burrow/chan.h>
#include <burrow/go.h>

#include <cstdio>
#include <cstdlib>

namespace {

void generate(const burrow::Chan<int>& out, int limit) {
  for (int n = 2; n < limit; ++n) {
    out.send(n);
  }
  out.close();
}

void filter(const burrow::Chan<int>& in, const burrow::Chan<int>& out, int prime) {
  for (int n : in) {
    if (n % prime != 0) {
      out.send(n);
    }
  }
  out.close();
}

}  // namespace

int main(int argc, char** argv) {
  int limit = argc > 1 ? std::atoi(argv[1]) : 100;
  return burrow::run([limit] {
    burrow::Chan<int> numbers;
    burrow::go([=] { generate(numbers, limit); });
    while (std::optional<int> prime = numbers.recv()) {
      std::printf("%d\n", *prime);
      burrow::Chan<int> rest;
      burrow::go([=] { filter(numbers, rest, *prime); });
      numbers = rest;
    }
    return 0;
  });
}
