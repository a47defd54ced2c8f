"""Stores that MLflow itself filled, with its database and with its folder, in two versions: what a client
finds in them it finds here after the import, field by field, and again in what goes out."""

import json
import os
import pathlib
import subprocess

import pytest

from test_tracking import VERSIONS, interpreter, server

HERE = pathlib.Path(__file__).parent / "stores"
KINDS = {"database": "sqlite:///mlflow.db", "folder": "mlruns"}
INFINITE = 1.7976931348623157e308


def run(words, folder, variables=None):
    environment = os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true"} | (variables or {})
    done = subprocess.run([str(word) for word in words], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def fettle(folder, *words):
    return json.loads(run([os.environ["FETTLE_BIN"], "--json", "-w", folder / "workspace", *words], folder))


def dumped(python, uri, folder, name, variables=None):
    run([python, HERE / "dump.py", uri, folder / name, "--files"], folder, variables)
    return json.loads((folder / name).read_text(), parse_constant=lambda word: {"Infinity": INFINITE, "-Infinity": -INFINITE}[word])


def alike(found):
    """Without what another place of the files or another store says otherwise."""
    for one in found["logged"].values():
        one["type"] = one["type"] or ""
        one["metrics"] = [json.loads(point) for point in sorted(set(map(json.dumps, one["metrics"])))]
    for part in ("runs", "logged"):
        for one in found[part].values():
            # A version that was registered leaves its mark here only if it is registered here.
            one["tags"].pop("mlflow.modelVersions", None)
    for one in found["versions"].values():
        # Nothing and an empty text are the same.
        one.update({name: one[name] or "" for name in ("note", "user", "run")})
    for one in found["registered"].values():
        one["note"] = one["note"] or ""
        one["aliases"] = {name: int(number) for name, number in one["aliases"].items()}
    for one in found["runs"].values():
        # A folder may hold a point twice, which a database and we do not.
        one["curves"] = {key: [json.loads(point) for point in sorted(set(map(json.dumps, points)))] for key, points in one["curves"].items()}
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_mlflow_comes_in_and_goes_out_as_it_was(version, kind, tmp_path):
    python, uri = interpreter(version), KINDS[kind]
    theirs_at = tmp_path / "theirs"
    theirs_at.mkdir()
    run([python, HERE / "make.py", uri], theirs_at)
    theirs = alike(dumped(python, uri, theirs_at, "theirs.json"))
    # Filled with what it is to show.
    assert len(theirs["runs"]) == 8 and theirs["versions"]["churn 3"]["aliases"] == ["champion"]
    assert any(len(one["files"]) >= 3 for one in theirs["runs"].values())

    fettle(tmp_path, "workspace", "new", tmp_path / "workspace")
    moved = fettle(tmp_path, "track", "import", theirs_at)
    assert moved["isChanged"] and not [note for note in moved["notes"] if note["kind"] in ("conflict", "skipped")], moved
    again = fettle(tmp_path, "track", "import", theirs_at)
    assert not again["isChanged"] and not [note for note in again["notes"] if note["kind"] == "conflict"], again

    with server(tmp_path) as variables:
        ours = alike(dumped(python, variables["MLFLOW_TRACKING_URI"], tmp_path, "ours.json", variables))
    for part in theirs:
        assert ours[part] == theirs[part], part

    out = tmp_path / "out" / "mlruns"
    fettle(tmp_path, "track", "export", out)
    back = alike(dumped(interpreter("3.17.2"), str(out), tmp_path, "back.json"))
    for part in theirs:
        assert back[part] == theirs[part], part

    # MLflow's own tool makes a database of it, which any of its tools opens.
    migrate = ["-m", "mlflow", "migrate-filestore", "--source", out, "--target", "sqlite:///migrated.db"]
    run([interpreter("3.17.2"), *migrate], tmp_path)
    migrated = alike(dumped(interpreter("3.17.2"), "sqlite:///migrated.db", tmp_path, "migrated.json"))
    assert migrated["runs"].keys() == theirs["runs"].keys()
