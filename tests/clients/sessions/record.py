"""Writes what comes of a session with MLflow's own server to `outcome-<version>.json` beside this file.
Run it with `mlflow==3.17.2`, whose server is the measure, and name the interpreter whose client is to be
recorded: `python record.py /path/of/an/environment/bin/python`; our own if none is named."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "corpus"))

import record as corpus  # noqa: E402  (the folder of the corpus has it)


def main():
    client = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    ask = [client, "-c", "import mlflow; print(mlflow.__version__)"]
    version = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    with corpus.stock_server() as url:
        out = HERE / f"outcome-{version}.json"
        variables = os.environ | {"MLFLOW_TRACKING_URI": url, "SESSION_OUT": str(out)}
        subprocess.run([client, str(HERE / "session.py")], check=True, env=variables)


if __name__ == "__main__":
    main()
