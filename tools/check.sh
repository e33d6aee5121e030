#!/bin/bash
# check.sh [NAME...]: runs the checks of tools/checks (all, or those named), one line each.
set -euo pipefail
cd "$(dirname "$0")/.."

all=(format layers locks macros sizes essays links figures scripts headers tidy)
# tidy needs the compile commands and the sources that the build generates.
log=build/check.log
mkdir -p build
if ! tools/build.sh release libraries >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi

failed=()
for name in "${@:-${all[@]}}"; do
  start=$SECONDS
  if PYTHONDONTWRITEBYTECODE=1 python3 "tools/checks/$name.py" >"$log" 2>&1; then
    grep '^question: ' "$log" || true
    printf '%-8s OK  %s (%ds)\n' "$name" "$(grep -v '^question: ' "$log" | tail -n 1)" $((SECONDS - start))
  else
    cat "$log"
    printf '%-8s FAILED (%ds)\n' "$name" $((SECONDS - start))
    failed+=("$name")
  fi
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
echo OK
