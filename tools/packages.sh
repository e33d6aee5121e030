#!/bin/bash
# Installs the Debian packages of a list (default: tools/packages.txt) that are missing; asks apt
# only when one is. Silent when nothing is missing.
set -euo pipefail
list=${1:-$(dirname "$0")/packages.txt}

die() {
  echo "dev: $*" >&2
  exit 1
}

mapfile -t wanted < <(grep -v '^#' "$list")
command -v dpkg-query >/dev/null ||
  die "this is not a Debian system; install by hand what stands for: ${wanted[*]}"

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || die "run as root: apt-get install ${missing[*]}"
  sudo=(sudo)
fi
echo "dev: installing ${missing[*]}"
# Packages may be found without an update; a fresh machine has no lists, so try again after one.
install=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive
  apt-get install -y -q --no-install-recommends "${missing[@]}")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${install[@]}" >"$log" 2>&1; then
  "${sudo[@]}" apt-get update -q >"$log" 2>&1 || true
  "${install[@]}" >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "apt-get could not install: ${missing[*]}"
  }
fi
