// Gets a profile over HTTP. See fetch.h.
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string_view>

#include "fetch.h"
#include "os/os.h"

namespace burrow::cmd {
namespace {

constexpr size_t kMostBytes = size_t{1} << 30;
constexpr size_t kLongestMessage = 500;

/// What comes in.
struct Response {
  std::string body;
  std::string status;  ///< such as "404 Not Found"
  bool from_pprof = false;
  bool too_large = false;
};

size_t take_body(const char* data, size_t size, size_t count, void* raw) {
  auto& response = *static_cast<Response*>(raw);
  if (response.body.size() + size * count > kMostBytes) {
    response.too_large = true;
    return 0;
  }
  response.body.append(data, size * count);
  return size * count;
}

size_t take_header(const char* data, size_t size, size_t count, void* raw) {
  auto& response = *static_cast<Response*>(raw);
  std::string line(data, size * count);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
    line.pop_back();
  }
  if (line.starts_with("HTTP/")) {  // a redirection begins anew
    response = Response();
    response.status = line.substr(std::min(line.find(' ') + 1, line.size()));
  }
  std::transform(line.begin(), line.end(), line.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (line.starts_with("x-go-pprof:")) {
    response.from_pprof = true;
  }
  return size * count;
}

// Made fit to be printed in a line: a server may send anything.
std::string one_line(std::string text) {
  text.resize(std::min(text.size(), kLongestMessage));
  for (char& c : text) {
    c = static_cast<unsigned char>(c) < ' ' || c == 127 ? ' ' : c;
  }
  while (text.ends_with(' ')) {
    text.pop_back();
  }
  return text;
}

std::string server_error(const Response& response, const char* content_type) {
  std::string text = "server response: " + response.status;
  bool plain = content_type != nullptr &&
               std::string_view(content_type).find("text/plain") != std::string_view::npos;
  if (response.from_pprof && plain && !response.body.empty()) {
    text += " - " + response.body;
  }
  return one_line(std::move(text));
}

// A proxy is for other machines.
std::string direct_hosts() {
  std::string hosts = "localhost,127.0.0.1,::1";
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    if (const char* more = os::env(name); more != nullptr && *more != '\0') {
      return hosts + "," + more;
    }
  }
  return hosts;
}

}  // namespace

bool download(const Source& source, std::chrono::seconds limit, std::string& body,
              std::string& error) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(
      started == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (curl == nullptr) {
    error = "libcurl does not start";
    return false;
  }
  Response response;
  std::array<char, CURL_ERROR_SIZE> reason{};
  std::string direct = direct_hosts();
  CURL* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, source.url.c_str());
  if (!source.socket.empty()) {
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, source.socket.c_str());
  }
  curl_easy_setopt(c, CURLOPT_NOPROXY, direct.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, static_cast<long>(limit.count()));
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "burrow/" BURROW_VERSION);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &response);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &response);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason.data());
  CURLcode code = curl_easy_perform(c);
  long status = 0;
  const char* content_type = nullptr;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &content_type);
  if (code != CURLE_OK) {
    error = response.too_large
                ? "more than 1 GiB"
                : one_line(reason[0] != '\0' ? reason.data() : curl_easy_strerror(code));
    return false;
  }
  if (status != 200) {
    error = server_error(response, content_type);
    return false;
  }
  body = std::move(response.body);
  return true;
}

}  // namespace burrow::cmd
