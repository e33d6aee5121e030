#!/bin/bash
# build.sh PRESET [TARGETS]: configures (once, or when the preset changed) and builds.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift

log=build/$preset.configure.log
mkdir -p build
# CMake runs itself again when its files change; a changed preset it does not see.
if [ ! -f "build/$preset/build.ninja" ] || [ CMakePresets.json -nt "build/$preset/build.ninja" ]; then
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
fi
exec ninja -C "build/$preset" -j"$(nproc)" "$@"
