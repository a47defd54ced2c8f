"""Trains LightGBM, converts the models to ONNX and records LightGBM's own contributions
(`pred_contrib`), as the oracle of crates/learn/tests/contributions.rs.

    python -m venv venv && venv/bin/pip install -r tests/onnx/requirements.txt
    venv/bin/python tests/onnx/contributions.py crates/learn/tests/fixtures

Each model becomes <name>.onnx and <name>.json: the training rows (by which shares of rows are
counted, because the converter does not write them), some rows to explain, and for each of these the
contributions of all features and, last, the expected value; for several classes one such list behind
the other.
"""

import json
import sys
from pathlib import Path

import lightgbm
import numpy as np
from onnxmltools.convert import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

ROWS, WIDTH, EXPLAINED = 400, 6, 25


def rows(seed):
    random = np.random.default_rng(seed)
    X = np.round(random.normal(size=(ROWS, WIDTH)), 2).astype(np.float32)
    X[random.random(X.shape) < 0.05] = np.nan
    return X


def truth(task, X):
    Z = np.nan_to_num(X)
    score = Z[:, 0] * 2 + np.sin(Z[:, 1] * 2) + Z[:, 2] * Z[:, 3]
    if task == "number":
        return score * 3 + 10
    return (score > 0).astype(int) if task == "two" else np.digitize(score, [-1, 1])


def main(folder):
    for seed, task in enumerate(["two", "several", "number"]):
        X = rows(seed)
        kind = lightgbm.LGBMRegressor if task == "number" else lightgbm.LGBMClassifier
        model = kind(n_estimators=20, num_leaves=12, min_child_samples=5, n_jobs=1, verbose=-1, random_state=0)
        model.fit(X, truth(task, X))
        shape = [("input", FloatTensorType([None, WIDTH]))]
        onnx = convert_lightgbm(model.booster_, initial_types=shape, zipmap=False, target_opset=15)
        (folder / f"lightgbm_{task}.onnx").write_bytes(onnx.SerializeToString())
        explained = X[:EXPLAINED]
        case = {
            "width": WIDTH,
            "training": numbers(X),
            "rows": numbers(explained),
            "contributions": model.predict(explained, pred_contrib=True).tolist(),
            "raw": np.atleast_2d(model.predict(explained, raw_score=True).T).T.tolist(),
        }
        (folder / f"lightgbm_{task}.json").write_text(json.dumps(case) + "\n")


def numbers(X):
    return [[None if np.isnan(x) else float(x) for x in row] for row in X]


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    main(out)
