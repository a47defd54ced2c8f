"""The same session with MLflow's clients of two versions, each in an environment of its own, comes to
what it comes to with MLflow's own server."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import venv

import pytest

HERE = pathlib.Path(__file__).parent / "sessions"
VERSIONS = ["2.22.5", "3.17.2"]


def interpreter(version):
    """The interpreter of an environment with this client, made beside our own once for what is asked here."""
    home = pathlib.Path(os.environ.get("FETTLE_CLIENT_ENVS") or pathlib.Path(sys.prefix).parent) / f"mlflow-{version}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    asked, whole = [f"mlflow=={version}", "scikit-learn", "sqlalchemy<2.1"], home / "whole"
    if not whole.exists() or whole.read_text() != "\n".join(asked):
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *asked], check=True)
        whole.write_text("\n".join(asked))
    return python


@contextlib.contextmanager
def server(home):
    """Fettle, headless; gives the variables that it tells scripts to set."""
    fettle = [os.environ["FETTLE_BIN"], "--json", "-w", str(home / "workspace")]
    serving = subprocess.Popen([*fettle, "track", "serve"], stdout=subprocess.PIPE, text=True)
    try:
        serving.stdout.readline()
        told = subprocess.run([*fettle, "track", "url"], check=True, capture_output=True, text=True).stdout
        yield dict(json.loads(told)["environment"])
    finally:
        serving.terminate()
        serving.wait(timeout=30)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_comes_to_what_it_comes_to_with_mlflow(version, tmp_path):
    python, out = interpreter(version), tmp_path / "out.json"
    with server(tmp_path) as variables:
        variables = os.environ | variables | {"SESSION_OUT": str(out), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
        done = subprocess.run([python, HERE / "session.py"], env=variables, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-4000:]
    ours, theirs = json.loads(out.read_text()), json.loads((HERE / f"outcome-{version}.json").read_text())
    for part in theirs:
        assert ours[part] == theirs[part], part
