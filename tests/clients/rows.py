"""Rows for a model directory, made from what its own graph reads: the columns of `rows.json` if
the directory has one, else its golden row and random numbers in the ranges of its baseline."""

import json
import math
import os

import numpy as np
import onnxruntime


def session(folder):
    return onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), providers=["CPUExecutionProvider"])


def levels(recipe):
    """The texts that the fitted transforms know, by column."""
    known = {}
    for op in (recipe or {}).get("ops", []) if isinstance(recipe, dict) else []:
        found = op if "levels" in op else next((v for v in op.values() if isinstance(v, dict) and "levels" in v), None)
        if found and "column" in found:
            known[found["column"]] = [str(level) for level in found["levels"]]
    return known


def make(folder, count=1000, seed=1):
    """Columns by name: numbers with NaN for missing, texts with the empty one for missing."""
    random = np.random.default_rng(seed)
    inputs = session(folder).get_inputs()
    rows_file = os.path.join(folder, "rows.json")
    if os.path.exists(rows_file):
        with open(rows_file) as file:
            given = json.load(file)["inputs"]
        size = len(next(iter(given.values())))
        take = random.integers(0, size, count)
        pick = lambda name: [given[name][i] for i in take]
    else:
        with open(os.path.join(folder, "fettle.json")) as file:
            card = json.load(file)
        golden = card["golden"]["inputs"]
        profile = (card.get("baseline") or {}).get("columns") or []
        profile = {c["name"]: c for c in profile} if isinstance(profile, list) else profile
        known = levels(card.get("recipe"))

        def pick(name):
            column, value = profile.get(name, {}), golden.get(name)
            missing = random.random(count) < 0.05
            top = [t["value"] for t in column.get("top") or []] or known.get(name)
            if isinstance(value, str) or (value is None and top and isinstance(top[0], str)):
                choices = [v for v in (top or [value]) if isinstance(v, str)] + ["never seen before"]
                values = [choices[i] for i in random.integers(0, len(choices), count)]
            else:
                centre = float(value) if value is not None else 0.0
                low, high = column.get("min"), column.get("max")
                low = centre - abs(centre) - 1 if low is None else float(low)
                high = centre + abs(centre) + 1 if high is None else float(high)
                values = random.uniform(low, high, count).tolist()
                if isinstance(value, (bool, int)):
                    values = np.round(values).tolist()
            return [None if gone else v for gone, v in zip(missing, values)]

    columns = {}
    for spec in inputs:
        values = pick(spec.name)
        if "string" in spec.type:
            columns[spec.name] = np.array(["" if v is None else str(v) for v in values], object)
        else:
            columns[spec.name] = np.array([math.nan if v is None else float(v) for v in values], np.float64)
    return columns


def expected(folder, columns):
    """What onnxruntime answers, by output."""
    run = session(folder)
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(string)": object}
    feed = {}
    for spec in run.get_inputs():
        values = columns[spec.name].astype(kinds[spec.type])
        feed[spec.name] = values.reshape(-1, 1) if len(spec.shape) == 2 else values
    return dict(zip([spec.name for spec in run.get_outputs()], run.run(None, feed)))


def compare(what, got, wanted, tolerance=1e-6):
    """Fails on the first difference; returns the largest one of numbers."""
    worst = 0.0
    for name, values in wanted.items():
        have = np.asarray(got[name]).reshape(values.shape)
        if values.dtype.kind in "fiu" and have.dtype.kind in "fiub":
            difference = np.abs(have.astype(np.float64) - values.astype(np.float64))
            scale = np.maximum(np.abs(values.astype(np.float64)), 1.0)
            relative = float((difference / scale).max()) if len(values) else 0.0
            if not relative <= tolerance:
                raise SystemExit(f"{what}: `{name}` differs by {relative:.3g}")
            worst = max(worst, relative)
        else:
            text = lambda v: v.decode() if isinstance(v, bytes) else str(v)
            for row, (a, b) in enumerate(zip(have.reshape(-1).tolist(), values.reshape(-1).tolist())):
                if text(a) != text(b):
                    raise SystemExit(f"{what}: `{name}` of row {row} is {a!r}, expected {b!r}")
    print(f"{what}: {len(next(iter(wanted.values())))} rows agree, largest difference {worst:.1e}")
    return worst
