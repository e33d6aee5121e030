#!/bin/bash
# test.sh [CTEST ARGS]: builds everything that the tests need, then runs them in one ctest: the
# whole of the release tree, and the unit tests of the sanitizer and gcc builds.
set -euo pipefail
cd "$(dirname "$0")/.."

variants=(asan tsan gcc)
tools/build.sh release
tools/build.sh asan unit_tests
tools/build.sh tsan unit_tests
tools/build.sh gcc libraries unit_tests

# One ctest over several build trees: it needs no more than a file that names their directories.
mkdir -p build/all
{
  echo 'subdirs("../release")'
  for variant in "${variants[@]}"; do
    echo "subdirs(\"../$variant/src\")"
    echo "subdirs(\"../$variant/cmd/burrow\")"
  done
} >build/all/CTestTestfile.cmake
exec ctest --test-dir build/all --output-on-failure -j"$(nproc)" "$@"
