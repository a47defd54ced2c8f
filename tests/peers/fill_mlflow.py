"""Fills a database of MLflow's with runs and one long curve: `python fill_mlflow.py mlflow.db RUNS POINTS`.

Through its API this would take hours. The rows are those that its API writes; the schema is its own."""
import random
import sqlite3
import sys

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

path, runs, points = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
SqlAlchemyStore(f"sqlite:///{path}", "files")
chance = random.Random(7)
ids = [f"{number:032x}" for number in range(runs)]
with sqlite3.connect(path) as db:
    db.executemany(
        "insert into runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage,"
        " artifact_uri, experiment_id, source_name, entry_point_name, source_version)"
        " values (?, ?, 'UNKNOWN', 'bench', 'FINISHED', ?, ?, 'active', ?, 0, '', '', '')",
        ((id, f"run {n}", n, n + 1, f"mlflow-artifacts:/0/{id}/artifacts") for n, id in enumerate(ids)),
    )
    for table in ["metrics", "latest_metrics"]:
        db.executemany(
            f"insert into {table} (key, value, timestamp, run_uuid, step, is_nan) values ('auc', ?, ?, ?, 0, 0)",
            ((random.Random(n).random(), n, id) for n, id in enumerate(ids)),
        )
    db.executemany(
        "insert into params (key, value, run_uuid) values ('depth', ?, ?)",
        ((str(n % 10), id) for n, id in enumerate(ids)),
    )
    curve = ((chance.random(), step, step) for step in range(points))
    db.executemany(
        f"insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values ('loss', ?, ?, '{ids[0]}', ?, 0)",
        curve,
    )
    db.execute(
        "insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan) values ('loss', 0, ?, ?, ?, 0)",
        (points, ids[0], points),
    )
