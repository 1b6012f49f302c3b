"""SALib on the rows that Flashpoint wrote: `time ROWS RESAMPLES`, or `agree FOLDER TABLE`."""

import csv
import math
import resource
import sys
import time

import numpy as np
from SALib.analyze import sobol

FUNCTIONS = {
    "ishigami": (
        [-math.pi, math.pi],
        lambda x: np.sin(x[:, 0]) * (1 + 0.1 * x[:, 2] ** 4) + 7 * np.sin(x[:, 1]) ** 2,
    ),
    "sobol_g": (
        [0.0, 1.0],
        lambda x: np.prod(
            (np.abs(4 * x - 2) + (a := np.array([0, 1, 4.5, 9, 99, 99, 99, 99]))) / (1 + a), axis=1
        ),
    ),
    "linear": ([0.0, 1.0], lambda x: x @ np.array([5.0, 4, 3, 2, 1])),
}


def problem(d, bounds):
    return {"num_vars": d, "names": [f"x{i + 1}" for i in range(d)], "bounds": [bounds] * d}


def time_one(rows, resamples):
    data = np.loadtxt(rows, delimiter=",")
    d = data.shape[1] - 1
    wall, cpu = time.perf_counter(), time.process_time()
    sobol.analyze(problem(d, [0.0, 1.0]), data[:, d], calc_second_order=True, num_resamples=resamples, seed=1)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def agree(folder, table):
    """S1 and ST of the plain design are the same estimator; with pairs Flashpoint averages both ways to compute each index,
    so the two differ by Monte Carlo error: within 5 standard errors of Flashpoint's, or 0.002."""
    wrong = False
    lines = []
    for name, (bounds, function) in FUNCTIONS.items():
        for kind in ["plain", "pairs"]:
            data = np.loadtxt(f"{folder}/{name}-{kind}.csv", delimiter=",")
            x, y = data[:, :-1], data[:, -1]
            d = x.shape[1]
            assert np.allclose(function(x), y, rtol=1e-9, atol=1e-9), name
            found = sobol.analyze(
                problem(d, bounds), y, calc_second_order=kind == "pairs", num_resamples=100, seed=1
            )
            theirs = {f"S1 x{i + 1}": found["S1"][i] for i in range(d)}
            theirs |= {f"ST x{i + 1}": found["ST"][i] for i in range(d)}
            if kind == "pairs":
                theirs |= {f"S2 x{i + 1} x{j + 1}": found["S2"][i, j] for i in range(d) for j in range(i + 1, d)}
            with open(f"{folder}/{name}-{kind}-flashpoint.csv") as file:
                ours = {row["index"]: row for row in csv.DictReader(file)}
            assert ours.keys() == theirs.keys(), (ours.keys(), theirs.keys())
            for order in ["S1", "ST", "S2"]:
                keys = [key for key in theirs if key.startswith(order)]
                if not keys:
                    continue
                apart = max(abs(theirs[key] - float(ours[key]["value"])) for key in keys)
                limit = max(5 * float(ours[key]["standard_error"]) for key in keys)
                limit = 2e-4 if kind == "plain" else max(limit, 0.002)
                wrong |= apart > limit
                lines.append([name, kind, order, len(keys), len(y), f"{apart:.2e}", f"{limit:.2e}"])
    header = ["function", "design", "index", "indices", "rows", "largest_difference", "allowed"]
    with open(table, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(lines)
    for line in [header, *lines]:
        print(*(str(cell).ljust(20) for cell in line))
    if wrong:
        sys.exit("SALib and Flashpoint do not agree")


if __name__ == "__main__":
    if sys.argv[1] == "time":
        time_one(sys.argv[2], int(sys.argv[3]))
    else:
        agree(sys.argv[2], sys.argv[3])
