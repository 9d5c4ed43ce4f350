"""Python's multiprocessing.Pool for the benchmarks. Reads one request a line, as JSON: [what, count, workers];
answers each with one line: milliseconds, or a list of them. Started by rivals.ts; imports nothing but Python's own."""
import json
import sys
import time
from multiprocessing import Pool
from multiprocessing.pool import ThreadPool


def square(x):
    return x * x


def turn(item):
    return {"id": item["id"], "ok": not item["ok"]}


def all_at_once(pool, count):
    for result in [pool.apply_async(square, (i,)) for i in range(count)]:
        result.get()


def awaiters(pool, count):
    def awaiter(_):
        for i in range(count // 64):
            pool.apply(square, (i,))

    with ThreadPool(64) as threads:
        threads.map(awaiter, range(64), 1)


def trips(pool, count):
    times = []
    for i in range(count):
        start = time.perf_counter()
        pool.apply(square, (i,))
        times.append((time.perf_counter() - start) * 1000)
    return times


def numbers(pool, items):
    pool.map(square, items)


def objects(pool, items):
    pool.map(turn, items)


inputs = {
    "numbers": lambda count: list(range(count)),
    "objects": lambda count: [{"id": i, "ok": i % 2 == 0} for i in range(count)],
}


def main():
    pools = {}
    for line in sys.stdin:
        what, count, workers = json.loads(line)
        pool = pools.get(workers) or pools.setdefault(workers, Pool(workers))
        work = inputs.get(what, lambda count: count)(count)
        start = time.perf_counter()
        answer = {"all": all_at_once, "awaiters": awaiters, "trips": trips, "numbers": numbers, "objects": objects}[
            what
        ](pool, work)
        ms = (time.perf_counter() - start) * 1000
        print(json.dumps(ms if answer is None else answer), flush=True)
    for pool in pools.values():
        pool.terminate()


if __name__ == "__main__":
    main()
