"""Objects, dictionaries and JSON: an interpreter that makes and drops many small blocks."""
import json
import random
import sys


class Account:
    """A record with a few fields and a history."""

    def __init__(self, number, name):
        self.number = number
        self.name = name
        self.history = []

    def pay(self, amount, note):
        self.history.append({"amount": amount, "note": note})

    def total(self):
        return sum(entry["amount"] for entry in self.history)


def main(count):
    rng = random.Random(1)
    checksum = 0
    kept = {}
    for turn in range(6):
        accounts = [Account(i, "name-%d-%d" % (turn, i)) for i in range(count)]
        for i in range(count * 4):
            accounts[rng.randrange(count)].pay(i, "payment %d" % i)
        text = json.dumps([{"name": a.name, "history": a.history} for a in accounts])
        back = json.loads(text)
        checksum += sum(len(record["history"]) for record in back)
        checksum += sum(a.total() for a in accounts) % 1000003
        kept[turn] = {a.name: a for a in accounts[:: 10]}
    print(checksum, sum(len(v) for v in kept.values()))


main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
