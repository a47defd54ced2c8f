"""Every trainer for every task, with every fitted transform: onnxruntime and `mlflow.pyfunc` must
say what the trainer said, within 1e-6 (numbers: relative). The example `packages` of the crate
`learn` trains them and writes down its answers."""
import glob
import json
import os
import subprocess
import tempfile

import mlflow.pyfunc
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest


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


def trained():
    """The folders of the packages."""
    folder = tempfile.mkdtemp()
    example = os.path.join(os.path.dirname(os.environ["FETTLE_BIN"]), "examples", "packages")
    subprocess.run([example, folder], check=True)
    return sorted(glob.glob(f"{folder}/*"))


@pytest.mark.parametrize("folder", trained(), ids=os.path.basename)
def test_others_read_the_package_as_it_was_trained(folder):
    with open(f"{folder}/rows.json") as file:
        rows = json.load(file)
    with open(f"{folder}/expected.json") as file:
        expected = json.load(file)
    onnx.checker.check_model(onnx.load(f"{folder}/model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
    feed = feeds(session, rows)
    names = [port.name for port in session.get_outputs()]
    assert difference(dict(zip(names, session.run(None, feed))), expected) <= 1e-6
    # As a user has it: whole numbers as int64, text in whatever type pandas likes best.
    table = pd.DataFrame(feed)
    for name in table.columns:
        if table[name].dtype == np.float64 and (table[name] % 1 == 0).all():
            table[name] = table[name].astype(np.int64)
    assert difference(mlflow.pyfunc.load_model(folder).predict(table), expected) <= 1e-6
    with open(f"{folder}/input_example.json") as file:
        assert list(json.load(file)["columns"]) == [port.name for port in session.get_inputs()]
