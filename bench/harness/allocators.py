"""The allocators compared: where they are, what version they are, how a program gets them."""
import dataclasses
import os
import re
import subprocess

# Name in the tables, soname, Debian package.
PEERS = [
    ("mimalloc", "libmimalloc.so.2", "libmimalloc2.0"),
    ("jemalloc", "libjemalloc.so.2", "libjemalloc2"),
    ("tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
]

OURS = "burrow"
OURS_UNPROFILED = "burrow-off"
DEFAULT_RATE = "524288"


@dataclasses.dataclass(frozen=True)
class Allocator:
    """One way to run a program: a library to preload (or none) and environment settings."""

    name: str
    version: str
    library: str = ""
    settings: tuple = ()

    def environment(self):
        """The variables that put this allocator under a program, as NAME=VALUE strings."""
        preload = ["LD_PRELOAD=" + self.library] if self.library else []
        return preload + ["%s=%s" % pair for pair in self.settings]


def _loader_paths():
    """Soname to path, as the dynamic loader knows them."""
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    found = re.findall(r"^\s*(\S+) \(.*x86-64.*\) => (\S+)$", listing.stdout, re.MULTILINE)
    paths = {}
    for soname, path in found:
        paths.setdefault(soname, path)
    return paths


def library(name):
    """The path of a peer's library, or None."""
    return next((_loader_paths().get(soname) for peer, soname, _ in PEERS if peer == name), None)


def _package_version(package):
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                           capture_output=True, text=True, check=False)
    return query.stdout or "version unknown"


def available(library):
    """All allocators found here, glibc first, ours (the file `library`) last if it is built."""
    found = [Allocator("glibc", os.confstr("CS_GNU_LIBC_VERSION").split()[-1])]
    paths = _loader_paths()
    for name, soname, package in PEERS:
        if soname in paths:
            found.append(Allocator(name, _package_version(package), paths[soname]))
        else:
            print("%s is left out: apt-get install %s" % (name, package))
    if os.path.exists(library):
        path = os.path.abspath(library)
        found.append(Allocator(OURS, "this tree", path, (("BURROW_PROFRATE", DEFAULT_RATE),)))
        found.append(Allocator(OURS_UNPROFILED, "this tree", path, (("BURROW_PROFRATE", "0"),)))
    else:
        print("burrow is left out: build it first (./dev build), or give --lib PATH")
    return found
