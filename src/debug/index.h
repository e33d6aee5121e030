// The page at /debug/pprof/. See debug_server.h.
#pragma once

#include <string>
#include <string_view>

namespace burrow::debug {

/// The page; `host` is the request's Host header, for the commands that it shows.
[[nodiscard]] std::string index_page(std::string_view host);

/// Text that is safe inside HTML elements and quoted attributes.
[[nodiscard]] std::string escape_html(std::string_view text);

/// `page` with each {{NAME}} replaced by what `value` gives for NAME.
[[nodiscard]] std::string fill_page(std::string_view page,
                                    std::string (*value)(std::string_view name, void* argument),
                                    void* argument);

}  // namespace burrow::debug
