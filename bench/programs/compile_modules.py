"""Parses and compiles modules of Python's own library: tokens, trees, code objects."""
import ast
import os
import sys

MODULES = ["argparse", "ast", "datetime", "decimal", "difflib", "doctest", "inspect", "pdb",
           "pickle", "subprocess", "tarfile", "typing", "zipfile", "_pydecimal", "turtle"]


def main(count):
    folder = os.path.dirname(os.__file__)
    size = 0
    for name in MODULES[:count]:
        path = os.path.join(folder, name + ".py")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read(), path)
        size += len(ast.dump(tree))
        size += len(compile(tree, path, "exec").co_code)
    print(size)


main(int(sys.argv[1]) if len(sys.argv) > 1 else len(MODULES))
