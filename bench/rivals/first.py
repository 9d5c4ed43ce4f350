"""The same as first.mjs for Python's multiprocessing.Pool, whose workers are forked. Run by start.ts."""
import json
import time

start = time.perf_counter()
from multiprocessing import Pool

between = time.perf_counter()
pool = Pool(2)
pool.apply(abs, (7,))
print(json.dumps([(between - start) * 1000, (time.perf_counter() - between) * 1000]))
pool.terminate()
