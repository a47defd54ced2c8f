"""Exports models of scikit-learn, LightGBM and XGBoost to ONNX and records what onnxruntime
answers, as the oracle of crates/score/tests/exports.rs.

    python -m venv venv && venv/bin/pip install -r tests/onnx/requirements.txt
    venv/bin/python tests/onnx/export.py OUT
    FETTLE_ONNX_EXPORTS=OUT cargo test -p score --test exports

Each model becomes OUT/<name>.onnx and OUT/<name>.json (inputs, and outputs of onnxruntime).
The small ones are committed in crates/score/tests/fixtures, so that the test needs no Python.
"""

import json
import math
import os
import sys
import warnings

import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
import xgboost
from onnxmltools.convert import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as BoostedFloats
from palmerpenguins import load_penguins
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
OPSET = {"": 18, "ai.onnx.ml": 3}
ROWS = 40


def plain(value):
    """A number, text or truth value as JSON has it; what JSON has not is written as text."""
    if isinstance(value, (bytes, np.bytes_)):
        return value.decode()
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (np.bool_,)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    value = float(value)
    return value if math.isfinite(value) else str(value)


def array(values):
    values = np.asarray(values)
    kind = "text" if values.dtype.kind in "OUS" else str(values.dtype)
    return {"dtype": kind, "shape": list(values.shape), "data": [plain(v) for v in values.reshape(-1).tolist()]}


def put(out, name, model, inputs, tolerance=None):
    raw = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    answers = []
    for spec, value in zip(session.get_outputs(), session.run(None, inputs)):
        if isinstance(value, list):
            keys = list(value[0])
            scores = np.array([[row[key] for key in keys] for row in value], np.float32)
            answers.append({"name": spec.name, "keys": [plain(k) for k in keys]} | array(scores))
        else:
            answers.append({"name": spec.name} | array(value))
    with open(f"{out}/{name}.onnx", "wb") as file:
        file.write(raw)
    with open(f"{out}/{name}.json", "w") as file:
        case = {"inputs": {k: array(v) for k, v in inputs.items()}, "outputs": answers}
        json.dump(case | ({"tolerance": tolerance} if tolerance else {}), file)
    print(f"{name:32s} {len(raw):9d} bytes", flush=True)


def attempt(name, make):
    try:
        make()
    except Exception as error:  # a converter may refuse a model: the set is what it can export
        print(f"{name:32s} not exported: {str(error)[:120]!r}", flush=True)


def scikit(out):
    cancer, iris, diabetes = load_breast_cancer(), load_iris(), load_diabetes()
    xc, yc = cancer.data.astype(np.float32), cancer.target
    xi, yi = iris.data.astype(np.float32), iris.target
    xd, yd = diabetes.data.astype(np.float32), diabetes.target

    def add(name, model, x, zipmap=None, tolerance=None):
        options = {} if zipmap is None else {"options": {id(model): {"zipmap": zipmap}}}
        attempt(name, lambda: put(out, name, to_onnx(model, x[:1], target_opset=OPSET, **options), {"X": x[:: max(1, len(x) // ROWS)]}, tolerance))

    logistic = lambda: LogisticRegression(max_iter=500)
    add("skl_logreg_zipmap", make_pipeline(StandardScaler(), logistic()).fit(xc, yc), xc)
    add("skl_logreg", make_pipeline(StandardScaler(), logistic()).fit(xc, yc), xc, False)
    add("skl_logreg_multi", make_pipeline(StandardScaler(), logistic()).fit(xi, yi), xi, False)
    add("skl_logreg_strlabels", logistic().fit(xi, iris.target_names[yi]), xi, False)
    add("skl_ridge", make_pipeline(StandardScaler(), Ridge()).fit(xd, yd), xd)
    add("skl_tree", DecisionTreeClassifier(max_depth=5).fit(xc, yc), xc, False)
    add("skl_rf", RandomForestClassifier(100, max_depth=12, random_state=0).fit(xc, yc), xc, False)
    add("skl_rf_reg", RandomForestRegressor(100, max_depth=12, random_state=0).fit(xd, yd), xd)
    add("skl_gbc", GradientBoostingClassifier(random_state=0).fit(xc, yc), xc, False)
    add("skl_gbr", GradientBoostingRegressor(random_state=0).fit(xd, yd), xd)
    add("skl_histgbc", HistGradientBoostingClassifier(random_state=0).fit(xc, yc), xc, False)
    add("skl_histgbc_multi", HistGradientBoostingClassifier(random_state=0).fit(xi, yi), xi, False)
    add("skl_iforest", IsolationForest(random_state=0).fit(xc), xc)
    # The distances are roots of differences of large squares in single precision.
    add("skl_kmeans", KMeans(3, n_init=3, random_state=0).fit(xi), xi, tolerance=1e-4)
    add("skl_pca", PCA(2).fit(xi), xi)
    add("skl_knn", KNeighborsClassifier().fit(xi, yi), xi, False)
    add("skl_svc", make_pipeline(StandardScaler(), SVC(probability=True)).fit(xi, yi), xi, False)
    add("skl_gnb", GaussianNB().fit(xi, yi), xi, False)
    add("skl_mlp", make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=300, random_state=0)).fit(xi, yi), xi, False)
    x, y = make_classification(20_000, 20, n_informative=10, n_redundant=4, flip_y=0.05, random_state=1)
    x = x.astype(np.float32)
    add("rf_big", RandomForestClassifier(100, max_depth=12, random_state=0).fit(x, y), x, False)
    add("lr_big", make_pipeline(StandardScaler(), logistic()).fit(x, y), x, False)


def mixed(out):
    penguins = load_penguins()
    numbers, texts = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"], ["island", "sex"]
    penguins["sex"] = penguins["sex"].fillna("missing")
    penguins[texts] = penguins[texts].astype(object)
    penguins[numbers] = penguins[numbers].astype(np.float32)
    encoders = {
        "onehot": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        "ordinal": OrdinalEncoder(),
    }
    for encoding, encoder in encoders.items():
        columns = ColumnTransformer(
            [
                ("n", Pipeline([("i", SimpleImputer(strategy="median")), ("s", StandardScaler())]), numbers),
                ("c", encoder, texts),
            ]
        )
        for kind in ("str", "int"):
            codes = penguins.species.astype("category").cat.codes.values.astype(np.int64)
            target = penguins.species.astype(str).values if kind == "str" else codes
            for short, model in (("logreg", LogisticRegression(max_iter=500)), ("rf", RandomForestClassifier(20, random_state=0))):
                if (encoding, short) == ("ordinal", "logreg"):
                    continue
                fitted = Pipeline([("ct", columns), ("m", model)]).fit(penguins[numbers + texts], target)
                types = [(c, FloatTensorType([None, 1])) for c in numbers] + [(c, StringTensorType([None, 1])) for c in texts]
                some = penguins.iloc[:: len(penguins) // ROWS]
                inputs = {c: some[c].values.astype(np.float32).reshape(-1, 1) for c in numbers}
                inputs |= {c: some[c].values.astype(object).reshape(-1, 1) for c in texts}
                for zipmap in (False, True) if (encoding, short) == ("onehot", "logreg") else (False,):
                    name = f"skl_ct_{encoding}_{short}_{kind}" + ("_zipmap" if zipmap else "")
                    convert = lambda: convert_sklearn(fitted, initial_types=types, target_opset=OPSET, options={id(model): {"zipmap": zipmap}})
                    attempt(name, lambda: put(out, name, convert(), inputs))


def texts(out):
    docs = ["the cat sat on the mat", "dogs and cats living together", "stock market fell today"] * 5
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(docs, [0, 0, 1] * 5)
    convert = lambda: convert_sklearn(
        model, initial_types=[("X", StringTensorType([None, 1]))], target_opset=OPSET, options={id(model[-1]): {"zipmap": False}}
    )
    attempt("skl_tfidf", lambda: put(out, "skl_tfidf", convert(), {"X": np.array(docs[:6], object).reshape(-1, 1)}))


def boosted(out):
    cancer, iris, diabetes = load_breast_cancer(), load_iris(), load_diabetes()
    sets = {
        "bin": (cancer.data.astype(np.float32), cancer.target),
        "multi": (iris.data.astype(np.float32), iris.target),
        "reg": (diabetes.data.astype(np.float32), diabetes.target),
    }
    holes = sets["bin"][0].copy()
    holes[np.random.default_rng(1).random(holes.shape) < 0.1] = np.nan
    big, labels = make_classification(20_000, 20, n_informative=10, n_redundant=4, flip_y=0.05, random_state=1)
    sets |= {"quant": sets["reg"], "missing": (holes, sets["bin"][1]), "big": (big.astype(np.float32), labels)}

    def types(x):
        return [("X", BoostedFloats([None, x.shape[1]]))]

    def sample(x):
        return {"X": x[:: max(1, len(x) // ROWS)]}

    common = {"verbose": -1, "n_jobs": 1, "random_state": 0}
    for name, (x, y) in sets.items():
        if name in ("reg", "quant"):
            extra = {"objective": "quantile", "alpha": 0.9} if name == "quant" else {}
            model = lightgbm.LGBMRegressor(n_estimators=100, **extra, **common).fit(x, y)
        else:
            model = lightgbm.LGBMClassifier(n_estimators=30 if name == "multi" else 100, **common).fit(x, y)
        source = model.booster_ if name == "quant" else model
        attempt(f"lgb_{name}", lambda: put(out, f"lgb_{name}", convert_lightgbm(source, initial_types=types(x), target_opset=15, zipmap=False), sample(x)))
    for name in ("bin", "multi", "reg", "missing"):
        x, y = sets[name]
        kind = xgboost.XGBRegressor if name == "reg" else xgboost.XGBClassifier
        model = kind(n_estimators=30 if name == "multi" else 100, n_jobs=1, random_state=0).fit(x, y)
        attempt(f"xgb_{name}", lambda: put(out, f"xgb_{name}", convert_xgboost(model, initial_types=types(x), target_opset=15), sample(x)))


if __name__ == "__main__":
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for part in (scikit, mixed, texts, boosted):
        part(folder)
