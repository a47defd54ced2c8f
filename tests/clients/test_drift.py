"""Public data sets of the package `river`, each with a change at a known row: alarms come after the
change and not before it.

Four are real; what is changed is which of their rows arrive (only those with a high value in one column),
no value is made up. The fifth is SEA (Street and Kim 2001): its inputs stay as they are and come to mean
something else, which drift cannot see and true answers can.
"""

import csv
import json
import random
import subprocess

import pytest
from river import datasets
from river.datasets import synth

from conftest import program

WINDOW = 150
"""Rows of a window; a look at unchanged data raises an alarm at most once in a hundred."""


def rows_of(data, most, target):
    """Shuffled rows as dictionaries: what real streams change by themselves is not the question here."""
    named = lambda name: f"x{name}" if name.isdigit() else name
    rows = [{**{named(name): value for name, value in x.items()}, target: y} for x, y in data.take(10 * most)]
    random.Random(3).shuffle(rows)
    return rows[:most]


def selected(rows, column, train, before):
    """The first rows as they are, then only those with a value of the upper two fifths."""
    limit = sorted(row[column] for row in rows)[3 * len(rows) // 5]
    rest = [row for row in rows[train + before :] if row[column] > limit]
    return rows[:train], rows[train : train + before], rest


def sea(train, before, after):
    """Two functions of the same inputs: the border between the classes moves from 8 to 9.5."""
    stream = lambda variant, rows: [
        {"a": x[0], "b": x[1], "c": x[2], "y": "yes" if y else "no"} for x, y in synth.SEA(variant=variant, seed=11).take(rows)
    ]
    first = stream(0, train + before)
    moved = [{**row, "y": "no" if row["y"] == "yes" else "yes"} if 6 < row["a"] + row["b"] < 11 else row for row in stream(0, after)]
    return first[:train], first[train:], moved


REAL = {
    "segments": (datasets.ImageSegments, 2300, "intensity-mean"),
    "bananas": (datasets.Bananas, 3000, "x1"),
    "phishing": (datasets.Phishing, 1250, "is_popular"),
    "shuttle": (datasets.Shuttle, 3000, "f1"),
}


class Monitored:
    """A deployed model and the monitor of its endpoint."""

    def __init__(self, home, rows, target):
        self.home, self.target = home, target
        self.workspace = str(home / "workspace")
        self.fettle("demo", "--file", self.file("history", rows), "--target", target)
        self.name = self.fettle("call", "deployment.list")[0]["name"]
        rule = {"metric": "psi", "threshold": 0.25, "windowRows": WINDOW, "isEnabled": True}
        self.fettle("call", "monitor.set_rules", json.dumps({"deployment": self.name, "rules": [rule]}))

    def call(self, *words):
        call = [program("FETTLE_BIN"), "--json", "-w", self.workspace, *words]
        done = subprocess.run(call, capture_output=True, text=True, timeout=300)
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    def fettle(self, *words):
        code, said, trouble = self.call(*words)
        assert code == 0, trouble
        return said

    def file(self, name, rows):
        path = self.home / f"{name}.csv"
        with open(path, "w", newline="") as file:
            out = csv.DictWriter(file, rows[0].keys())
            out.writeheader()
            out.writerows(rows)
        return str(path)

    def monitor(self, *words):
        return self.call("-p", "demo", "monitor", words[0], self.name, *words[1:])

    def send(self, name, rows):
        """Sends rows window by window, as callers would."""
        for at in range(0, len(rows) - WINDOW + 1, WINDOW):
            path = self.file(f"{name}-{at}", rows[at : at + WINDOW])
            assert self.monitor("replay", path)[0] == 0
            yield path

    def check(self, path):
        return self.monitor("check", path)

    def stop(self):
        self.fettle("-p", "demo", "deployment", "stop", self.name)


@pytest.mark.parametrize("name", REAL)
def test_drift_alarms_after_the_change_and_not_before(name, tmp_path):
    load, most, column = REAL[name]
    rows = rows_of(load(), most, "target")
    train, before, after = selected(rows, column, most * 3 // 10, most * 3 // 10 // WINDOW * WINDOW)
    monitored = Monitored(tmp_path, train, "target")
    try:
        for path in monitored.send("before", before):
            code, said, _ = monitored.check(path)
            worst = said["features"][0]
            assert code == 0, f"a false alarm: {worst['column']} PSI {worst['psi']} p {worst['adjustedP']}"
        assert monitored.monitor("status")[1]["alerts"] == [], "nothing has changed"
        for path in monitored.send("after", after):
            code, said, _ = monitored.check(path)
            assert code == 5, f"no alarm: {said['features'][0]}"
            assert column in [one["column"] for one in said["features"] if one["level"] == "alarm"]
        alerts = monitored.monitor("status")[1]["alerts"]
        assert len(alerts) == 1 and "has drifted" in alerts[0]["message"]
        code, over_time, _ = monitored.monitor("windows", "--rows", str(WINDOW))
        assert code == 5 and over_time["windows"][-1]["level"] == "alarm"
    finally:
        monitored.stop()


def test_true_answers_show_what_drift_of_inputs_cannot(tmp_path):
    train, before, after = sea(1500, 4 * WINDOW, 2 * WINDOW)
    monitored = Monitored(tmp_path, train, "y")
    try:
        for path in monitored.send("before", before):
            monitored.monitor("label", path)
        code, good, _ = monitored.monitor("performance", "--rows", str(WINDOW))
        assert code == 0, good
        assert [one["level"] for one in good["windows"]].count("alarm") == 0
        for path in monitored.send("after", after):
            monitored.monitor("label", path)
        code, bad, _ = monitored.monitor("performance", "--rows", str(WINDOW))
        assert code == 5 and bad["windows"][-1]["level"] == "alarm", bad["windows"][-1]
        last = bad["windows"][-1]
        assert last["value"] < last["estimated"]["low"], "an estimate cannot see that inputs mean something else"
        assert monitored.monitor("status")[1]["level"] != "alarm", "the inputs are what they were"
    finally:
        monitored.stop()
