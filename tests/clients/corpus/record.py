"""Records what MLflow's own server answers: `python record.py` writes `cases.json` beside this file.

Run it in an environment with `mlflow==3.17.2`. Each case is a request and the answer to it, in the
order of the file: later ones build on earlier ones. Ids that the server makes up are written as
`${name}`, and its times and random names as `<time>` and `<name>`, so that recording again gives the
same file and another server can be held to it."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

HERE = pathlib.Path(__file__).parent
API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
TIMES = {"creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp",
         "creation_timestamp_ms", "last_updated_timestamp_ms"}


@contextlib.contextmanager
def stock_server():
    """MLflow's server on an empty database."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        call = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1",
                "--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", f"{home}/files"]
        # Its messages list sets, whose order is otherwise another one each time.
        fixed = {**os.environ, "PYTHONHASHSEED": "0"}
        server = subprocess.Popen(call, cwd=home, env=fixed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{url}/health", timeout=1)
                    break
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait()


def fill(value, known):
    """The value with the ids that are known put in."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], value)
    if isinstance(value, (list, tuple)):
        return [fill(one, known) for one in value]
    if isinstance(value, dict):
        return {key: fill(one, known) for key, one in value.items()}
    return value


def settle(value, known, key=""):
    """The value with what differs each time taken out."""
    if isinstance(value, dict):
        out = {name: settle(one, known, name) for name, one in value.items()}
        return {name: one for name, one in out.items() if name not in ("sqlstate", "error_class")}
    if isinstance(value, (list, tuple)):
        return [settle(one, known, key) for one in value]
    if key in TIMES:
        return "<time>"
    if isinstance(value, str):
        for name, given in sorted(known.items(), key=lambda one: -len(one[1])):
            if len(given) > 8:
                value = value.replace(given, "${" + name + "}")
        if re.fullmatch(r"[a-z]+-[a-z]+-\d+", value):
            return "<name>"
    return value


def ask(url, case, known):
    """Sends a case; gives the status and the answer as it came."""
    target = url + fill(case["path"], known)
    if case.get("query"):
        target += "?" + urlencode([tuple(pair) for pair in fill(case["query"], known)])
    body, headers = None, {}
    if "raw" in case:
        body, headers = case["raw"].encode(), {"Content-Type": case.get("type", "application/json")}
    elif "body" in case:
        body, headers = json.dumps(fill(case["body"], known)).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(target, data=body, headers=headers, method=case["method"])
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def find(reply, place):
    for name in place.split("."):
        reply = reply[int(name)] if name.isdigit() else reply[name]
    return reply


def cases():
    """Every request, in order."""
    def get(name, path, query=(), **more):
        return {"name": name, "method": "GET", "path": API + path, "query": list(query), **more}

    def post(name, path, body, **more):
        return {"name": name, "method": "POST", "path": API + path, "body": body, **more}

    def sent(method, name, path, body):
        return {"name": name, "method": method, "path": API + path, "body": body}

    # Experiments.
    yield get("the default experiment is there", "experiments/get", [("experiment_id", "0")])
    yield post("make an experiment", "experiments/create", {"name": "one", "tags": [{"key": "team", "value": "a"}]},
               keep={"one": "experiment_id"})
    yield post("make another", "experiments/create", {"name": "folder/two"}, keep={"two": "experiment_id"})
    for name, body in {
        "without a name": {}, "with an empty name": {"name": ""}, "with a number as name": {"name": 12},
        "with a list as name": {"name": ["a"]}, "with a name of 501": {"name": "x" * 501},
        "with null as name": {"name": None}, "with unknown fields": {"name": "odd", "colour": "red"},
        "with a long place": {"name": "far", "artifact_location": "s3://b/" + "x" * 2050},
        "with a key of 251": {"name": "key", "tags": [{"key": "k" * 251, "value": ""}]},
    }.items():
        yield post(f"make an experiment {name}", "experiments/create", body)
    yield post("set a tag", "experiments/set-experiment-tag", {"experiment_id": "${one}", "key": "k", "value": "v"})
    yield post("set a tag again", "experiments/set-experiment-tag", {"experiment_id": "${one}", "key": "k", "value": "w"})
    yield post("set a tag without a key", "experiments/set-experiment-tag", {"experiment_id": "${one}", "value": "w"})
    yield post("set a tag of nothing", "experiments/set-experiment-tag", {"experiment_id": "777", "key": "k", "value": "v"})
    yield get("look at it", "experiments/get", [("experiment_id", "${one}")])
    yield get("look by name", "experiments/get-by-name", [("experiment_name", "folder/two")])
    yield get("look by an unknown name", "experiments/get-by-name", [("experiment_name", "nothing")])
    yield get("look without a name", "experiments/get-by-name")
    for wrong in ["", "abc", "777", "-1", "1.5", "../x"]:
        yield get(f"look at experiment `{wrong}`", "experiments/get", [("experiment_id", wrong)])
    yield post("remove a tag", "experiments/delete-experiment-tag", {"experiment_id": "${one}", "key": "k"})
    yield post("rename", "experiments/update", {"experiment_id": "${two}", "new_name": "folder/second"})
    yield post("rename to nothing", "experiments/update", {"experiment_id": "${two}"})
    for name, body in {
        "all": {"max_results": 10}, "the first": {"max_results": 1}, "none": {"max_results": 0},
        "too many": {"max_results": 50001}, "without a number": {}, "a wrong token": {"max_results": 1, "page_token": "zzz"},
        "by name": {"max_results": 9, "filter": "name = 'one'"}, "like": {"max_results": 9, "filter": "name LIKE 'fold%'"},
        "like in capitals": {"max_results": 9, "filter": "name LIKE 'FOLD%'"},
        "ilike": {"max_results": 9, "filter": "name ILIKE 'FOLD%'"}, "by tag": {"max_results": 9, "filter": "tags.team = 'a'"},
        "by name up": {"max_results": 9, "order_by": ["name ASC"]}, "by name down": {"max_results": 9, "order_by": ["name DESC"]},
        "a wrong order": {"max_results": 9, "order_by": ["colour"]}, "a wrong filter": {"max_results": 9, "filter": "colour = 'red'"},
        "deleted": {"max_results": 9, "view_type": "DELETED_ONLY"}, "any": {"max_results": 9, "view_type": "ALL"},
    }.items():
        yield post(f"search experiments: {name}", "experiments/search", body)

    # Runs.
    yield post("begin a run", "runs/create", {"experiment_id": "${one}", "user_id": "ada", "start_time": 1000, "run_name": "first",
               "tags": [{"key": "mlflow.source.type", "value": "LOCAL"}]}, keep={"run": "run.info.run_id"})
    yield post("begin a second", "runs/create", {"experiment_id": "${one}", "user_id": "ada", "start_time": 2000, "run_name": "second",
               "tags": [{"key": "mlflow.parentRunId", "value": "${run}"}]}, keep={"run2": "run.info.run_id"})
    yield post("begin a third without a name", "runs/create", {"experiment_id": "${one}", "start_time": 3000},
               keep={"run3": "run.info.run_id"})
    yield post("name the third", "runs/update", {"run_id": "${run3}", "run_name": "third"})
    for name, body in {
        "of two names": {"experiment_id": "${one}", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]},
        "in an unknown experiment": {"experiment_id": "777"}, "in no number": {"experiment_id": "abc"},
    }.items():
        yield post(f"begin a run {name}", "runs/create", body)
    metric = {"run_id": "${run}", "key": "loss", "timestamp": 10, "step": 0}
    for name, more in {
        "": {"value": 0.5}, "again": {"value": 0.5}, "at a later step": {"value": 0.25, "step": 2, "timestamp": 30},
        "late": {"value": 0.4, "step": 1, "timestamp": 20}, "at a negative step": {"value": 9, "step": -5},
        "as a text": {"value": "0.125", "step": 3, "timestamp": "40"}, "not a number": {"key": "odd", "value": "NaN"},
        "infinite": {"key": "big", "value": "Infinity"}, "minus infinite": {"key": "small", "value": "-Infinity"},
        "as a word": {"value": "much"}, "without a value": {}, "before time": {"value": 1, "timestamp": -1},
        "with an empty key": {"key": "", "value": 1}, "with a key of signs": {"key": "a$b", "value": 1},
        "with a key that climbs": {"key": "../x", "value": 1}, "with an absolute key": {"key": "/x", "value": 1},
        "with a doubled slash": {"key": "a//b", "value": 1}, "with a key of 251": {"key": "k" * 251, "value": 1},
        "with a foreign key": {"key": "précision 1/α", "value": 1}, "of no run": {"run_id": "0" * 32, "value": 1},
        "of an empty run": {"run_id": "", "value": 1}, "as truth": {"key": "t", "value": True},
    }.items():
        yield post(f"log a metric {name}".strip(), "runs/log-metric", {**metric, **more})
    param = {"run_id": "${run}", "key": "depth", "value": "3"}
    for name, more in {
        "": {}, "again": {}, "otherwise": {"value": "4"}, "without a value": {"key": "empty", "value": None},
        "as a number": {"key": "n", "value": 3}, "without a key": {"key": ""}, "of 6000": {"key": "long", "value": "x" * 6000},
        "with a key that climbs": {"key": "a/../b"}, "of no run": {"run_id": "f" * 32},
    }.items():
        yield post(f"log a parameter {name}".strip(), "runs/log-parameter", {**param, **more})
    for name, more in {
        "": {"key": "colour", "value": "red"}, "again": {"key": "colour", "value": "blue"}, "empty": {"key": "void", "value": ""},
        "of the name": {"key": "mlflow.runName", "value": "renamed"}, "without a key": {"value": "x"}, "of signs": {"key": "a$", "value": "x"},
    }.items():
        yield post(f"set a tag of a run {name}".strip(), "runs/set-tag", {"run_id": "${run}", **more})
    yield post("remove a tag of a run", "runs/delete-tag", {"run_id": "${run}", "key": "void"})
    yield post("remove it again", "runs/delete-tag", {"run_id": "${run}", "key": "void"})
    for name, more in {
        "of everything": {"metrics": [{"key": "auc", "value": 0.9, "timestamp": 5, "step": 0}, {"key": "auc", "value": 0.95, "timestamp": 6, "step": 1}],
                          "params": [{"key": "lr", "value": "0.1"}], "tags": [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}]},
        "of nothing": {}, "with a doubled parameter": {"params": [{"key": "d", "value": "1"}, {"key": "d", "value": "1"}]},
        "with another parameter": {"params": [{"key": "lr", "value": "0.2"}], "tags": [{"key": "never", "value": "1"}]},
        "without a metric's key": {"metrics": [{"value": 1, "timestamp": 1, "step": 0}]},
        "with a bad name": {"metrics": [{"key": "ok", "value": 1, "timestamp": 1, "step": 0}, {"key": "../x", "value": 1, "timestamp": 1, "step": 0}]},
        "of 1001 metrics": {"metrics": [{"key": "m", "value": 1, "timestamp": n, "step": 0} for n in range(1001)]},
        "of 101 parameters": {"params": [{"key": f"p{n}", "value": "1"} for n in range(101)]},
        "of 101 tags": {"tags": [{"key": f"t{n}", "value": "1"} for n in range(101)]},
        "of 1000 metrics and a tag": {"metrics": [{"key": "m", "value": 1, "timestamp": n, "step": 0} for n in range(1000)], "tags": [{"key": "t", "value": "1"}]},
        "of no run": {"run_id": "e" * 32, "tags": [{"key": "t", "value": "1"}]}, "of a path": {"run_id": "../../x"},
    }.items():
        yield post(f"log a batch {name}", "runs/log-batch", {"run_id": "${run}", **more})
    yield post("log a batch to the second", "runs/log-batch", {"run_id": "${run2}",
               "metrics": [{"key": "auc", "value": 0.7, "timestamp": 5, "step": 0}, {"key": "odd", "value": 1, "timestamp": 5, "step": 0}],
               "params": [{"key": "lr", "value": "0.01"}, {"key": "Opt", "value": "Adam"}], "tags": [{"key": "t", "value": "two words"}]})
    dataset = {"name": "iris", "digest": "d1", "source_type": "local", "source": "{}", "schema": "{}"}
    context = [{"key": "mlflow.data.context", "value": "train"}]
    for name, inputs in {"": [{"dataset": dataset, "tags": context}], "again": [{"dataset": dataset, "tags": context}],
                         "without a digest": [{"dataset": {"name": "x", "source_type": "l", "source": "s"}}],
                         "of a long name": [{"dataset": {**dataset, "name": "n" * 501}}]}.items():
        yield post(f"log an input {name}".strip(), "runs/log-inputs", {"run_id": "${run}", "datasets": inputs})
    for run in ["run", "run2", "run3"]:
        yield get(f"look at {run}", "runs/get", [("run_id", "${" + run + "}")])
    yield get("look by the older name", "runs/get", [("run_uuid", "${run}")])
    for wrong in ["", "0" * 32, "../x"]:
        yield get(f"look at run `{wrong}`", "runs/get", [("run_id", wrong)])
    for name, body in {"end": {"status": "FINISHED", "end_time": 5000}, "rename": {"run_name": "last"}, "kill": {"status": "KILLED"}}.items():
        yield post(f"update: {name}", "runs/update", {"run_id": "${run2}", **body})
    yield post("update nothing", "runs/update", {"run_id": "1" * 32, "status": "FINISHED"})

    # Searches of runs.
    filters = [
        "", "metrics.auc > 0.8", "metrics.auc >= 0.7", "metric.auc = 0.95", "metrics.auc != 0.95", "metrics.auc < 1", "metrics.auc <= .7",
        "metrics.odd > -1", "metrics.odd = 0", "metrics.`précision 1/α` = 1", "metrics.missing != 1", "params.lr = '0.1'", "params.lr != '0.1'",
        "param.lr LIKE '0.%'", "parameters.Opt LIKE 'adam'", "params.Opt ILIKE 'ADAM'", "params.Opt IS NULL", "params.Opt IS NOT NULL",
        "tags.t = 'two words'", 'tags."t" = "2"', "tags.mlflow.source.type = 'LOCAL'", "tag.colour IS NULL", "status = 'RUNNING'",
        "status = 'running'", "status != 'RUNNING'", "attributes.status LIKE 'KILL%'", "run_name = 'last'", "`Run name` = 'last'",
        "attr.user_id = 'ada'", "start_time > 1500", "created <= 1000", "end_time = 5000", "run_id = '${run}'", "run_id IN ('${run}', 'x')",
        "run_id NOT IN ('${run}')", "datasets.name = 'iris'", "dataset.context = 'train'", "dataset.digest IN ('d1')",
        "metrics.auc > 0.8 AND params.lr = '0.1'", "metrics.auc > 0.8 and tags.t = '2' AND status = 'RUNNING'", "artifact_uri LIKE 'mlflow%'",
        "metrics.auc > 0.8 OR params.lr = '0.1'", "metrics.auc > '0.8'", "params.lr = 0.1", "params.lr == '0.1'", "metrics.auc <> 1",
        "foo.bar = '1'", "foo = '1'", "status IN ('RUNNING')", "metrics.auc", "metrics.auc >", "(metrics.auc > 1)", "metrics.auc IS NULL",
        "NOT metrics.auc > 1", "metrics.auc BETWEEN 0 AND 1", "params.lr = 'a' ; drop table runs", "run_id IN ()", "tags.t = '2' AND",
        "params.lr > '0'", "run_name IN ('a')", "datasets.colour = 'x'", "params.`lr` = '0.1'", "params.lr = \"0.1\"", "attribute.run_name LIKE '%'",
    ]
    for text in filters:
        yield post(f"search runs: {text}", "runs/search", {"experiment_ids": ["${one}"], "filter": text, "max_results": 10})
    for order in [["metrics.auc"], ["metrics.auc DESC"], ["metrics.odd ASC"], ["metrics.odd DESC"], ["params.lr"], ["params.lr DESC"], ["tags.t"],
                  ["start_time"], ["attributes.start_time DESC"], ["run_name ASC"], ["status"], ["end_time"], ["metrics.auc", "start_time"],
                  ["foo"], ["metrics.auc up"], ["dataset.name"], ["`metrics`.auc"], ["metrics.`auc` desc"]]:
        yield post(f"search runs in the order {order}", "runs/search", {"experiment_ids": ["${one}"], "order_by": order, "max_results": 10})
    for name, body in {"one": {"max_results": 1}, "none": {"max_results": 0}, "too many": {"max_results": 50001}, "less than none": {"max_results": -1},
                       "a wrong token": {"page_token": "zz"}, "no experiment": {"experiment_ids": []}, "unknown": {"experiment_ids": ["777"]},
                       "deleted": {"run_view_type": "DELETED_ONLY"}, "all": {"run_view_type": "ALL"}}.items():
        yield post(f"search runs: page: {name}", "runs/search", {"experiment_ids": ["${one}"], **body})

    # Curves.
    for name, query in {"": [], "of one": [("max_results", "1")], "of none": [("max_results", "0")]}.items():
        yield get(f"a curve {name}".strip(), "metrics/get-history", [("run_id", "${run}"), ("metric_key", "loss"), *query])
    yield get("an unknown curve", "metrics/get-history", [("run_id", "${run}"), ("metric_key", "nothing")])
    yield get("a curve without a key", "metrics/get-history", [("run_id", "${run}")])
    both = [("run_ids", "${run}"), ("run_ids", "${run2}")]
    for name, query in {"": [], "between": [("start_step", "0"), ("end_step", "1")], "of two": [("max_results", "2")], "half open": [("start_step", "0")],
                        "backwards": [("start_step", "2"), ("end_step", "1")], "of too many": [("max_results", "2501")], "of none": [("max_results", "0")]}.items():
        yield get(f"sampled curves {name}".strip(), "metrics/get-history-bulk-interval", [*both, ("metric_key", "auc"), *query])

    # Deleting and restoring.
    yield post("delete a run", "runs/delete", {"run_id": "${run3}"})
    yield post("delete it again", "runs/delete", {"run_id": "${run3}"})
    yield post("write to a deleted run", "runs/set-tag", {"run_id": "${run3}", "key": "a", "value": "b"})
    yield get("look at a deleted run", "runs/get", [("run_id", "${run3}")])
    yield post("find deleted runs", "runs/search", {"experiment_ids": ["${one}"], "run_view_type": "DELETED_ONLY"})
    yield post("restore a run", "runs/restore", {"run_id": "${run3}"})
    yield post("restore it again", "runs/restore", {"run_id": "${run3}"})
    yield post("delete an experiment", "experiments/delete", {"experiment_id": "${two}"})
    yield post("delete it again ", "experiments/delete", {"experiment_id": "${two}"})
    yield post("begin a run in a deleted one", "runs/create", {"experiment_id": "${two}"})
    yield post("tag a deleted one", "experiments/set-experiment-tag", {"experiment_id": "${two}", "key": "a", "value": "b"})
    yield post("find deleted experiments", "experiments/search", {"max_results": 9, "view_type": "DELETED_ONLY"})
    yield post("restore an experiment", "experiments/restore", {"experiment_id": "${two}"})
    yield post("restore it again ", "experiments/restore", {"experiment_id": "${two}"})

    # Logged models.
    yield post("log a model", "logged-models", {"experiment_id": "${one}", "name": "forest", "source_run_id": "${run}", "model_type": "tree",
               "params": [{"key": "depth", "value": "3"}], "tags": [{"key": "t", "value": "1"}]}, keep={"model": "model.info.model_id"})
    for name in ["a/b", "a:b", "a.b", "a%b", "a'b"]:
        yield post(f"log a model named {name}", "logged-models", {"experiment_id": "${one}", "name": name})
    yield sent("PATCH", "a model is ready", "logged-models/${model}", {"model_id": "${model}", "status": "LOGGED_MODEL_READY"})
    yield sent("PATCH", "tag a model", "logged-models/${model}/tags", {"tags": [{"key": "u", "value": "2"}]})
    yield get("look at a model", "logged-models/${model}")
    yield get("look at no model", "logged-models/m-" + "0" * 32)
    yield post("a model came out", "runs/outputs", {"run_id": "${run}", "models": [{"model_id": "${model}", "step": 0}]})
    yield post("measure a model", "runs/log-metric", {**metric, "key": "f1", "value": 0.8, "model_id": "${model}", "dataset_name": "iris", "dataset_digest": "d1"})
    for text in ["", "name = 'forest'", "name = 'x'", "metrics.f1 > 0.5", "params.depth = '3'", "tags.t = '1'", "source_run_id = '${run}'", "model_type = 'tree'"]:
        yield post(f"search models: {text}", "logged-models/search", {"experiment_ids": ["${one}"], "filter": text})
    yield sent("DELETE", "untag a model", "logged-models/${model}/tags/u", {})
    yield sent("DELETE", "untag it again", "logged-models/${model}/tags/u", {})

    # The registry.
    yield post("register a model", "registered-models/create", {"name": "reg", "description": "d", "tags": [{"key": "k", "value": "v"}]})
    for name in ["reg", "", "a/b", "a:b", "../x", None, 7]:
        yield post(f"register a model named {name!r}", "registered-models/create", {"name": name})
    yield post("register a version", "model-versions/create", {"name": "reg", "source": "models:/${model}", "model_id": "${model}", "run_id": "${run}"})
    for source in ["file:///etc", "//etc", "/etc", "/tmp", "mlflow-artifacts://host/../../../", "s3:/b/models/path/../../x", "mlflow-artifacts:/x;../../../../etc",
                   "file:///etc#/../../x", "file:/etc", "FILE:///etc", "file://localhost/etc", "local:/etc", ":///etc", "C:\\x", "mlflow-artifacts:/..%2f..%2f", "runs:/x/y", ""]:
        yield post(f"register a version from {source}", "model-versions/create", {"name": "reg", "source": source})
    yield post("register a version of nothing", "model-versions/create", {"name": "nothing", "source": "models:/${model}", "model_id": "${model}"})
    for alias in ["champion", "latest", "LATEST", "v1", "a b", "", "x" * 256, "challenger"]:
        yield post(f"set the alias `{alias}`", "registered-models/alias", {"name": "reg", "alias": alias, "version": "1"})
    yield post("an alias to no version", "registered-models/alias", {"name": "reg", "alias": "a", "version": "77"})
    yield get("follow an alias", "registered-models/alias", [("name", "reg"), ("alias", "champion")])
    yield get("follow an unknown alias", "registered-models/alias", [("name", "reg"), ("alias", "zz")])
    yield sent("DELETE", "remove an alias", "registered-models/alias", {"name": "reg", "alias": "challenger"})
    yield sent("DELETE", "remove it again  ", "registered-models/alias", {"name": "reg", "alias": "challenger"})
    yield get("look at a registered model", "registered-models/get", [("name", "reg")])
    yield get("look at an unknown one", "registered-models/get", [("name", "nothing")])
    for version in ["1", "77", "abc", ""]:
        yield get(f"look at version `{version}`", "model-versions/get", [("name", "reg"), ("version", version)])
    yield get("where the files are", "model-versions/get-download-uri", [("name", "reg"), ("version", "1")])
    yield sent("PATCH", "describe a version", "model-versions/update", {"name": "reg", "version": "1", "description": "good"})
    yield sent("PATCH", "describe a model", "registered-models/update", {"name": "reg", "description": "better"})
    yield post("tag a version", "model-versions/set-tag", {"name": "reg", "version": "1", "key": "k", "value": "v"})
    yield post("move to a stage", "model-versions/transition-stage", {"name": "reg", "version": "1", "stage": "staging", "archive_existing_versions": False})
    yield post("move to no stage", "model-versions/transition-stage", {"name": "reg", "version": "1", "stage": "moon", "archive_existing_versions": False})
    for text in ["", "name = 'reg'", "name LIKE 'r%'", "name ILIKE 'R%'", "tags.k = 'v'", "name != 'reg'", "foo = 'x'"]:
        yield get(f"search registered models: {text}", "registered-models/search", [("filter", text), ("max_results", "10")])
    for text in ["", "name = 'reg'", "run_id = '${run}'", "tags.k = 'v'", "version_number = 1", "version_number > 1", "version = 1"]:
        yield get(f"search versions: {text}", "model-versions/search", [("filter", text), ("max_results", "10")])
    yield post("rename a model", "registered-models/rename", {"name": "reg", "new_name": "second"})
    yield sent("DELETE", "delete a version", "model-versions/delete", {"name": "second", "version": "1"})
    yield get("look at a deleted version", "model-versions/get", [("name", "second"), ("version", "1")])
    yield sent("DELETE", "delete a registered model", "registered-models/delete", {"name": "second"})
    yield sent("DELETE", "delete it again   ", "registered-models/delete", {"name": "second"})

    # Files.
    def file(method, name, path, **more):
        return {"name": name, "method": method, "path": FILES + path, **more}

    place = "/${one}/${run}/artifacts"
    yield file("PUT", "bring a file", f"{place}/a/b.txt", raw="hello", type="text/plain")
    yield file("PUT", "bring an empty file", f"{place}/empty", raw="", type="text/plain")
    yield file("GET", "take a file", f"{place}/a/b.txt")
    yield file("GET", "take nothing", f"{place}/nothing")
    yield file("GET", "take a folder", f"{place}/a")
    for path in ["", "/a", "/a/b.txt", "/nothing"]:
        yield file("GET", f"list `{path}`", "", query=[("path", "${one}/${run}/artifacts" + path)])
        yield get(f"list the run's `{path}`", "artifacts/list", [("run_id", "${run}"), ("path", path.lstrip("/"))])
    for path in ["/..%2f..%2fx", "/%2fetc%2fpasswd", "/%252e%252e%252fx", "/a%5c..%5cb", "/x%23y/../z"]:
        yield file("GET", f"take `{path}`", path)
        yield file("PUT", f"bring `{path}`", path, raw="x", type="text/plain")
        yield file("DELETE", f"remove `{path}`", path)
    yield file("DELETE", "remove a folder", f"{place}/a")
    yield file("DELETE", "remove it again    ", f"{place}/a")

    # Requests as such.
    yield {"name": "no JSON", "method": "POST", "path": API + "experiments/create", "raw": "{"}
    yield {"name": "another type", "method": "POST", "path": API + "experiments/create", "raw": "name=x", "type": "application/x-www-form-urlencoded"}
    yield {"name": "a bare NaN", "method": "POST", "path": API + "runs/log-metric",
           "raw": '{"run_id": "0", "key": "k", "value": NaN, "timestamp": 1}'}
    yield {"name": "the wrong method", "method": "GET", "path": API + "experiments/create"}
    yield {"name": "no such path", "method": "GET", "path": API + "nothing/there"}


def main():
    recorded, known = [], {}
    with stock_server() as url:
        for case in cases():
            status, answer = ask(url, case, known)
            try:
                reply = json.loads(answer)
            except ValueError:
                reply = {"text": answer.decode(errors="replace")} if status == 200 else None
            for name, place in case.pop("keep", {}).items():
                known[name] = find(reply, place)
                case.setdefault("keep", {})[name] = place
            recorded.append({**case, "status": status, "reply": settle(reply, known)})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in recorded)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")
    print(f"{len(recorded)} cases")


if __name__ == "__main__":
    main()
