"""Files that the benchmarks read, and scripts that have no suffix."""
import importlib.machinery
import importlib.util
import json
import os
import sys


def load_json(path):
    """The parsed file, or an empty dict where there is none."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def script(path):
    """A script without a suffix, as a module."""
    name = "script_" + os.path.basename(path)
    loader = importlib.machinery.SourceFileLoader(name, os.fspath(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module  # where dataclasses look for it
    loader.exec_module(module)
    return module
