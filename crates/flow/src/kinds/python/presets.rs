//! Scripts that people start from. Each trains on the rows of the part 0 of a split, if there is one,
//! and measures on the others.

use crate::kind::Preset;

/// What people start from.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "python",
        title: "Python function",
        summary: "A function from a table to a table.",
        params: r#"
code = """
import pandas as pd


def run(table: pd.DataFrame, fettle) -> pd.DataFrame:
    fettle.log_metric("rows", len(table))
    return table
"""
"#,
    },
    Preset {
        name: "sklearn",
        title: "scikit-learn",
        summary: "Trains a scikit-learn classifier and gives its scores and the fitted model.",
        params: r#"
packages = ["scikit-learn"]
inputs = ["table"]
outputs = ["scores", "model:files"]
parameters = { target = "y", iterations = 200, learning_rate = 0.1, seed = 1 }
code = """
import joblib
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def run(table: pd.DataFrame, target, iterations, learning_rate, seed, fettle):
    rows = table.dropna(subset=[target])
    # A table that went through a split step says in __split which rows may be learnt from.
    is_train = rows["__split"] == 0 if "__split" in rows else pd.Series(rows.index % 5 != 0, index=rows.index)
    features = rows.drop(columns=[target, "__split"], errors="ignore")
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    columns = make_column_transformer(
        (words, make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )
    trees = HistGradientBoostingClassifier(
        max_iter=iterations, learning_rate=learning_rate, random_state=seed, early_stopping=False
    )
    model = make_pipeline(columns, trees)
    model.fit(features[is_train], rows[target][is_train])

    chances = model.predict_proba(features)
    rows = rows.assign(prediction=model.classes_[chances.argmax(axis=1)])
    judged = ~is_train
    fettle.log_metric("accuracy", accuracy_score(rows[target][judged], rows["prediction"][judged]))
    fettle.log_metric("log_loss", log_loss(rows[target][judged], chances[judged], labels=model.classes_))
    joblib.dump(model, "model.joblib")
    return {"scores": rows, "model": "model.joblib"}
"""
"#,
    },
    Preset {
        name: "xgboost",
        title: "XGBoost",
        summary: "Trains an XGBoost classifier with its curve and gives its scores and the model as JSON.",
        params: r#"
packages = ["xgboost", "scikit-learn"]
inputs = ["table"]
outputs = ["scores", "model:files"]
parameters = { target = "y", rounds = 200, learning_rate = 0.1, max_depth = 6, seed = 1 }
code = """
import pandas as pd
import xgboost


def run(table: pd.DataFrame, target, rounds, learning_rate, max_depth, seed, fettle):
    rows = table.dropna(subset=[target])
    # A table that went through a split step says in __split which rows may be learnt from.
    is_train = rows["__split"] == 0 if "__split" in rows else pd.Series(rows.index % 5 != 0, index=rows.index)
    features = rows.drop(columns=[target, "__split"], errors="ignore")
    for name in features.select_dtypes(exclude="number"):
        features[name] = features[name].astype("category")
    classes = sorted(rows[target].unique())
    labels = rows[target].map({value: at for at, value in enumerate(classes)}).astype(int)

    model = xgboost.XGBClassifier(
        n_estimators=rounds,
        learning_rate=learning_rate,
        max_depth=max_depth,
        random_state=seed,
        n_jobs=fettle.threads,
        enable_categorical=True,
        tree_method="hist",
        eval_metric="mlogloss" if len(classes) > 2 else "logloss",
    )
    judged = (features[~is_train], labels[~is_train])
    model.fit(features[is_train], labels[is_train], eval_set=[judged], verbose=False)

    for name, values in model.evals_result()["validation_0"].items():
        for step, value in enumerate(values):
            fettle.log_metric(name, value, step)
    rows = rows.assign(prediction=[classes[at] for at in model.predict(features)])
    fettle.log_metric("accuracy", (rows[target] == rows["prediction"])[~is_train].mean())
    model.save_model("model.json")
    return {"scores": rows, "model": "model.json"}
"""
"#,
    },
    Preset {
        name: "pytorch",
        title: "PyTorch",
        summary: "Trains a small neural network on the numbers of a table and gives its scores and weights.",
        params: r#"
packages = ["torch", "numpy"]
inputs = ["table"]
outputs = ["scores", "model:files"]
parameters = { target = "y", epochs = 100, width = 64, learning_rate = 0.01, seed = 1 }
code = """
import pandas as pd
import torch
from torch import nn


def run(table: pd.DataFrame, target, epochs, width, learning_rate, seed, fettle):
    torch.manual_seed(seed)
    torch.set_num_threads(fettle.threads)
    torch.use_deterministic_algorithms(True)
    rows = table.dropna(subset=[target])
    # A table that went through a split step says in __split which rows may be learnt from.
    split = rows["__split"] if "__split" in rows else pd.Series((rows.index % 5 == 0).astype(int), index=rows.index)
    features = rows.drop(columns=[target, "__split"], errors="ignore").select_dtypes("number")
    is_train = (split == 0).to_numpy()
    mean, deviation = features[is_train].mean(), features[is_train].std().replace(0, 1)
    inputs = torch.tensor(((features - mean) / deviation).fillna(0).to_numpy("float32"))
    classes = sorted(rows[target].unique())
    labels = torch.tensor(rows[target].map({value: at for at, value in enumerate(classes)}).to_numpy("int64"))
    train = torch.tensor(is_train)

    model = nn.Sequential(nn.Linear(inputs.shape[1], width), nn.ReLU(), nn.Linear(width, len(classes)))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        optimizer.zero_grad()
        loss = loss_of(model(inputs[train]), labels[train])
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            held_out = loss_of(model(inputs[~train]), labels[~train])
        fettle.log_metrics({"loss": loss.item(), "held_out_loss": held_out.item()}, epoch)
        print(f"epoch {epoch + 1} of {epochs}: loss {loss.item():.4f}", flush=True)
    with torch.no_grad():
        answers = model(inputs).argmax(dim=1)
    fettle.log_metric("accuracy", (answers == labels)[~train].float().mean().item())
    torch.save(model.state_dict(), "model.pt")
    return {"scores": rows.assign(prediction=[classes[at] for at in answers]), "model": "model.pt"}
"""
"#,
    },
];
