"""Runs one Python step of Fettle: hands tables to a function, or parameters to a notebook, and checks
and writes what comes back. Called as `python driver.py call.json`; needs the standard library only,
and of pandas, polars and pyarrow what the function asks for."""

import importlib.util
import inspect
import json
import os
import pathlib
import sys
import traceback


class Refused(Exception):
    """Something the user can correct; said without a traceback."""


class Fettle:
    """What a function gets that has an argument named `fettle`."""

    def __init__(self, call):
        self.parameters = call["parameters"]
        self.inputs = {name: pathlib.Path(one["path"]) for name, one in call["inputs"].items()}
        self.outputs = {name: pathlib.Path(one["path"]) for name, one in call["outputs"].items()}
        self.artifacts = pathlib.Path(call["artifacts"])
        self.threads = call["threads"]
        self._metrics = pathlib.Path(call["metrics"])
        self._values = {}

    def log_metric(self, name, value, step=None):
        """Records a number, or one of a curve if it has a step."""
        value = float(value)
        if step is None:
            self._values[name] = value
        else:
            points = self._values.setdefault(name, [])
            if not isinstance(points, list):
                points = self._values[name] = [[0, points]]
            points.append([int(step), value])

    def log_metrics(self, values, step=None):
        """Records several numbers."""
        for name, value in values.items():
            self.log_metric(name, value, step)

    def _write(self):
        known = {}
        if self._metrics.exists():
            known = json.loads(self._metrics.read_text() or "{}")
        if self._values or known:
            self._metrics.write_text(json.dumps({**known, **self._values}))


def library(name, why):
    try:
        return __import__(name)
    except ImportError as error:
        raise Refused(f"{why} needs the package `{name}`: add it to `packages` ({error})") from None


def pandas_of(path):
    pandas = library("pandas", "a table as pandas")
    return pandas.read_parquet(path)


def polars_of(path):
    return library("polars", "a table as polars").read_parquet(path)


def arrow_of(path):
    library("pyarrow", "a table as pyarrow")
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path)


READERS = {"pandas": pandas_of, "polars": polars_of, "pyarrow": arrow_of}


def form_of(annotation, usual):
    """Which form an annotation asks for: a library's name, `path`, or the usual one."""
    if annotation is inspect.Parameter.empty:
        return usual
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__module__", "") + "." + getattr(
        annotation, "__qualname__", str(annotation)
    )
    text = text.strip("\"'")
    root = text.split(".")[0]
    if root in ("pandas", "pd"):
        return "pandas"
    if root in ("polars", "pl"):
        return "polars"
    if root in ("pyarrow", "pa"):
        return "pyarrow"
    if text.split(".")[-1] in ("Path", "str", "PurePath"):
        return "path"
    return usual


def load(path, name):
    """The function of a script."""
    sys.path.insert(0, str(pathlib.Path(path).resolve().parent))
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    # Pickles and worker processes look a function up in its module.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        there = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise Refused(f"the script has no function `{name}`; it has {', '.join(there) or 'none'}")
    return function


def arguments(function, call, fettle):
    """The arguments of the function, by name: inputs, parameters, or `fettle`."""
    given, inputs, parameters = {}, call["inputs"], call["parameters"]
    signature = inspect.signature(function)
    takes_all = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    for name, one in signature.parameters.items():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        if name in inputs:
            given[name] = read(inputs[name], form_of(one.annotation, call["tables"]))
        elif name in parameters:
            given[name] = parameters[name]
        elif name == "fettle":
            given[name] = fettle
        elif name in ("parameters", "params"):
            given[name] = parameters
        elif one.default is one.empty:
            known = ", ".join([*inputs, *parameters, "fettle", "parameters"])
            raise Refused(f"`{function.__name__}` asks for `{name}`, but the step has {known}")
    if takes_all:
        given.update({name: value for name, value in parameters.items() if name not in given})
        for name in inputs:
            if name not in given:
                given[name] = read(inputs[name], call["tables"])
    unused = [name for name in parameters if name not in given] if not (
        {"parameters", "params", "fettle"} & set(given) or takes_all
    ) else []
    if unused:
        print(f"[fettle] no argument of `{function.__name__}` takes {', '.join(unused)}", file=sys.stderr)
    return given


def read(one, form):
    path = pathlib.Path(one["path"])
    if one["type"] != "table" or form == "path":
        return path
    return READERS[form](path)


def by_name(answer, names, tables):
    """What the function gave back, by output."""
    if isinstance(answer, dict):
        extra = [name for name in answer if name not in names]
        if extra:
            raise Refused(f"`run` gave back {', '.join(map(repr, extra))}, which `outputs` does not declare")
        return answer
    if answer is None:
        return {}
    if isinstance(answer, (tuple, list)) and len(names) > 1:
        if len(answer) != len(names):
            raise Refused(f"`run` gave back {len(answer)} values for {len(names)} outputs ({', '.join(names)})")
        return dict(zip(names, answer))
    if len(tables) == 1:
        return {tables[0]: answer}
    if len(names) == 1:
        return {names[0]: answer}
    raise Refused(f"`run` gave back one value for {len(names)} outputs: give a dict by name ({', '.join(names)})")


def write(name, value, one):
    """Checks one value and writes it where it is expected."""
    path = pathlib.Path(one["path"])
    if isinstance(value, (str, os.PathLike)) and not (one["type"] != "table" and isinstance(value, str) and "\n" in value):
        source = pathlib.Path(value)
        if not source.exists():
            raise Refused(f"output `{name}` is said to be at `{source}`, where nothing is")
        if source.resolve() != path.resolve():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if one["type"] != "table":
        if isinstance(value, str):
            path.write_text(value, encoding="utf-8")
        elif isinstance(value, (bytes, bytearray)):
            path.write_bytes(value)
        else:
            raise Refused(f"output `{name}` is files: give back a path, text or bytes, not {type(value).__name__}")
        return
    root = type(value).__module__.split(".")[0]
    kind = type(value).__name__
    if root == "pandas" and kind == "Series":
        value, kind = value.to_frame(), "DataFrame"
    if root == "pandas" and kind == "DataFrame":
        write_pandas(name, value, path)
    elif root == "polars" and kind in ("DataFrame", "LazyFrame", "Series"):
        value = value.collect() if kind == "LazyFrame" else value.to_frame() if kind == "Series" else value
        value.write_parquet(path)
    elif root == "pyarrow" and kind in ("Table", "RecordBatch"):
        import pyarrow
        import pyarrow.parquet

        value = pyarrow.Table.from_batches([value]) if kind == "RecordBatch" else value
        pyarrow.parquet.write_table(value, path)
    elif root == "numpy" and getattr(value, "ndim", 0) in (1, 2):
        pandas = library("pandas", "a table from numpy")
        columns = [name] if value.ndim == 1 else [f"{name}_{at}" for at in range(value.shape[1])]
        write_pandas(name, pandas.DataFrame(value, columns=columns), path)
    else:
        raise Refused(
            f"output `{name}` is a table: give back a data frame of pandas, polars or pyarrow, not {root}.{kind}"
        )


def write_pandas(name, frame, path):
    doubles = sorted({str(column) for column in frame.columns[frame.columns.duplicated()]})
    if doubles:
        raise Refused(f"output `{name}` has several columns called {', '.join(doubles)}")
    frame = frame.copy(deep=False)
    frame.columns = [str(column) for column in frame.columns]
    library("pyarrow", "writing a table of pandas")
    try:
        frame.to_parquet(path, index=False, engine="pyarrow")
    except Exception as error:  # pyarrow names the column, but in many kinds of exceptions
        raise Refused(f"output `{name}` cannot be written as a table: {error}") from None


def run_function(call, fettle):
    function = load(call["script"], call["function"])
    answer = function(**arguments(function, call, fettle))
    outputs = call["outputs"]
    tables = [name for name, one in outputs.items() if one["type"] == "table"]
    for name, value in by_name(answer, list(outputs), tables).items():
        if value is not None:
            write(name, value, outputs[name])


def run_notebook(call):
    library("nbclient", "running a notebook")
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    notebook = nbformat.read(call["script"], as_version=4)
    values = {
        **call["parameters"],
        "FETTLE_INPUTS": {name: one["path"] for name, one in call["inputs"].items()},
        "FETTLE_OUTPUTS": {name: one["path"] for name, one in call["outputs"].items()},
    }
    for name in values:
        if not name.isidentifier():
            raise Refused(f"parameter `{name}` cannot be the name of a variable in a notebook")
    lines = ["# Parameters of the step."] + [f"{name} = {value!r}" for name, value in values.items()]
    cell = nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": ["injected-parameters"]})
    tagged = [at for at, one in enumerate(notebook.cells) if "parameters" in one.metadata.get("tags", [])]
    notebook.cells.insert(tagged[0] + 1 if tagged else 0, cell)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    # Where the system has them, sockets are files that only this user can open, and no ports.
    config = Config() if os.name == "nt" else Config({"KernelManager": {"transport": "ipc"}})
    client = NotebookClient(
        notebook,
        config=config,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": os.getcwd()}},
        on_cell_start=lambda cell, cell_index: tell(cell, cell_index, len(notebook.cells)),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        at = next((at for at, one in enumerate(notebook.cells) if failed(one)), None)
        where = f"cell {at + 1} of {len(notebook.cells)}" if at is not None else "a cell"
        raise Refused(f"{where} failed: {error.ename}: {error.evalue}") from None
    finally:
        target = pathlib.Path(call["artifacts"]) / pathlib.Path(call["script"]).name
        nbformat.write(notebook, target)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("output_type") == "stream":
                print(output["text"], end="")


def failed(cell):
    return any(one.get("output_type") == "error" for one in cell.get("outputs", []))


def tell(cell, index, count):
    if cell.get("cell_type") == "code":
        print(f"[fettle] cell {index + 1} of {count}", file=sys.stderr, flush=True)


def main():
    call = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.path.insert(0, os.getcwd())
    fettle = Fettle(call)
    try:
        if call["notebook"]:
            run_notebook(call)
        else:
            run_function(call, fettle)
            fettle._write()
    except Refused as refused:
        print(f"{refused}", file=sys.stderr)
        return 1
    except Exception:
        # The driver's own frames say nothing to whoever reads the log.
        kind, value, trace = sys.exc_info()
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        traceback.print_exception(kind, value, trace)
        return 1
    return 0


if __name__ == "__main__":
    # Worker processes that are started afresh import this file and must not run the step again.
    sys.exit(main())
