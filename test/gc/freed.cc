// Frees what the collector frees, in the way that its argument names.
#include <burrow/gc.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace {

struct Record {
  int words[20];
};

}  // namespace

int main(int /*argc*/, char** argv) {
  const std::string_view how = argv[1];
  auto* record = burrow::make<Record>();
  if (how == "delete") {
    delete record;
  } else if (how == "unique_ptr") {
    const std::unique_ptr<Record> owner(record);
  } else if (how == "free") {
    std::free(record);
  } else if (how == "free inside") {
    std::free(&record->words[4]);
  } else if (how == "free large") {
    std::free(burrow::make_array<char>(100'000));
  } else if (how == "realloc") {
    (void)!std::realloc(record, 3000);
  }
  std::puts("went on");
}
