"""Words, regular expressions and growing strings."""
import collections
import re
import sys


def make_text(lines):
    state = 12345
    for _ in range(lines):
        words = []
        for _ in range(12):
            state = (state * 1103515245 + 12345) % 2147483648
            words.append("w%d" % (state >> 16 & 4095))
        yield " ".join(words) + ", key=%d; value='%x'" % (state % 97, state)


def main(lines):
    counts = collections.Counter()
    pairs = collections.defaultdict(list)
    pattern = re.compile(r"key=(\d+); value='([0-9a-f]+)'")
    out = []
    for line in make_text(lines):
        head, _, _ = line.partition(",")
        words = head.split()
        counts.update(words)
        match = pattern.search(line)
        pairs[match.group(1)].append(match.group(2))
        out.append(line.replace("w", "word-").upper())
        if len(out) == 5000:
            out = ["\n".join(out)[:4096]]
    print(len(counts), len(pairs), sum(map(len, out)))


main(int(sys.argv[1]) if len(sys.argv) > 1 else 40000)
