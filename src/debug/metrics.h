// Figures for Prometheus. See debug_server.h.
#pragma once

#include <string>

#include "debug/figures.h"

namespace burrow::debug {

/// Prometheus' text format 0.0.4, with the metric names of Go's client_golang, by name.
[[nodiscard]] std::string metrics_text(const heap::HeapStats& stats, size_t threads);

}  // namespace burrow::debug
