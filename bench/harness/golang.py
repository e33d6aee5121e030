"""Go: which one, and the benchmark programs in it."""
import os
import shutil
import subprocess

TIMEOUT_SECONDS = 300
FOLDERS = ("/usr/lib/go-1.23/bin", "/usr/local/go/bin")  # newer than the one in PATH


def find():
    """The newest Go there is, or None."""
    for folder in FOLDERS:
        if os.path.exists(os.path.join(folder, "go")):
            return os.path.join(folder, "go")
    return shutil.which("go")


def version(go):
    """As in "1.19.8"."""
    done = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True,
                          env=dict(os.environ, GOTOOLCHAIN="local"))
    return done.stdout.strip().removeprefix("go")


def build(go, source, folder):
    """The program whose files are in `source`, built in `folder`."""
    program = os.path.join(folder, "program_go")
    env = dict(os.environ, GOCACHE=os.path.join(folder, "cache"), GOFLAGS="-mod=mod",
               GOTOOLCHAIN="local", HOME=folder)
    subprocess.run([go, "build", "-o", program, "."], cwd=source, env=env, check=True,
                   timeout=TIMEOUT_SECONDS)
    return program
