"""Runs one peer on request: reads lines "first_seed runs", answers each with "cpu_seconds count_0 ... count_50".

The counts are the histogram of the final sum of levels. Start-up and imports are not timed.
"""

import importlib
import importlib.metadata
import platform
import sys
import time

package = sys.argv[1]
peer = importlib.import_module(f"{package}_ladder")
version = importlib.metadata.version(package.split("_")[0])
print(f"{version}, Python {platform.python_version()}", flush=True)
for line in sys.stdin:
    first, runs = map(int, line.split())
    counts = [0] * 51
    start = time.process_time()
    for seed in range(first, first + runs):
        counts[peer.run(seed)] += 1
    print(time.process_time() - start, *counts, flush=True)
