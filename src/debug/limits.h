// What one client may ask of the server. See debug_server.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace burrow::debug {

inline constexpr size_t kMaxConnections = 64;
inline constexpr size_t kMaxUrlBytes = size_t{8} << 10;
inline constexpr size_t kMaxHeaderBytes = size_t{16} << 10;  ///< request line and headers
inline constexpr size_t kMaxBodyBytes = size_t{1} << 20;

inline constexpr int64_t kSecondNs = 1'000'000'000;
inline constexpr int64_t kReadNs = 10 * kSecondNs;    ///< from accept to the request's last byte
inline constexpr int64_t kWriteNs = 120 * kSecondNs;  ///< for the whole response
inline constexpr int64_t kCloseNs = 2 * kSecondNs;    ///< for the client to close its end
/// How often an idle server looks whether the program has closed its socket, which wakes nobody.
inline constexpr int64_t kLookNs = 5 * kSecondNs;
inline constexpr int64_t kMaxCaptureSeconds = 600;

}  // namespace burrow::debug
