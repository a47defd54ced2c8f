"""Asks an endpoint with Triton's own client, raw and JSON tensors both ways, packed and not, and
compares with onnxruntime.

    python tests/clients/triton.py http://127.0.0.1:PORT TOKEN MODEL_DIR [NAME]
"""

import sys

import numpy as np
import rows
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

url, token, folder = sys.argv[1:4]
client = triton.InferenceServerClient(url.removeprefix("http://"))
auth = {"Authorization": f"Bearer {token}"}
assert client.is_server_live() and client.is_server_ready(), "health answers without the token"
about = client.get_server_metadata(headers=auth)
name = sys.argv[4] if len(sys.argv) > 4 else about["model"]["name"]
version = about["model"]["version"]
assert client.is_model_ready(name, headers=auth) and client.is_model_ready(name, version, headers=auth)
metadata = client.get_model_metadata(name, headers=auth)
columns = rows.make(folder)
wanted = rows.expected(folder, columns)


def tensors(binary):
    made = []
    for spec in metadata["inputs"]:
        values = columns[spec["name"]]
        values = values.reshape(-1, 1) if len(spec["shape"]) == 2 else values
        if spec["datatype"] not in ("BYTES", "FP64"):
            values = values.astype({"FP32": np.float32, "INT64": np.int64}[spec["datatype"]])
        tensor = triton.InferInput(spec["name"], list(values.shape), spec["datatype"])
        tensor.set_data_from_numpy(values, binary_data=binary)
        made.append(tensor)
    return made


for binary_in in (True, False):
    # JSON has no number for missing, and this client sends `NaN`, which is not JSON.
    missing = any(np.isnan(v).any() for v in columns.values() if v.dtype.kind == "f")
    if not binary_in and missing:
        columns = {n: np.nan_to_num(v) if v.dtype.kind == "f" else v for n, v in columns.items()}
        wanted = rows.expected(folder, columns)
    for binary_out in (True, False):
        for packed in (None, "gzip", "deflate"):
            asked = [triton.InferRequestedOutput(o["name"], binary_data=binary_out) for o in metadata["outputs"]]
            answer = client.infer(
                name,
                tensors(binary_in),
                version,
                asked,
                request_id="r-1",
                headers=dict(auth),  # the client writes the packing into it
                request_compression_algorithm=packed,
            )
            assert answer.get_response()["id"] == "r-1"
            got = {output: answer.as_numpy(output) for output in wanted}
            rows.compare(f"triton raw-in={binary_in} raw-out={binary_out} packed={packed}", got, wanted)
stats = client.get_inference_statistics(name, headers=auth)["model_stats"][0]
assert stats["inference_stats"]["success"]["count"] >= 12, stats
try:
    client.get_model_metadata("no such model", headers=auth)
    raise SystemExit("a model that is not there was described")
except InferenceServerException as error:
    assert "not served here" in str(error), error
try:
    client.get_model_metadata(name)
    raise SystemExit("the token was not asked for")
except InferenceServerException as error:
    assert "token" in str(error), error
