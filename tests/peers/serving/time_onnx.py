"""Prints how long one row takes in onnxruntime itself, median, in ms: no server, no network."""

import json
import statistics
import sys
import time

import onnxruntime
from rows import columns

model, row = sys.argv[1], json.loads(sys.argv[2])
session = onnxruntime.InferenceSession(model)
times = []
for _ in range(3_000):
    start = time.perf_counter()
    session.run(None, columns(session, [row]))
    times.append(time.perf_counter() - start)
print(statistics.median(times[500:]) * 1e3)
