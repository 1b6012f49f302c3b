#!/usr/bin/env python3
"""Reads the Parquet files of a finished batch with programs that have nothing in common with the one that wrote them.

    pip install pyarrow duckdb polars
    flashpoint batch EXPERIMENT --out DIR        (with keep_runs = true)
    python tests/parquet/read.py DIR

Every table is compared with cells.csv, and the single runs with the estimates. Ends with an error on the first difference.
"""

import csv
import json
import math
import sys
from collections import Counter
from pathlib import Path

import duckdb
import polars
import pyarrow.parquet as arrow


def same(text, value):
    """Whether a cell of the CSV says what a cell of the Parquet file holds."""
    if value is None:
        return text == ""
    if isinstance(value, float):
        return math.isclose(float(text), value, rel_tol=0, abs_tol=0)
    return text == str(value)


def check(program, names, rows, expected):
    """Compares a table as `program` reads it with the rows of the CSV."""
    assert names == list(expected[0]), (program, names)
    assert len(rows) == len(expected), (program, len(rows), len(expected))
    for row, wanted in zip(rows, expected):
        for name, value in zip(names, row):
            assert same(wanted[name], value), (program, name, wanted[name], value)


def main(folder):
    cells = folder / "cells.parquet"
    with open(folder / "cells.csv", newline="") as file:
        expected = list(csv.DictReader(file))

    table = arrow.read_table(cells)
    check("pyarrow", table.column_names, [tuple(row.values()) for row in table.to_pylist()], expected)
    metadata = json.loads(table.schema.metadata[b"flashpoint"])
    assert set(metadata["columns"]) == set(table.column_names), metadata
    print("types:", {field.name: str(field.type) for field in table.schema})

    frame = polars.read_parquet(cells)
    check("polars", frame.columns, frame.rows(), expected)

    found = duckdb.sql(f"SELECT * FROM '{cells}'")
    check("duckdb", found.columns, found.fetchall(), expected)

    runs = folder / "runs.parquet"
    if runs.exists():
        counted = Counter()
        total = Counter()
        for cell, endgame, count in duckdb.sql(
            f"SELECT cell, endgame, count(*) FROM '{runs}' GROUP BY ALL"
        ).fetchall():
            counted[cell, endgame] = count
            total[cell] += count
        for row in expected:
            if row["kind"] == "endgame":
                cell = int(row["cell"])
                share = counted[cell, row["quantity"]] / total[cell]
                assert share == float(row["estimate"]), (row, share)
        print("runs:", sum(total.values()), "in", len(total), "cells")
    print("all programs read what was written")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
