"""What a person does in a day with MLflow, in the words of its client: it logs by hand and by itself,
nests, searches, saves, registers, loads, deletes and restores. Prints what came of it as JSON, without
ids and times, so that two servers can be compared: `python session.py` with MLFLOW_TRACKING_URI set."""

import json
import os
import pathlib
import re
import tempfile
import warnings

warnings.filterwarnings("ignore")

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

OUT = {}
MAJOR = int(mlflow.__version__.split(".")[0])


def tried(call):
    """What a call that fails says, without ids."""
    try:
        call()
    except MlflowException as error:
        return error.error_code + ": " + re.sub(r"[0-9a-f]{32}", "<id>", str(error))[:200]
    return "nothing"


def tree(client, run_id, path=None):
    files = []
    for one in client.list_artifacts(run_id, path):
        files += tree(client, run_id, one.path) if one.is_dir else [one.path]
    return sorted(files)


def experiments(client):
    one = mlflow.set_experiment("day/one")
    two = client.create_experiment("day/two", tags={"team": "b"})
    client.set_experiment_tag(one.experiment_id, "team", "a")
    client.rename_experiment(two, "day/second")
    client.delete_experiment(two)
    stage = client.get_experiment(two).lifecycle_stage
    client.restore_experiment(two)
    found = client.search_experiments(filter_string="tags.team = 'a'")
    OUT["experiments"] = {
        "deleted": stage,
        "found": [experiment.name for experiment in found],
        "all": sorted(experiment.name for experiment in client.search_experiments()),
        "taken": tried(lambda: client.create_experiment("day/second"))[:23],
        "unknown": tried(lambda: client.get_experiment("777")),
    }
    return one.experiment_id


def by_hand(client, folder):
    with mlflow.start_run(run_name="parent", tags={"kind": "outer"}) as parent:
        mlflow.log_params({"lr": 0.1, "layers": "3", "empty": ""})
        for step in range(20):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.9, "nothing": float("nan"), "much": float("inf")})
        mlflow.log_dict({"a": [1, 2]}, "made/config.json")
        mlflow.log_text("hällo", "made/notes/hi.txt")
        (folder / "empty.bin").write_bytes(b"")
        (folder / "some file.bin").write_bytes(bytes(range(256)) * 4096)
        mlflow.log_artifacts(str(folder), "data")
        for number in range(3):
            with mlflow.start_run(run_name=f"child-{number}", nested=True):
                mlflow.log_param("lr", 0.1 * (number + 1))
                mlflow.log_metric("auc", 0.7 + number / 10)
        frame = mlflow.data.from_numpy(np.arange(6.0).reshape(3, 2), name="six")
        mlflow.log_input(frame, context="train")
    run = client.get_run(parent.info.run_id)
    metrics = [Metric(f"m{n % 10}", n / 7, 1_000 + n, n) for n in range(1000)]
    client.log_batch(run.info.run_id, metrics=metrics)
    client.log_batch(run.info.run_id, params=[Param("p", "1")], tags=[RunTag("t", "x")])
    client.set_tag(run.info.run_id, "gone", "soon")
    client.delete_tag(run.info.run_id, "gone")
    back = pathlib.Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="data"))
    history = client.get_metric_history(run.info.run_id, "m3")
    run = client.get_run(run.info.run_id)
    OUT["by hand"] = {
        "status": run.info.status,
        "metrics": {key: repr(value) for key, value in sorted(run.data.metrics.items())},
        "params": dict(sorted(run.data.params.items())),
        "tags": {key: value for key, value in sorted(run.data.tags.items()) if not key.startswith("mlflow.")},
        "name": run.data.tags["mlflow.runName"],
        "history": [len(history), history[0].step, history[-1].value],
        "files": tree(client, run.info.run_id),
        "back": sorted((str(file.relative_to(back)), file.stat().st_size) for file in back.rglob("*") if file.is_file()),
        "text": mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/made/notes/hi.txt"),
        "inputs": [[one.dataset.name, [tag.value for tag in one.tags]] for one in run.inputs.dataset_inputs],
        "other value": tried(lambda: client.log_param(run.info.run_id, "lr", 7))[:60],
        "bad key": tried(lambda: client.log_metric(run.info.run_id, "../x", 1))[:40],
        "no run": tried(lambda: client.get_run("0" * 32)),
    }
    return run.info.run_id


FILTERS = [
    "", "metrics.auc > 0.75", "metrics.auc >= 0.7", "metrics.auc < 0.8", "metrics.auc != 0.9", "metrics.auc = 0.9",
    "metrics.loss <= 0.05", "params.lr = '0.1'", "params.lr != '0.1'", "params.lr LIKE '0.%'", "params.layers ILIKE '3'",
    "params.layers IS NULL", "params.p IS NOT NULL", "tags.kind = 'outer'", "tags.kind != 'inner'", "tags.t LIKE 'x'",
    "tags.mlflow.parentRunId IS NOT NULL", "run_name = 'child-1'", "run_name LIKE 'child%'", "attributes.status = 'FINISHED'",
    "status != 'FINISHED'", "start_time > 0", "end_time > 0", "datasets.name = 'six'", "dataset.context = 'train'",
    "metrics.auc > 0.75 AND params.lr = '0.1'", "metrics.`auc` > 0.75 and run_name LIKE 'child%'", "artifact_uri LIKE '%artifacts'",
    "metrics.missing > 0", "params.\"lr\" = \"0.1\"", "metrics.auc > 0.75 OR metrics.auc < 0.1", "params.lr > 1", "foo.bar = 1",
]


def search(client, experiment_id):
    def names(**more):
        return [run.info.run_name for run in client.search_runs([experiment_id], **more)]

    def found(text):
        try:
            return sorted(names(filter_string=text))
        except MlflowException as error:
            return error.error_code

    first = client.search_runs([experiment_id], order_by=["metrics.auc ASC"], max_results=2)
    rest = client.search_runs([experiment_id], order_by=["metrics.auc ASC"], max_results=9, page_token=first.token)
    frame = mlflow.search_runs([experiment_id], order_by=["params.lr DESC"])
    OUT["search"] = {
        "filters": {text: found(text) for text in FILTERS},
        "by auc": names(order_by=["metrics.auc DESC"]),
        "pages": [[run.info.run_name for run in page] for page in (first, rest)],
        "frame": [sorted(column for column in frame.columns if not column.startswith("tags.mlflow")), len(frame)],
    }


def by_itself(client):
    mlflow.sklearn.autolog()
    features, target = load_iris(return_X_y=True)
    with mlflow.start_run(run_name="automatic") as run:
        model = LogisticRegression(max_iter=200).fit(features, target)
        model.score(features, target)
    mlflow.sklearn.autolog(disable=True)
    run = client.get_run(run.info.run_id)
    OUT["by itself"] = {
        "params": len(run.data.params),
        "metrics": sorted(run.data.metrics),
        "estimator": run.data.tags["estimator_name"],
        "files": [file for file in tree(client, run.info.run_id) if not file.startswith("model/")],
        "outputs": len(run.outputs.model_outputs) if MAJOR > 2 else 0,
    }
    return model, features


def registry(client, model, features):
    where = {"name": "model"} if MAJOR > 2 else {"artifact_path": "model"}
    for _ in range(2):
        with mlflow.start_run(run_name="registers"):
            info = mlflow.sklearn.log_model(model, registered_model_name="iris", **where)
    with mlflow.start_run(run_name="later") as run:
        mlflow.sklearn.log_model(model, **where)
    third = mlflow.register_model(f"runs:/{run.info.run_id}/model", "iris", tags={"from": "run"})
    client.set_registered_model_alias("iris", "champion", "2")
    client.set_model_version_tag("iris", "1", "checked", "yes")
    client.update_model_version("iris", "1", "the first")
    client.update_registered_model("iris", "flowers")
    expected = model.predict(features)
    same = [bool((mlflow.sklearn.load_model(uri).predict(features) == expected).all())
            for uri in ("models:/iris@champion", "models:/iris/1", info.model_uri)]
    same.append(bool((mlflow.pyfunc.load_model("models:/iris/3").predict(features) == expected).all()))
    found = client.search_model_versions("name = 'iris'")
    client.delete_registered_model_alias("iris", "champion")
    client.rename_registered_model("iris", "flowers")
    client.delete_model_version("flowers", "1")
    OUT["registry"] = {
        "third": [third.version, third.status, third.tags],
        "same": same,
        "versions": sorted(version.version for version in found),
        "tags": client.get_model_version("flowers", "2").tags,
        "description": client.get_registered_model("flowers").description,
        "left": sorted(version.version for version in client.search_model_versions("name = 'flowers'")),
        "deleted": tried(lambda: client.get_model_version("flowers", "1")),
        "alias": tried(lambda: client.get_model_version_by_alias("flowers", "champion")),
        "bad name": tried(lambda: client.create_registered_model("a/b"))[:40],
        "models": [one.name for one in client.search_registered_models("name ILIKE 'FLOW%'")],
    }


def trash(client, experiment_id, run_id):
    client.delete_run(run_id)
    deleted = client.get_run(run_id).info.lifecycle_stage
    refused = tried(lambda: client.set_tag(run_id, "a", "b"))
    hidden = [run.info.run_name for run in client.search_runs([experiment_id], "run_name = 'parent'")]
    client.restore_run(run_id)
    OUT["trash"] = {
        "deleted": deleted,
        "refused": refused,
        "hidden": hidden,
        "restored": client.get_run(run_id).info.lifecycle_stage,
    }


def main():
    client = MlflowClient()
    experiment_id = experiments(client)
    with tempfile.TemporaryDirectory() as folder:
        run_id = by_hand(client, pathlib.Path(folder))
    search(client, experiment_id)
    model, features = by_itself(client)
    registry(client, model, features)
    trash(client, experiment_id, run_id)
    # Clients leave other things on standard output.
    pathlib.Path(os.environ["SESSION_OUT"]).write_text(json.dumps(OUT, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
