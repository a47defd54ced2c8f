"""A live endpoint for each kind of task, made by `fettle demo` in a workspace of its own."""

import csv
import dataclasses
import json
import os
import random
import subprocess

import pytest


@dataclasses.dataclass
class Endpoint:
    """A served model: where it answers, the token it asks for, and its package as a folder."""

    url: str
    token: str
    folder: str

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}


def program(name):
    path = os.environ.get(name)
    assert path, f"`{name}` is not set: run these tests with `cargo xtask test clients`"
    return path


def loans(path):
    """Two classes, numbers and texts with gaps, truth values."""
    chance = random.Random(5)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["income", "years", "purpose", "owns home", "repaid"])
        for _ in range(800):
            income, years = chance.lognormvariate(10, 0.5), chance.randrange(0, 40)
            purpose, owns = chance.choice(["car", "house", "été à la mer"]), chance.random() < 0.4
            score = (income - 22_000) / 12_000 + years / 20 + owns - 1.2 * (purpose == "car")
            repaid = score + chance.gauss(0, 0.6) > 0.5
            cell = lambda value: "" if chance.random() < 0.04 else value
            out.writerow([cell(round(income, 2)), cell(years), cell(purpose), str(owns).lower(), "yes" if repaid else "no"])


def rents(path):
    """A number to predict."""
    chance = random.Random(6)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["area", "floor", "district", "rent"])
        for _ in range(800):
            area, floor, district = chance.uniform(20, 160), chance.randrange(0, 12), chance.choice("NSEW")
            rent = 9.5 * area + 12 * floor + 80 * "NSEW".index(district) + chance.gauss(0, 40)
            out.writerow([round(area, 1), floor if chance.random() > 0.05 else "", district, round(rent, 2)])


MADE = {"penguins": None, "loans": (loans, "repaid"), "rents": (rents, "rent")}


@pytest.fixture(scope="session", params=MADE)
def endpoint(request, tmp_path_factory):
    home = tmp_path_factory.mktemp(request.param)
    workspace = str(home / "workspace")

    def fettle(*words):
        call = [program("FETTLE_BIN"), "--json", "-w", workspace, *words]
        return json.loads(subprocess.run(call, check=True, capture_output=True, text=True, timeout=300).stdout)

    words = ["demo"]
    if MADE[request.param]:
        make, target = MADE[request.param]
        make(home / f"{request.param}.csv")
        words += ["--file", str(home / f"{request.param}.csv"), "--target", target]
    report = fettle(*words)
    model, folder = report["model"], str(home / "package")
    fettle("model", "export", f"{model['name']}@{model['version']}", "--to", folder)
    name = fettle("call", "deployment.list")[0]["name"]
    shown = fettle("deployment", "status", name)
    yield Endpoint(report["endpoint"], shown["token"], folder)
    fettle("deployment", "stop", name)
