"""Indexes Python's own library: every function and class, with its signature and its first line.

usage: demo_index.py [FILES]. What ./dev demo runs under Burrow: an ordinary script on real files.
"""
import ast
import collections
import json
import os
import sys


def signature(node):
    return f"{node.name}({ast.unparse(node.args)})" if hasattr(node, "args") else node.name


def index_file(path, index):
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = (ast.get_docstring(node) or "").partition("\n")[0]
            index[node.name].append({"file": path, "line": node.lineno, "text": first,
                                     "signature": signature(node)})


def modules(folder):
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - {"test", "tests", "dist-packages", "site-packages"})
        yield from (os.path.join(parent, name) for name in sorted(files) if name.endswith(".py"))


def main(limit):
    files = list(modules(os.path.dirname(os.__file__)))[:limit]
    index = collections.defaultdict(list)
    for path in files:
        index_file(path, index)
    text = json.dumps(index, indent=1)
    assert json.loads(text) == index
    print(f"{len(files)} files, {len(index)} names, {len(text)} characters of index")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
