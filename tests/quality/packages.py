"""Asks onnxruntime and MLflow what the trainers were asked: usage `python packages.py`.

Runs the example `packages`, then for each package: onnx.checker, onnxruntime, `mlflow.pyfunc` and
`mlflow.onnx` must load it and agree with the trainer within 1e-6 (numbers: relative)."""
import glob
import json
import os
import subprocess
import sys
import tempfile

import mlflow.onnx
import mlflow.pyfunc
import numpy as np
import onnx
import onnxruntime
import pandas as pd


def feeds(session, rows):
    out = {}
    for port in session.get_inputs():
        values = [row[port.name] for row in rows]
        if port.type == "tensor(string)":
            out[port.name] = np.array(["" if value is None else value for value in values], dtype=object)
        else:
            out[port.name] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return out


def difference(found, expected):
    if "numbers" in expected:
        truth = np.array(expected["numbers"])
        return np.max(np.abs(found["prediction"] - truth) / np.maximum(1, np.abs(truth)))
    p = np.array(expected["probabilities"]).reshape(-1, expected["classes"])
    labels = np.array(expected["names"])[p.argmax(1)]
    ours = [str(label) for label in found["label"]]
    # A label may differ only where two probabilities are the same to the last digits.
    top = np.sort(p, 1)
    clear = top[:, -1] - top[:, -2] > 1e-6
    assert (np.array(ours) == labels)[clear].all(), "labels differ"
    found = np.stack([np.asarray(found["probability_" + name]) for name in expected["names"]], 1)
    return np.max(np.abs(found - p))


def check(folder):
    rows = json.load(open(f"{folder}/rows.json"))
    expected = json.load(open(f"{folder}/expected.json"))
    onnx.checker.check_model(onnx.load(f"{folder}/model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
    feed = feeds(session, rows)
    names = [port.name for port in session.get_outputs()]
    by_onnx = difference(dict(zip(names, session.run(None, feed))), expected)
    # As a user has it: whole numbers as int64, text in whatever type pandas likes best.
    table = pd.DataFrame(feed)
    for name in table.columns:
        if table[name].dtype == np.float64 and (table[name] % 1 == 0).all():
            table[name] = table[name].astype(np.int64)
    by_pyfunc = difference(mlflow.pyfunc.load_model(folder).predict(table), expected)
    assert mlflow.onnx.load_model(folder).graph.name == "fettle"
    example = json.load(open(f"{folder}/input_example.json"))
    assert list(example["columns"]) == [port.name for port in session.get_inputs()]
    return by_onnx, by_pyfunc


def main():
    root = os.environ.get("FETTLE_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with tempfile.TemporaryDirectory() as folder:
        run = ["cargo", "run", "-q", "-p", "learn", "--example", "packages", "--", folder]
        subprocess.run(run, cwd=root, check=True)
        worst = 0.0
        for package in sorted(glob.glob(f"{folder}/*")):
            by_onnx, by_pyfunc = check(package)
            worst = max(worst, by_onnx, by_pyfunc)
            print(f"{os.path.basename(package):22} onnxruntime {by_onnx:.1e}  mlflow.pyfunc {by_pyfunc:.1e}")
    print(f"largest difference {worst:.1e}")
    sys.exit(0 if worst <= 1e-6 else 1)


if __name__ == "__main__":
    main()
