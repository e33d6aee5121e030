"""What the plugin's tests share: running a command, and tests whose figures can be kept."""
import json
import pathlib
import subprocess
import sys
import unittest


def run(*command):
    """Runs it to its end; what it said is the error's text when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done


def take_results_file():
    """Takes "--results FILE" off the command line; None where it is not there."""
    if "--results" not in sys.argv:
        return None
    at = sys.argv.index("--results")
    path = pathlib.Path(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    return path


def main(results, path):
    """Runs the module's tests, prints the figures that they put into `results` and keeps them."""
    done = unittest.main(module="__main__", verbosity=2, exit=False)
    text = json.dumps(results, indent=1, sort_keys=True)
    print(text)
    if path:
        path.write_text(text + "\n")
    sys.exit(not done.result.wasSuccessful())
