"""Makes a small model package by hand, in the shape that Fettle writes: rank-1 inputs in double
precision or text, rank-1 outputs, fitted transforms inside the graph. It is the fixture of
crates/serving/tests, made with scikit-learn and checked by onnxruntime, so that the server is
tested against a package that Fettle's own writer had no part in.

    venv/bin/python tests/onnx/package.py crates/serving/tests/fixtures/penguins
"""

import json
import math
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from palmerpenguins import load_penguins
from sklearn.linear_model import LogisticRegression

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
TEXTS = ["island", "sex"]


def fitted():
    table = load_penguins()
    numbers = table[NUMBERS].astype(float)
    median, mean, spread = numbers.median(), numbers.fillna(numbers.median()).mean(), numbers.std()
    scaled = ((numbers.fillna(median) - mean) / spread).to_numpy(np.float32)
    levels = {name: sorted(table[name].dropna().unique()) for name in TEXTS}
    ones = [np.stack([(table[name] == level) for level in levels[name]], 1).astype(np.float32) for name in TEXTS]
    model = LogisticRegression(max_iter=500).fit(np.concatenate([scaled, *ones], 1), table.species)
    return table, median, mean, spread, levels, model


def graph(median, mean, spread, levels, model):
    nodes, constants, parts = [], [], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output] if isinstance(output, str) else output, **attributes))
        return output

    column = constant("column", np.array([-1, 1], np.int64))
    for name in NUMBERS:
        missing = node("IsNaN", [name], f"{name}.missing")
        filled = node("Where", [missing, constant(f"{name}.median", np.float64(median[name])), name], f"{name}.filled")
        centred = node("Sub", [filled, constant(f"{name}.mean", np.float64(mean[name]))], f"{name}.centred")
        scaled = node("Div", [centred, constant(f"{name}.spread", np.float64(spread[name]))], f"{name}.scaled")
        single = node("Cast", [scaled], f"{name}.single", to=TensorProto.FLOAT)
        parts.append(node("Reshape", [single, column], f"{name}.column"))
    for name in TEXTS:
        encoded = node("OneHotEncoder", [name], f"{name}.ones", cats_strings=levels[name], domain="ai.onnx.ml")
        parts.append(encoded)
    features = node("Concat", parts, "features", axis=1)
    classes = list(model.classes_)
    node(
        "LinearClassifier",
        [features],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        coefficients=model.coef_.reshape(-1).astype(np.float32).tolist(),
        intercepts=model.intercept_.astype(np.float32).tolist(),
        classlabels_strings=classes,
        post_transform="SOFTMAX",
        multi_class=1,
    )
    flat = constant("flat", np.array([-1], np.int64))
    for at, name in enumerate(classes):
        one = node("Gather", ["probabilities", constant(f"place_{at}", np.array([at], np.int64))], f"share_{at}", axis=1)
        node("Reshape", [one, flat], f"probability_{name}")
    inputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None]) for name in NUMBERS]
    inputs += [helper.make_tensor_value_info(name, TensorProto.STRING, [None]) for name in TEXTS]
    outputs = [helper.make_tensor_value_info("label", TensorProto.STRING, [None])]
    outputs += [helper.make_tensor_value_info(f"probability_{name}", TensorProto.FLOAT, [None]) for name in classes]
    body = helper.make_graph(nodes, "penguins", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(body, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(made)
    return made, classes


def main(folder):
    os.makedirs(folder, exist_ok=True)
    table, median, mean, spread, levels, model = fitted()
    made, classes = graph(median, mean, spread, levels, model)
    raw = made.SerializeToString()
    session = onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
    feed = {name: table[name].to_numpy(np.float64) for name in NUMBERS}
    feed |= {name: table[name].fillna("").to_numpy(object) for name in TEXTS}
    answers = dict(zip([o.name for o in session.get_outputs()], session.run(None, feed)))
    agree = float((answers["label"] == table.species.to_numpy(object)).mean())
    print(f"accuracy {agree:.4f} on {len(table)} rows, {len(raw)} bytes")

    def cell(value):
        if isinstance(value, str):
            return value
        value = float(value)
        return value if math.isfinite(value) else None

    row = 8  # its sex is missing
    golden = {
        "inputs": {name: cell(table[name][row]) for name in NUMBERS + TEXTS},
        "outputs": {name: cell(values[row]) for name, values in answers.items()},
    }
    card = {
        "format": 1,
        "task": "multiclass",
        "target": "species",
        "classes": classes,
        "signature": {
            "inputs": [{"name": name, "kind": "number", "required": True} for name in NUMBERS]
            + [{"name": name, "kind": "text", "required": name != "sex"} for name in TEXTS],
            "outputs": [{"name": "label", "kind": "text"}]
            + [{"name": f"probability_{name}", "kind": "number"} for name in classes],
        },
        "recipe": None,
        "trainer": {"kind": "train_linear", "params": {}},
        "features": NUMBERS + [f"{name}={level}" for name in TEXTS for level in levels[name]],
        "golden": golden,
    }
    spec = lambda name, kind: {"name": name, "type": "tensor", "tensor-spec": {"dtype": kind, "shape": [-1]}}
    signature = {
        "inputs": [spec(name, "float64") for name in NUMBERS] + [spec(name, "str") for name in TEXTS],
        "outputs": [spec("label", "str")] + [spec(f"probability_{name}", "float32") for name in classes],
    }
    mlmodel = "\n".join(
        [
            "flavors:",
            "  onnx:",
            "    code: null",
            "    data: model.onnx",
            "    onnx_version: 1.23.2",
            "    providers:",
            "    - CPUExecutionProvider",
            "  python_function:",
            "    data: model.onnx",
            "    env:",
            "      conda: conda.yaml",
            "      virtualenv: python_env.yaml",
            "    loader_module: mlflow.onnx",
            "    python_version: 3.11.7",
            "mlflow_version: 3.17.2",
            "model_uuid: 00000000000000000000000000000000",
            "signature:",
            f"  inputs: '{json.dumps(signature['inputs'])}'",
            f"  outputs: '{json.dumps(signature['outputs'])}'",
            "  params: null",
            "utc_time_created: '2026-01-01 00:00:00.000000'",
            "",
        ]
    )
    files = {
        "MLmodel": mlmodel,
        "fettle.json": json.dumps(card, indent=1) + "\n",
        "requirements.txt": "mlflow-skinny\nonnx\nonnxruntime\n",
        "conda.yaml": "name: model\nchannels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip\n- pip:\n  - mlflow-skinny\n  - onnx\n  - onnxruntime\n",
        "python_env.yaml": "python: 3.11.7\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n",
        "rows.json": json.dumps(
            {
                "inputs": {name: [cell(v) for v in table[name][::7].tolist()] for name in NUMBERS + TEXTS},
                "outputs": {name: [cell(v) for v in values[::7].tolist()] for name, values in answers.items()},
            }
        )
        + "\n",
    }
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.write(raw)


if __name__ == "__main__":
    main(sys.argv[1])
