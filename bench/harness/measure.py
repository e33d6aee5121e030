"""Runs one workload under one allocator and reads what it took."""
import hashlib
import json
import os
import subprocess
import tempfile

TIMEOUT_SECONDS = 120


class RunFailed(Exception):
    """A run that crashed, timed out or printed no figures."""


def clean_environment():
    """The environment without settings that would change an allocator's behaviour."""
    prefixes = ("BURROW_", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "LD_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}
    kept["LC_ALL"] = "C"
    return kept


def _run(build, workload, allocator, cpus, arguments):
    """Starts a run through `spawn`. Returns its completed process and the text of its figures."""
    pinned = ["taskset", "-c", cpus] if cpus else []
    settings = ["%s=%s" % pair for pair in workload.settings] + allocator.environment()
    with tempfile.TemporaryFile() as figures:
        descriptor = figures.fileno()
        command = [*pinned, os.path.join(build, "bench", "spawn"), str(descriptor), *settings,
                   "--", *workload.command, *arguments]
        try:
            done = subprocess.run(command, env=clean_environment(),
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  pass_fds=(descriptor,), timeout=TIMEOUT_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise RunFailed("no end after %d s" % TIMEOUT_SECONDS) from error
        figures.seek(0)
        return done, figures.read().decode()


def error_output(build, workload, allocator, arguments):
    """What a run writes to standard error."""
    done, _ = _run(build, workload, allocator, None, arguments)
    return done.stderr.decode(errors="replace")


def run_once(build, workload, allocator, cpus=None, arguments=()):
    """One run. Returns a dict: wall, user, sys, peak_kib, output (a digest for a real program),
    and the program's own figures. Raises RunFailed."""
    done, text = _run(build, workload, allocator, cpus, arguments)
    if not text:
        raise RunFailed(done.stderr.decode(errors="replace").strip()[-300:] or "no figures")
    result = json.loads(text)
    if result.pop("status") != 0:
        raise RunFailed(done.stderr.decode(errors="replace").strip()[-300:] or "it failed")
    if workload.real:
        result["output"] = hashlib.sha256(done.stdout).hexdigest()[:16]
    else:
        result.update(json.loads(done.stdout))
    return result
