"""Drift of a large table beside Evidently, in processor time and decisions: usage
`python tests/drift/table.py FETTLE [ROWS]`, with the program `fettle` to measure.

Twenty columns of bell curves, of which every second one has moved by 0.6 standard deviations. Ours: the
new rows are imported, stored and profiled, and compared with the profile of the old ones, which is what a
monitor keeps; the import of the old rows is told beside it. Theirs: `DataDriftPreset` over both tables as they
lie in memory, without reading them. Needs the packages of `requirements.txt` beside this file. Prints one JSON
object."""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy
import pandas
from evidently import Report
from evidently.presets import DataDriftPreset

COLUMNS = 20
MOVED = 0.6


def tables(rows):
    chance = numpy.random.default_rng(1)
    names = [f"c{at}" for at in range(COLUMNS)]
    before = pandas.DataFrame({name: chance.normal(size=rows) for name in names})
    after = pandas.DataFrame({name: chance.normal(size=rows) + MOVED * (at % 2) for at, name in enumerate(names)})
    return before, after


def theirs(before, after):
    begun = time.process_time()
    found = Report([DataDriftPreset()]).run(after, before).dict()
    cpu = time.process_time() - begun
    drifted = []
    for metric in found["metrics"]:
        config = metric.get("config", {})
        if "column" in config and float(metric["value"]) > 0.1:
            drifted.append(config["column"])
    return cpu, drifted


def ours(program, folder):
    def run(*words):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        call = [program, "--json", "-w", os.path.join(folder, "workspace"), *words]
        said = subprocess.run(call, check=True, capture_output=True, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, said

    subprocess.run([program, "workspace", "new", os.path.join(folder, "workspace")], check=True, capture_output=True)
    run("project", "new", "drift")
    old, _ = run("dataset", "import", os.path.join(folder, "before.parquet"), "--name", "rows")
    new, _ = run("dataset", "import", os.path.join(folder, "after.parquet"), "--name", "rows")
    compare, said = run("call", "dataset.compare", json.dumps({"dataset": "rows", "from": 1, "to": 2}))
    columns = json.loads(said)["columns"]
    return old, new + compare, [one["before"]["name"] for one in columns if one["level"] == "alarm"]


def main(program, rows):
    before, after = tables(rows)
    with tempfile.TemporaryDirectory() as folder:
        before.to_parquet(os.path.join(folder, "before.parquet"))
        after.to_parquet(os.path.join(folder, "after.parquet"))
        old, new, drifted = ours(program, folder)
    cpu, their_drifted = theirs(before, after)
    print(json.dumps({
        "rows": rows, "columns": COLUMNS, "oldCpuS": old, "oursCpuS": new, "theirsCpuS": cpu,
        "sameDecisions": sorted(drifted) == sorted(their_drifted), "drifted": len(drifted),
    }))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
