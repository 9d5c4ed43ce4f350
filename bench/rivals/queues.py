"""multiprocessing.Queue beside plait's: an echo in a child process. Asked over stdin by bench/queue.ts."""
import json
import sys
import time
from multiprocessing import Process, Queue


def echo(to, back):
    while True:
        item = to.get()
        if item is None:
            return
        back.put(item)


def through(to, back, count):
    """All are put, then all are taken."""
    start = time.perf_counter()
    for i in range(count):
        to.put({"id": i, "args": [i]})
    for _ in range(count):
        back.get()
    return (time.perf_counter() - start) * 1000


def trips(to, back, count):
    times = []
    for i in range(count):
        start = time.perf_counter()
        to.put({"id": i, "args": [i]})
        back.get()
        times.append((time.perf_counter() - start) * 1000)
    return times


if __name__ == "__main__":
    to, back = Queue(), Queue()
    child = Process(target=echo, args=(to, back), daemon=True)
    child.start()
    for line in sys.stdin:
        what, count = json.loads(line)
        print(json.dumps((through if what == "through" else trips)(to, back, count)), flush=True)
    to.put(None)
    child.join()
