"""Triton's own client asks the endpoint, raw and JSON tensors both ways, packed and not."""

import numpy as np
import pytest
import rows
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException


@pytest.fixture
def client(endpoint):
    return triton.InferenceServerClient(endpoint.url.removeprefix("http://"))


@pytest.fixture
def served(endpoint, client):
    """Name and version of what is served."""
    model = client.get_server_metadata(headers=endpoint.headers)["model"]
    return model["name"], model["version"]


def tensors(metadata, columns, binary):
    for spec in metadata["inputs"]:
        values = columns[spec["name"]]
        values = values.reshape(-1, 1) if len(spec["shape"]) == 2 else values
        if spec["datatype"] not in ("BYTES", "FP64"):
            values = values.astype({"FP32": np.float32, "INT64": np.int64}[spec["datatype"]])
        tensor = triton.InferInput(spec["name"], list(values.shape), spec["datatype"])
        tensor.set_data_from_numpy(values, binary_data=binary)
        yield tensor


@pytest.mark.parametrize("packed", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("binary_in", [True, False])
def test_every_form_of_tensors_gets_right_answers(endpoint, client, served, binary_in, binary_out, packed):
    name, version = served
    metadata = client.get_model_metadata(name, headers=endpoint.headers)
    columns = rows.make(endpoint.folder)
    wanted = rows.expected(endpoint.folder, columns)
    answer = client.infer(
        name,
        list(tensors(metadata, columns, binary_in)),
        version,
        [triton.InferRequestedOutput(o["name"], binary_data=binary_out) for o in metadata["outputs"]],
        request_id="r-1",
        headers=dict(endpoint.headers),  # the client writes the packing into it
        request_compression_algorithm=packed,
    )
    assert answer.get_response()["id"] == "r-1"
    rows.compare("triton", {output: answer.as_numpy(output) for output in wanted}, wanted)


def test_health_needs_no_token_and_everything_else_does(endpoint, client, served):
    name, version = served
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(name, headers=endpoint.headers)
    assert client.is_model_ready(name, version, headers=endpoint.headers)
    with pytest.raises(InferenceServerException, match="token"):
        client.get_model_metadata(name)


def test_statistics_count_and_an_unknown_model_is_named(endpoint, client, served):
    stats = client.get_inference_statistics(served[0], headers=endpoint.headers)["model_stats"][0]
    assert stats["inference_stats"]["success"]["count"] > 0, stats
    with pytest.raises(InferenceServerException, match="not served here"):
        client.get_model_metadata("no such model", headers=endpoint.headers)
