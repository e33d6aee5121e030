"""A script that uses many parts of Python's library; prints what it found."""
import ast
import collections
import concurrent.futures
import decimal
import gc
import hashlib
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
import zlib

FOLDER = pathlib.Path(json.__file__).parent.parent


def sources():
    return sorted(path for path in FOLDER.glob("*.py"))[:60]


def count_names():
    counts = collections.Counter()
    for path in sources():
        tree = ast.parse(path.read_text())
        counts.update(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return counts.most_common(10)


def compress():
    data = b"".join(path.read_bytes() for path in sources())
    packed = zlib.compress(data, 6)
    assert zlib.decompress(packed) == data
    return len(data), hashlib.sha256(packed).hexdigest()


def query():
    db = sqlite3.connect(":memory:")
    db.execute("create table t (k integer primary key, word text)")
    words = re.findall(r"\w+", "\n".join(path.read_text() for path in sources()[:20]))
    db.executemany("insert into t (word) values (?)", [(word,) for word in words])
    return db.execute("select word, count(*) c from t group by word order by c desc, word limit 5").fetchall()


def threads():
    lock = threading.Lock()
    found = {}

    def work(i):
        text = json.dumps([{"n": n, "t": str(n) * (n % 40)} for n in range(i, i + 500)])
        with lock:
            found[i] = hashlib.md5(json.dumps(json.loads(text)).encode()).hexdigest()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(0, 20000, 500)))
    return hashlib.md5(repr(sorted(found.items())).encode()).hexdigest()


def digits():
    decimal.getcontext().prec = 2000
    return str(decimal.Decimal(2).sqrt())[-20:]


def children():
    out = [subprocess.run([sys.executable, "-c", f"print(sum(range({n})))"], capture_output=True,
                          text=True, check=True).stdout for n in (10, 1000)]
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return out, list(pool.map(abs, range(-20, 0)))


if __name__ == "__main__":
    for step in (count_names, compress, query, threads, digits, children):
        print(step.__name__, step())
    gc.collect()
    sys.exit(7)
