#!/bin/bash
# Installs Go 1.23 beside Debian 12's own Go, for `./dev bench goroutines`: from the backports of a
# Debian mirror that apt is configured to use, where it serves them. Changes nothing else.
set -euo pipefail

mirror=$(apt-cache policy | grep -oE 'https?://[^ ]+/debian/? bookworm/main' | head -n1 | cut -d' ' -f1)
if [ -z "$mirror" ]; then
  echo "go_backport: apt knows no mirror of Debian 12; install Go 1.23 by hand" >&2
  exit 1
fi
if ! curl -sfI --max-time 20 "${mirror%/}/dists/bookworm-backports/InRelease" >/dev/null; then
  echo "go_backport: $mirror does not serve bookworm-backports; the Go in PATH will be used" >&2
  exit 1
fi
cat >/etc/apt/sources.list.d/bookworm-backports.sources <<TEXT
Types: deb
URIs: $mirror
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
TEXT
apt-get update -q
# Backports have a low priority: nothing that is installed is replaced by them.
apt-get install -y -q --no-install-recommends golang-1.23-go
/usr/lib/go-1.23/bin/go version
