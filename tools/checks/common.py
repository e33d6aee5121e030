"""What the checks share: the tracked files of a tree, and results remembered by content."""
import argparse
import hashlib
import os
import pathlib
import re
import subprocess

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


def arguments(description, **more):
    """The command line of a check: --root DIR, and what `more` adds (name: default)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", default=".", type=lambda text: pathlib.Path(text).resolve())
    for name, default in more.items():
        parser.add_argument(f"--{name}", default=default)
    return parser.parse_args()


def tracked(root, *patterns):
    """The files under version control that match, as absolute paths (new ones included)."""
    done = subprocess.run(
        # A clone may belong to another user than root, who tests it.
        ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "--", *patterns],
        cwd=root, capture_output=True, text=True, check=True)
    paths = (root / line for line in sorted(set(done.stdout.splitlines())))
    return [path for path in paths if path.is_file()]


def own_headers(path, root, seen):
    """Adds to `seen` the file and all headers of ours that it reaches."""
    path = path.resolve()
    if path in seen or not path.is_file():
        return
    seen.add(path)
    for name in INCLUDE.findall(path.read_text(errors="replace")):
        for folder in (path.parent, root / "src", root / "include"):
            if (folder / name).is_file():
                own_headers(folder / name, root, seen)
                break


def stamp(cache, path, root, *more):
    """The file whose existence says that this content was found clean before."""
    seen = set()
    own_headers(path, root, seen)
    digest = hashlib.sha256("\0".join(more).encode())
    for file in sorted(seen):
        digest.update(os.path.relpath(file, root).encode() + b"\0" + file.read_bytes())
    cache.mkdir(parents=True, exist_ok=True)
    return cache / digest.hexdigest()


def strip_comments(text):
    """C++ text without its comments (strings are kept; a // inside one ends the line's code)."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return re.sub(r"(?<!:)//[^\n]*", "", text)
