"""Python's multiprocessing locks, by their own clock: `locks.py WHAT COUNT` prints milliseconds. Run by sync.ts."""
import json
import sys
import time
from multiprocessing import Lock, Process, RLock, Semaphore, Value

what, count = sys.argv[1], int(sys.argv[2])


def uncontended(lock):
    start = time.perf_counter()
    for _ in range(count):
        lock.acquire()
        lock.release()
    return (time.perf_counter() - start) * 1000


def hammer(ready, go, lock, counter, times, took):
    ready.release()
    go.acquire()
    start = time.perf_counter()
    for _ in range(times):
        with lock:
            counter.value += 1
    took.value = (time.perf_counter() - start) * 1000


def contended():
    lock, counter = Lock(), Value('i', 0, lock=False)
    ready, go = Semaphore(0), Semaphore(0)
    took = [Value('d', 0, lock=False) for _ in range(2)]
    both = [Process(target=hammer, args=(ready, go, lock, counter, count // 2, one)) for one in took]
    for one in both:
        one.start()
    for _ in both:
        ready.acquire()
    for _ in both:
        go.release()
    for one in both:
        one.join()
    assert counter.value == count // 2 * 2
    return max(one.value for one in took)


def answer(ping, pong, times):
    for _ in range(times):
        ping.acquire()
        pong.release()


def handoffs():
    ping, pong = Semaphore(0), Semaphore(0)
    other = Process(target=answer, args=(ping, pong, count))
    other.start()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        ping.release()
        pong.acquire()
        times.append((time.perf_counter() - start) * 1000)
    other.join()
    return times


kinds = {'Lock': Lock, 'RLock': RLock, 'Semaphore': Semaphore}
if what in kinds:
    print(json.dumps(uncontended(kinds[what]())))
else:
    print(json.dumps(contended() if what == 'contended' else handoffs()))
