// include/burrow/debug.h over the debug server. See api.h.
#include "burrow/debug.h"

#include <utility>

#include "base/annotations.h"
#include "debug/debug_server.h"

namespace burrow {

BURROW_EXPORT DebugServer serve_debug(std::string_view address) {
  debug::StartResult result = debug::start_server(address);
  return {std::move(result.url), std::move(result.error)};
}

BURROW_EXPORT void stop_debug() {
  debug::stop_server();
}

}  // namespace burrow
