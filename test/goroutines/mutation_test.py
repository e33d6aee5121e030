#!/usr/bin/env python3
"""Plants faults into copies of src/lang, one at a time, and demands that the unit tests find each.

usage: mutation_test.py ROOT BUILD_DIR
"""
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(sys.argv[1]).resolve()
BUILD = pathlib.Path(sys.argv[2]).resolve()
LANG = ROOT / "src/lang"
TIMEOUT_SECONDS = 15  # a lost wake-up may show as a hang

# name: (file, its text, the faulty text, test program, its filter)
FAULTS = {
    "a select stays in the queues of its other channels": (
        "select.cc", "node.queued) {", "false) {", "chan_model_test", "*"),
    "two may serve one select": (
        "wait_queue.h", "node->winner == nullptr ||", "true || node->winner == nullptr ||",
        "chan_model_test", "*"),
    "a timeout wakes a select that was served": (
        "select.cc", "if (self->winner.compare_exchange_strong(none,",
        "if (none == nullptr || self->winner.compare_exchange_strong(none,",
        "select_test", "*Timeouts*"),
    "who waits longest is served last": (
        "chan.cc", "chan->receivers.push_back(node);", "chan->receivers.push_front(node);",
        "chan_model_test", "*"),
    "the lock is given back between the look and the enqueueing": (
        "chan.cc", "chan->senders.push_back(node);",
        "chan->lock.unlock(); sched::yield_now(); chan->lock.lock(); chan->senders.push_back(node);",
        "chan_history_test", "*"),
    "a sender that waited for room loses its value": (
        "chan.cc", "push(sender->element);", "tail = next(tail);", "chan_model_test", "*"),
    "the receiver is woken before its value is there": (
        "chan.cc", "move(transfer.peer->element, value);",
        "WaitNode* peer = transfer.peer; void* to = peer->element; lang::finish(*peer, true); "
        "sched::yield_now(); move(to, value); return;", "chan_history_test", "*"),
    "close forgets those that wait to receive": (
        "chan.cc", "lang::finish_all(receivers, false);", "(void)receivers;", "chan_model_test", "*"),
    "unlock wakes nobody": (
        "sync.cc", "semaphore_release(semaphore);\n      return;", "return;", "sync_test", "*Mutex*"),
}


def link_command(test):
    """The words that link a test program in the build."""
    done = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "-s", "tests/" + test],
                          capture_output=True, text=True, check=True)
    line = [row for row in done.stdout.splitlines() if not row.startswith("ninja:")][-1]
    return [word for word in shlex.split(line) if word not in (":", "&&")]


class Mutation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        entries = json.loads((BUILD / "compile_commands.json").read_text())
        cls.compile = {entry["file"]: entry for entry in entries}

    def build(self, folder, name):
        """The test program with the fault in it."""
        file, right, wrong, test, _ = FAULTS[name]
        copy = folder / "src/lang"
        copy.mkdir(parents=True)
        for path in LANG.glob("*.h"):
            (copy / path.name).write_text(path.read_text())
        text = (LANG / file).read_text()
        self.assertEqual(text.count(right), 1, f"{file}: the text of the fault is not there once")
        text = text.replace(right, wrong)
        (copy / file).write_text(text)
        sources = [file] if file.endswith(".cc") else [
            path.name for path in LANG.glob("*.cc") if not path.stem.endswith("_test")]
        link = link_command(test)
        for source in sources:
            original = LANG / source
            if not (copy / source).exists():
                (copy / source).write_text(original.read_text())
            entry = self.compile[str(original)]
            words = shlex.split(entry["command"])
            target = folder / (source + ".o")
            words[words.index("-o") + 1] = str(target)
            words[words.index("-c") + 1] = str(copy / source)
            words.insert(1, "-I" + str(folder / "src"))
            words.append("-g0")
            subprocess.run(words, cwd=entry["directory"], check=True, timeout=300)
            objects = [i for i, word in enumerate(link) if word.endswith(f"lang.dir/{source}.o")]
            self.assertEqual(len(objects), 1, source)
            link[objects[0]] = str(target)
        program = folder / test
        link[link.index("-o") + 1] = str(program)
        subprocess.run(link, cwd=BUILD, check=True, timeout=300)
        return program

    def status(self, process, started):
        """How the program ended; it has TIMEOUT_SECONDS from its start."""
        try:
            return process.wait(max(0, started + TIMEOUT_SECONDS - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "hangs"

    def test_each_fault_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            running = {}
            # Those that hang do so while the others are built.
            for i, (name, (_, _, _, _, only)) in enumerate(FAULTS.items()):
                program = self.build(pathlib.Path(folder) / str(i), name)
                running[name] = (subprocess.Popen(
                    [program, "--gtest_filter=" + only, "--gtest_fail_fast"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), time.monotonic())
            for name, (process, started) in running.items():
                with self.subTest(name):
                    self.assertNotEqual(self.status(process, started), 0,
                                        "no test finds that " + name)


if __name__ == "__main__":
    del sys.argv[1:]
    unittest.main()
