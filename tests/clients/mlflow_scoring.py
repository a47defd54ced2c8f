"""Asks an endpoint with MLflow's ScoringServerClient, loads the same directory with
mlflow.pyfunc, and compares both with onnxruntime.

    python tests/clients/mlflow_scoring.py http://127.0.0.1:PORT TOKEN MODEL_DIR
"""

import os
import sys

import mlflow.pyfunc
import numpy as np
import pandas as pd
import requests
import rows
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

url, token, folder = sys.argv[1:4]
# The client of MLflow has no place for a token: it goes into each request of its library.
ask = requests.Session.request


def with_token(self, method, url, **more):
    more["headers"] = dict(more.get("headers") or {}) | {"Authorization": f"Bearer {token}"}
    return ask(self, method, url, **more)


requests.Session.request = with_token
host, port = url.removeprefix("http://").split(":")
client = ScoringServerClient(host, int(port))
client.ping()
client.wait_server_ready(timeout=10)
assert client.get_version()
columns = rows.make(folder)
wanted = rows.expected(folder, columns)
frame = pd.DataFrame(columns)
answered = pd.DataFrame(client.invoke(frame).get_predictions())
rows.compare("ScoringServerClient", {name: answered[name].to_numpy() for name in wanted}, wanted)

if os.path.exists(os.path.join(folder, "MLmodel")):
    model = mlflow.pyfunc.load_model(folder)
    # MLflow reads integers that may be missing as floats; the signature says double for numbers.
    loaded = model.predict(frame)
    rows.compare("mlflow.pyfunc", {name: np.asarray(loaded[name]) for name in wanted}, wanted)
    served = {name: answered[name].to_numpy() for name in wanted}
    rows.compare("endpoint against mlflow.pyfunc", served, {name: np.asarray(loaded[name]) for name in wanted})

csv = requests.post(f"{url}/invocations", data=frame.to_csv(index=False), headers={"Content-Type": "text/csv"}, timeout=60)
answered = pd.DataFrame(csv.json()["predictions"])
rows.compare("text/csv", {name: answered[name].to_numpy() for name in wanted}, wanted)
wrong = requests.post(f"{url}/invocations", json={"dataframe_split": {"columns": ["nothing"], "data": [[1]]}}, timeout=60)
assert wrong.status_code == 400 and wrong.json()["error_code"] == "BAD_REQUEST", wrong.text
