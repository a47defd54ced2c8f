"""Writes everything that a client finds in a store, as JSON: experiments, runs with every point of every
curve, files with their contents, logged models and the registry. Called with the URI of the store and
the file to write; with `--files` also what is in the files."""

import hashlib
import json
import os
import pathlib
import sys
import tempfile

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

uri, out = sys.argv[1], sys.argv[2]
with_files = "--files" in sys.argv
mlflow.set_tracking_uri(uri)
client = MlflowClient()


def every(search, **words):
    found, token = [], None
    while True:
        page = search(page_token=token, **words)
        found.extend(page)
        token = page.token
        if not token:
            return found


def number(value):
    return "NaN" if value != value else value


def curve(run, key):
    return [[number(point.value), point.step, point.timestamp] for point in client.get_metric_history(run, key)]


def files(uri):
    """Every file below a URI with the digest of its content."""
    if not with_files or not uri or uri.startswith("s3:"):
        return {}
    try:
        folder = pathlib.Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=tempfile.mkdtemp()))
    except Exception:
        # A run without a file may have no folder either.
        return {}
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def inputs(run):
    found = []
    for one in run.inputs.dataset_inputs if run.inputs else []:
        dataset = {name: getattr(one.dataset, name) for name in ("name", "digest", "source_type", "source", "schema", "profile")}
        found.append([dataset, sorted([tag.key, tag.value] for tag in one.tags)])
    return sorted(found, key=json.dumps)


def linked(run):
    went_in = [one.model_id for one in getattr(run.inputs, "model_inputs", None) or []]
    came_out = [[one.model_id, one.step] for one in getattr(getattr(run, "outputs", None), "model_outputs", None) or []]
    return [sorted(went_in), sorted(came_out)]


def run(one):
    info, data = one.info, one.data
    return {
        "name": info.run_name, "user": info.user_id, "status": info.status, "start": info.start_time, "end": info.end_time,
        "stage": info.lifecycle_stage, "experiment": info.experiment_id, "remote": (info.artifact_uri or "").startswith("s3:"),
        "params": data.params, "tags": data.tags,
        "last": {key: number(value) for key, value in data.metrics.items()},
        "curves": {key: sorted(curve(info.run_id, key), key=json.dumps) for key in data.metrics},
        "inputs": inputs(one), "linked": linked(one), "files": files(info.artifact_uri),
    }


def experiment(one):
    return {"name": one.name, "stage": one.lifecycle_stage, "tags": one.tags, "created": one.creation_time, "updated": one.last_update_time}


def logged(one):
    metrics = [[m.key, number(m.value), m.step, m.timestamp, m.run_id, m.dataset_name, m.dataset_digest] for m in one.metrics or []]
    return {
        "name": one.name, "type": one.model_type, "run": one.source_run_id, "status": str(one.status), "experiment": one.experiment_id,
        "created": one.creation_timestamp, "updated": one.last_updated_timestamp, "params": one.params, "tags": one.tags,
        "metrics": sorted(metrics, key=json.dumps), "files": files(one.artifact_location),
    }


def version(one):
    uri = client.get_model_version_download_uri(one.name, one.version) if with_files else None
    full = client.get_model_version(one.name, one.version)
    return {
        "run": one.run_id, "stage": one.current_stage, "note": one.description, "user": one.user_id, "status": one.status,
        "created": one.creation_timestamp, "tags": one.tags, "aliases": sorted(full.aliases), "files": files(uri),
    }


def registered(one):
    return {"note": one.description, "tags": one.tags, "created": one.creation_timestamp, "aliases": dict(client.get_registered_model(one.name).aliases)}


experiments = every(client.search_experiments, view_type=ViewType.ALL)
ids = [one.experiment_id for one in experiments]
runs = every(client.search_runs, experiment_ids=ids, run_view_type=ViewType.ALL, max_results=1_000) if ids else []
found = {
    "experiments": {one.experiment_id: experiment(one) for one in experiments},
    "runs": {one.info.run_id: run(one) for one in runs},
    "registered": {one.name: registered(one) for one in every(client.search_registered_models)},
    "versions": {f"{one.name} {one.version}": version(one) for one in every(client.search_model_versions)},
    "logged": {},
}
if hasattr(client, "search_logged_models"):
    active = [one.experiment_id for one in experiments if one.lifecycle_stage == "active"]
    found["logged"] = {one.model_id: logged(one) for one in every(client.search_logged_models, experiment_ids=active)}
json.dump(found, open(out, "w"), indent=1, sort_keys=True)
