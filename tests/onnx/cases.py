"""Makes small random graphs, one operator or one tree ensemble each, and records what onnxruntime
answers, in the form of export.py. It looks for the corners that exporters rarely reach: every node
mode, missing values, base values, aggregates, post transforms, classes with one score, axes
counted from the end, broadcasting, double precision.

    venv/bin/python tests/onnx/cases.py OUT [SEED [COUNT]]
    FETTLE_ONNX_EXPORTS=OUT cargo test -p score --test exports -- --nocapture

Where onnxruntime itself refuses a graph or leaves memory unset, no case is written.
"""

import os
import sys

import numpy as np
import onnxruntime
from export import put
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
TRANSFORMS = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"]
KINDS = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "int64": TensorProto.INT64}
KINDS |= {"bool": TensorProto.BOOL, "object": TensorProto.STRING}


def model(nodes, inputs, outputs, constants=(), opset=17):
    infos = [helper.make_tensor_value_info(n, KINDS[str(v.dtype)], [None] * v.ndim) for n, v in inputs.items()]
    body = helper.make_graph(
        nodes,
        "case",
        infos,
        [helper.make_tensor_value_info(n, k, None) for n, k in outputs],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(body, opset_imports=opsets, ir_version=8)


def trees(random, features, targets, prefix, votes):
    names = ["falsenodeids", "featureids", "missing_value_tracks_true", "modes", "nodeids", "treeids", "truenodeids", "values"]
    nodes = {name: [] for name in names}
    leaves = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    modes = [MODES[random.integers(6)]] if random.random() < 0.4 else MODES

    def add(tree, depth):
        me = len([t for t in nodes["treeids"] if t == tree])
        for name, value in zip(names, [0, 0, 0, "LEAF", me, tree, 0, 0.0]):
            nodes[name].append(value)
        at = len(nodes["nodeids"]) - 1
        if depth == 0 or random.random() < 0.2:
            for target in votes(random):
                leaves["treeids"].append(tree)
                leaves["nodeids"].append(me)
                leaves["ids"].append(target)
                leaves["weights"].append(0.0)
        else:
            nodes["modes"][at] = modes[random.integers(len(modes))]
            nodes["featureids"][at] = int(random.integers(features))
            nodes["values"][at] = float(np.float32(random.integers(-3, 4) / 2))
            nodes["missing_value_tracks_true"][at] = int(random.integers(2))
            nodes["truenodeids"][at] = add(tree, depth - 1)
            nodes["falsenodeids"][at] = add(tree, depth - 1)
        return me

    for tree in range(random.integers(1, 6)):
        add(tree, 3)
    attributes = {f"nodes_{name}": value for name, value in nodes.items()}
    if random.random() < 0.3:
        del attributes["nodes_missing_value_tracks_true"]
    return attributes | {f"{prefix}_{name}": value for name, value in leaves.items()}


def features_of(random, kind):
    x = (random.integers(-4, 5, (30, 4)) / 2).astype(kind)
    if kind != "int64":
        x[random.random(x.shape) < 0.15] = np.nan
    return x


def classifier(random):
    count = int(random.integers(2, 5))
    style = random.integers(3)
    one = int(random.integers(count))
    votes = {
        0: lambda r: [one],
        1: lambda r: list(range(count)),
        2: lambda r: sorted(set(r.integers(0, count, 2).tolist())),
    }[int(style)]
    attributes = trees(random, 4, count, "class", votes)
    size = len(attributes["class_weights"])
    low = 0.0 if random.random() < 0.5 else -1.0
    attributes["class_weights"] = random.uniform(low, 1.0, size).astype(np.float32).tolist()
    labels = {"classlabels_strings": [f"c{i}" for i in range(count)]}
    if random.random() < 0.5:
        start = int(random.integers(2))
        labels = {"classlabels_int64s": [i * 2 + start for i in range(count)]}
    base = random.choice([0, 1, 2, count])
    if base and base <= count:
        attributes["base_values"] = random.uniform(-0.5, 0.5, base).astype(np.float32).tolist()
    attributes["post_transform"] = str(random.choice(TRANSFORMS))
    node = helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml", **attributes, **labels)
    kind = TensorProto.STRING if "classlabels_strings" in labels else TensorProto.INT64
    x = features_of(random, random.choice(["float32", "float64", "int64"]))
    return model([node], {"x": x}, [("label", kind), ("scores", TensorProto.FLOAT)]), {"x": x}


def regressor(random):
    count = int(random.integers(1, 4))
    votes = (lambda r: [0]) if count == 1 else (lambda r: sorted(set(r.integers(0, count, 2).tolist())))
    attributes = trees(random, 4, count, "target", votes)
    attributes["target_weights"] = random.uniform(-1, 1, len(attributes["target_weights"])).astype(np.float32).tolist()
    if random.random() < 0.5:
        attributes["base_values"] = random.uniform(-0.5, 0.5, count).astype(np.float32).tolist()
    attributes["post_transform"] = str(random.choice(TRANSFORMS[:4] if count > 1 else TRANSFORMS))
    attributes["aggregate_function"] = str(random.choice(["SUM", "AVERAGE", "MIN", "MAX"]))
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=count, **attributes)
    x = features_of(random, random.choice(["float32", "float64"]))
    return model([node], {"x": x}, [("y", TensorProto.FLOAT)]), {"x": x}


def linear(random):
    features, targets = 4, int(random.integers(1, 4))
    weights = random.normal(size=targets * features).astype(np.float32).tolist()
    common = {"coefficients": weights, "intercepts": random.normal(size=targets).astype(np.float32).tolist()}
    x = random.normal(size=(10, features)).astype(random.choice(["float32", "float64"]))
    transform = str(random.choice(TRANSFORMS[:4]))
    if random.random() < 0.5:
        node = helper.make_node("LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml", targets=targets, post_transform=transform, **common)
        return model([node], {"x": x.astype("float32")}, [("y", TensorProto.FLOAT)]), {"x": x.astype("float32")}
    labels = [f"c{i}" for i in range(2 if targets == 1 else targets)]
    node = helper.make_node(
        "LinearClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml", classlabels_strings=labels, post_transform=transform, **common
    )
    return model([node], {"x": x}, [("label", TensorProto.STRING), ("scores", TensorProto.FLOAT)]), {"x": x}


def arithmetic(random):
    kind = random.choice(["float32", "float64", "int64"])
    shapes = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((3, 4), ()), ((2, 3, 4), (3, 1)), ((1,), (5, 1))]
    left, right = shapes[random.integers(len(shapes))]
    make = lambda shape: np.asarray(random.integers(-3, 4, shape)).astype(kind)
    a, b = make(left), make(right)
    op = str(random.choice(["Add", "Sub", "Mul", "Div", "Max", "Min", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Pow"]))
    if kind != "int64" and random.random() < 0.4:
        a = np.where(np.asarray(random.random(left)) < 0.2, np.asarray(np.nan, kind), a).astype(kind)
    if op in ("Div", "Pow") and kind == "int64":
        op = "Mul"
    out = TensorProto.BOOL if op in ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual") else KINDS[kind]
    return model([helper.make_node(op, ["a", "b"], ["c"])], {"a": a, "b": b}, [("c", out)]), {"a": a, "b": b}


def unary(random):
    kind = random.choice(["float32", "float64"])
    x = random.normal(scale=3, size=(4, 3)).astype(kind)
    op = str(random.choice(["Abs", "Neg", "Exp", "Log", "Sqrt", "Floor", "Ceil", "Round", "Sigmoid", "Tanh", "Reciprocal", "Sign", "IsNaN", "Erf", "Relu"]))
    if op == "Round":
        x = (np.round(x * 2) / 2).astype(kind)
    if op in ("Log", "Sqrt"):
        x = np.abs(x)
    out = TensorProto.BOOL if op == "IsNaN" else KINDS[kind]
    return model([helper.make_node(op, ["x"], ["y"])], {"x": x}, [("y", out)]), {"x": x}


def reduce(random):
    kind = random.choice(["float32", "float64", "int64"])
    x = random.integers(-4, 5, (2, 3, 4)).astype(kind)
    keep = int(random.integers(2))
    if random.random() < 0.4:
        op = str(random.choice(["ArgMax", "ArgMin"]))
        node = helper.make_node(op, ["x"], ["y"], axis=int(random.integers(-3, 3)), keepdims=keep, select_last_index=int(random.integers(2)))
        return model([node], {"x": x}, [("y", TensorProto.INT64)]), {"x": x}
    if random.random() < 0.3:
        x = x.astype("float32")
        node = helper.make_node(str(random.choice(["Softmax", "LogSoftmax"])), ["x"], ["y"], axis=int(random.integers(-3, 3)))
        return model([node], {"x": x}, [("y", TensorProto.FLOAT)], opset=int(random.choice([11, 17]))), {"x": x}
    names = ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL1"]
    names += [] if kind == "int64" else ["ReduceMean", "ReduceL2", "ReduceLogSumExp"]
    axes = [[0], [-1], [0, 2], [1, -1], None][random.integers(5)]
    op = str(random.choice(names))
    if op == "ReduceSum":
        inputs, constants = (["x"], []) if axes is None else (["x", "axes"], [("axes", np.array(axes, np.int64))])
        node = helper.make_node(op, inputs, ["y"], keepdims=keep)
        return model([node], {"x": x}, [("y", KINDS[kind])], constants), {"x": x}
    extra = {} if axes is None else {"axes": axes}
    return model([helper.make_node(op, ["x"], ["y"], keepdims=keep, **extra)], {"x": x}, [("y", KINDS[kind])]), {"x": x}


def shapes(random):
    x = random.normal(size=(2, 3, 4)).astype("float32")
    ints = lambda name, values: (name, np.array(values, np.int64))
    choice = int(random.integers(9))
    if choice == 0:
        nodes, constants = [helper.make_node("Reshape", ["x", "s"], ["y"])], [ints("s", [[0, -1], [-1], [4, 0, 2], [3, 8]][random.integers(4)])]
    elif choice == 1:
        nodes, constants = [helper.make_node("Transpose", ["x"], ["y"], perm=random.permutation(3).tolist())], []
    elif choice == 2:
        nodes, constants = [helper.make_node("Gather", ["x", "i"], ["y"], axis=int(random.integers(-3, 3)))], [ints("i", [[0, -1], [1, 0]])]
    elif choice == 3:
        start, end, step = [[0, 2, 1], [-1, -100, -1], [1, 100, 2], [-2, 3, 1]][random.integers(4)]
        nodes = [helper.make_node("Slice", ["x", "a", "b", "c", "d"], ["y"])]
        constants = [ints("a", [start]), ints("b", [end]), ints("c", [int(random.integers(-3, 3))]), ints("d", [step])]
    elif choice == 4:
        nodes = [helper.make_node("Split", ["x", "s"], ["p", "q"], axis=2), helper.make_node("Concat", ["q", "p"], ["y"], axis=-1)]
        constants = [ints("s", [1, 3])]
    elif choice == 5:
        nodes = [helper.make_node("Unsqueeze", ["x", "a"], ["u"]), helper.make_node("Squeeze", ["u", "b"], ["y"])]
        constants = [ints("a", [0, -1]), ints("b", [-1])]
    elif choice == 6:
        nodes, constants = [helper.make_node("Flatten", ["x"], ["y"], axis=int(random.integers(-3, 4)))], []
    elif choice == 7:
        nodes, constants = [helper.make_node("Expand", ["x", "s"], ["y"])], [ints("s", [5, 1, 1, 1])]
    else:
        weights = random.normal(size=(3, 4) if random.random() < 0.5 else (4, 3)).astype("float32")
        turned = int(weights.shape == (3, 4))
        nodes = [helper.make_node("Reshape", ["x", "s"], ["f"]), helper.make_node("Gemm", ["f", "w", "b"], ["y"], alpha=0.5, beta=2.0, transB=turned)]
        constants = [ints("s", [6, 4]), ("w", weights), ("b", random.normal(size=3).astype("float32"))]
    return model(nodes, {"x": x}, [("y", TensorProto.FLOAT)], constants), {"x": x}


def prepare(random):
    x = random.normal(size=(6, 3)).astype(random.choice(["float32", "float64"]))
    x[0, 1] = np.nan
    single = x.astype("float32")
    ml = {"domain": "ai.onnx.ml"}
    choice = int(random.integers(6))
    if choice == 0:
        node = helper.make_node("Scaler", ["x"], ["y"], offset=[0.5, 1.0, -1.0], scale=[2.0, 0.1, 3.0], **ml)
        return model([node], {"x": x}, [("y", TensorProto.FLOAT)]), {"x": x}
    if choice == 1:
        node = helper.make_node("Imputer", ["x"], ["y"], imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=float("nan"), **ml)
        return model([node], {"x": single}, [("y", TensorProto.FLOAT)]), {"x": single}
    if choice == 2:
        node = helper.make_node("Normalizer", ["x"], ["y"], norm=str(random.choice(["L1", "L2"])), **ml)
        positive = np.abs(np.nan_to_num(single))
        return model([node], {"x": positive}, [("y", TensorProto.FLOAT)]), {"x": positive}
    words = np.array([["a", "b"], ["c", ""], ["zz", "a"]], object)
    if choice == 3:
        node = helper.make_node("OneHotEncoder", ["x"], ["y"], cats_strings=["a", "b", "c"], zeros=1, **ml)
        return model([node], {"x": words}, [("y", TensorProto.FLOAT)]), {"x": words}
    if choice == 4:
        node = helper.make_node("LabelEncoder", ["x"], ["y"], keys_strings=["a", "b"], values_floats=[1.5, 2.5], default_float=-1.0, **ml)
        return model([node], {"x": words}, [("y", TensorProto.FLOAT)]), {"x": words}
    numbers = np.array([[1, 7], [2, 3]], np.int64)
    node = helper.make_node("LabelEncoder", ["x"], ["y"], keys_int64s=[1, 2], values_strings=["one", "two"], **ml)
    return model([node], {"x": numbers}, [("y", TensorProto.STRING)]), {"x": numbers}


MAKERS = [classifier, classifier, classifier, regressor, regressor, linear, arithmetic, unary, reduce, shapes, prepare]

if __name__ == "__main__":
    folder = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    os.makedirs(folder, exist_ok=True)
    skipped = 0
    for number in range(count):
        random = np.random.default_rng([seed, number])
        make = MAKERS[number % len(MAKERS)]
        try:
            made, inputs = make(random)
            # This transform is a difference of nearly equal numbers in single precision.
            loose = 1e-3 if b"PROBIT" in made.SerializeToString() else None
            put(folder, f"{make.__name__}_{number:04d}", made, inputs, loose)
        except Exception as error:
            skipped += 1
            print(f"{make.__name__}_{number:04d} skipped: {str(error)[:140]!r}")
    print(f"{count - skipped} cases, {skipped} that onnxruntime refuses")
