// nlohmann-json: parses, changes, sorts and prints a document many times.
#include <iostream>
#include <nlohmann/json.hpp>

using nlohmann::json;

int main() {
  json all = json::array();
  for (int n = 0; n < 50; ++n) {
    json one =
        json::parse(R"({"name":"x","list":[1,2,3,{"deep":[true,null,1.5]}],"text":"äöü\n"})");
    one["number"] = n;
    one["list"].push_back(one["name"]);
    one["copy"] = one["list"][3];
    one.merge_patch(json::parse(R"({"name":null,"new":{"a":[]}})"));
    all.push_back(one.flatten());
  }
  std::cout << all.dump(1) << "\n" << json::diff(all[0], all[1]) << "\n";
  try {
    (void)json::parse("[1, 2,");
  } catch (const json::exception& error) {
    std::cout << error.what() << "\n";
  }
  auto bytes = json::to_cbor(all);
  std::cout << bytes.size() << " " << (json::from_cbor(bytes) == all) << "\n";
}
