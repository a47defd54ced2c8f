"""The model of the bench as a BentoML service, as its documentation shows one."""

import os

import bentoml
import onnxruntime
from rows import columns


@bentoml.service
class Peer:
    def __init__(self) -> None:
        self.session = onnxruntime.InferenceSession(os.environ["PEER_MODEL"])

    @bentoml.api
    def predict(self, rows: list[dict]) -> list[str]:
        return [str(label) for label in self.session.run(["label"], columns(self.session, rows))[0]]
