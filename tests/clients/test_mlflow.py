"""MLflow's own clients: `ScoringServerClient` asks the endpoint, `mlflow.pyfunc` and `mlflow.onnx`
load the same directory, and all agree with onnxruntime over a thousand rows."""

import mlflow.onnx
import mlflow.pyfunc
import numpy as np
import onnx
import pandas as pd
import pytest
import requests
import rows
from mlflow.pyfunc.scoring_server.client import ScoringServerClient


@pytest.fixture
def frame(endpoint):
    return pd.DataFrame(rows.make(endpoint.folder))


@pytest.fixture
def wanted(endpoint, frame):
    return rows.expected(endpoint.folder, {name: frame[name].to_numpy() for name in frame})


def outputs(table, wanted):
    return {name: np.asarray(table[name]) for name in wanted}


def test_the_scoring_client_gets_what_pyfunc_gives(endpoint, frame, wanted, monkeypatch):
    # The client of MLflow has no place for a token: it goes into each request of its library.
    ask = requests.Session.request

    def with_token(self, method, url, **more):
        more["headers"] = dict(more.get("headers") or {}) | endpoint.headers
        return ask(self, method, url, **more)

    monkeypatch.setattr(requests.Session, "request", with_token)
    host, port = endpoint.url.removeprefix("http://").split(":")
    client = ScoringServerClient(host, int(port))
    client.ping()
    client.wait_server_ready(timeout=10)
    assert client.get_version()
    served = outputs(pd.DataFrame(client.invoke(frame).get_predictions()), wanted)
    rows.compare("ScoringServerClient", served, wanted)
    loaded = outputs(mlflow.pyfunc.load_model(endpoint.folder).predict(frame), wanted)
    rows.compare("mlflow.pyfunc", loaded, wanted)
    rows.compare("endpoint against mlflow.pyfunc", served, loaded)


def test_the_package_is_a_sound_onnx_model(endpoint):
    model = mlflow.onnx.load_model(endpoint.folder)
    onnx.checker.check_model(model, full_check=True)


def test_csv_gets_the_same_answers(endpoint, frame, wanted):
    headers = endpoint.headers | {"Content-Type": "text/csv"}
    body = frame.to_csv(index=False).encode()
    answer = requests.post(f"{endpoint.url}/invocations", data=body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    rows.compare("text/csv", outputs(pd.DataFrame(answer.json()["predictions"]), wanted), wanted)


def test_a_missing_column_is_refused_as_mlflow_does(endpoint):
    body = {"dataframe_split": {"columns": ["nothing"], "data": [[1]]}}
    wrong = requests.post(f"{endpoint.url}/invocations", json=body, headers=endpoint.headers, timeout=60)
    assert wrong.status_code == 400 and wrong.json()["error_code"] == "BAD_REQUEST", wrong.text
