#!/bin/bash
# test.sh [--long] [--repeat N] [--busy N] [CTEST ARGS]: builds everything that the tests need, then runs them
# in one ctest: the whole of the release tree, and the unit tests of the sanitizer and gcc builds.
#   --long      tests labelled long too
#   --repeat N  all of it N times; ends with how often each test failed, see tools/repeat_tests.py
#   --busy N    beside N processes that only compute
set -euo pipefail
cd "$(dirname "$0")/.."

selection=(-LE '^long$')
repeat=()
while [ $# -gt 0 ]; do
  case "$1" in
    --long) selection=() && shift ;;
    --repeat | --busy)
      [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] || {
        echo "dev: $1 needs a number" >&2
        exit 2
      }
      repeat+=("$1" "$2") && shift 2
      ;;
    *) break ;;
  esac
done

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
run=(ctest --test-dir build/all --output-on-failure -j"$(nproc)" "${selection[@]}" "$@")
[ ${#repeat[@]} -gt 0 ] && exec python3 tools/repeat_tests.py "${repeat[@]}" -- "${run[@]}"
exec "${run[@]}"
