"""Trains scikit-learn and LightGBM on prepared data sets, one thread, and prints one JSON line for
each: usage `python baseline.py FOLDER...`. The settings are those of the example `quality`."""
import json
import sys
import time
import warnings

import lightgbm
import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")


def load(folder, part, width):
    X = np.fromfile(f"{folder}/X_{part}.f64", "<f8").reshape(-1, width)
    return X, np.fromfile(f"{folder}/y_{part}.f64", "<f8")


def models(task):
    if task == "reg":
        return dict(
            linear=make_pipeline(StandardScaler(), Ridge(alpha=1.0)),
            forest=RandomForestRegressor(100, max_depth=12, max_features="sqrt", n_jobs=1, random_state=0),
            boosting=lightgbm.LGBMRegressor(n_estimators=100, n_jobs=1, verbose=-1, random_state=0),
        )
    return dict(
        linear=make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000, tol=1e-8)),
        forest=RandomForestClassifier(100, max_depth=12, max_features="sqrt", n_jobs=1, random_state=0),
        boosting=lightgbm.LGBMClassifier(n_estimators=100, n_jobs=1, verbose=-1, random_state=0),
    )


def judge(task, model, X, y):
    if task == "reg":
        predicted = model.predict(X)
        return dict(r2=r2_score(y, predicted), rmse=mean_squared_error(y, predicted) ** 0.5)
    p = model.predict_proba(X)
    scores = p[:, 1] if task == "bin" else p
    return dict(auc=roc_auc_score(y, scores, multi_class="ovr"), accuracy=accuracy_score(y, p.argmax(1)),
                log_loss=log_loss(y, p))


for folder in sys.argv[1:]:
    with open(f"{folder}/meta.json") as file:
        meta = json.load(file)
    X, y = load(folder, "train", meta["p"])
    Xt, yt = load(folder, "test", meta["p"])
    for name, model in models(meta["task"]).items():
        start = time.process_time()
        model.fit(X, y)
        cpu = time.process_time() - start
        metrics = {k: float(v) for k, v in judge(meta["task"], model, Xt, yt).items()}
        print(json.dumps(dict(data=meta["name"], trainer=name, fit_cpu_s=cpu, metrics=metrics)), flush=True)
