"""Fills a store of MLflow with what stores hold: a scikit-learn run, curves, nested, failed and deleted
runs, datasets, files, a deleted experiment, and a registry with stages and aliases. What it has no
words for in this version is left out. Called with the URI of the store."""

import os
import pathlib
import sys
import tempfile

import mlflow
import numpy
from mlflow import MlflowClient
from mlflow.entities import Metric
from sklearn.linear_model import LogisticRegression

uri = sys.argv[1]
mlflow.set_tracking_uri(uri)
client = MlflowClient()
IS_3 = int(mlflow.__version__.split(".")[0]) >= 3

# Beside the runs whose places say where they are, one experiment keeps its files elsewhere.
first = mlflow.set_experiment("fraud/nightly").experiment_id
client.set_experiment_tag(first, "team", "à la carte: #1\nsecond line")
far = client.create_experiment("far away", artifact_location="s3://bucket/far")

rng = numpy.random.default_rng(0)
x, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "plots").mkdir()
(folder / "plots" / "é.svg").write_text("<svg/>")
(folder / "empty.txt").write_text("")
(folder / "notes.txt").write_text("one\ntwo\n")

with mlflow.start_run(run_name="parent", description="a note") as parent:
    mlflow.log_params({"depth": 3, "rate": 0.1, "text": "yes: no\nnext", "empty": ""})
    mlflow.set_tags({"stage": "night", "long": "x" * 4_000})
    for step in range(20):
        mlflow.log_metric("train/loss", 1 / (step + 1), step=step)
    odd = [(float("nan"), 1, 0), (float("inf"), 2, 1), (float("-inf"), 3, -5), (0.1 + 0.2, 4, 2), (7.0, 5, 2)]
    client.log_batch(parent.info.run_id, metrics=[Metric("odd", *one) for one in odd])
    data = mlflow.data.from_numpy(x, targets=y, name="train", digest="abc123")
    mlflow.log_input(data, context="training", tags={"split": "all"})
    mlflow.log_artifacts(folder)
    model = LogisticRegression().fit(x, y)
    named = {"name": "model"} if IS_3 else {"artifact_path": "model"}
    mlflow.sklearn.log_model(model, **named, registered_model_name="churn")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metric("auc", 0.75)
    with mlflow.start_run(run_name="second child", nested=True):
        mlflow.log_param("seed", 1)

try:
    with mlflow.start_run(run_name="failed"):
        mlflow.log_metric("auc", -0.5, step=7)
        raise RuntimeError("as it happens")
except RuntimeError:
    pass

with mlflow.start_run(run_name="trashed") as trashed:
    mlflow.log_param("p", "1")
    mlflow.log_text("still there", "kept.txt")
client.delete_run(trashed.info.run_id)

other = client.create_experiment("gone")
gone = client.create_run(other, run_name="went along", start_time=5)
client.log_param(gone.info.run_id, "q", "2")
client.set_terminated(gone.info.run_id, "KILLED", end_time=9)
client.delete_experiment(other)

remote = client.create_run(far, run_name="remote", start_time=11)
client.set_terminated(remote.info.run_id, end_time=12)
unfinished = client.create_run("0", run_name="unfinished", start_time=13)

client.update_registered_model("churn", description="who leaves")
client.set_registered_model_tag("churn", "owner", "team a")
source = client.get_model_version("churn", 1).source
for _ in range(2):
    client.create_model_version("churn", source, run_id=parent.info.run_id, description="again")
client.delete_model_version("churn", 2)
client.set_model_version_tag("churn", "3", "checked", "yes")
client.set_registered_model_alias("churn", "champion", 3)
client.set_registered_model_alias("churn", "challenger", 1)
client.transition_model_version_stage("churn", 3, "Staging")
client.create_registered_model("empty model")
