"""The files for Kubernetes, held against the schemas that Kubernetes publishes."""

import json
import os
import subprocess

import kubernetes_validate
import pytest
import yaml
from conftest import program

VERSIONS = ["1.27", "1.32", "1.35"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kubernetes")
    environment = {**os.environ, "FETTLE_WORKSPACE": str(folder / "workspace")}

    def fettle(*words):
        done = subprocess.run([program("FETTLE_BIN"), "--json", *words], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    fettle("demo", "--stop")
    found = {}
    for kind in ["deployment", "inference_service"]:
        to = folder / kind
        settings = [f"to={to}", f"kind={kind}", "image=ghcr.io/team/penguins", "push=false", "apply=false"]
        settings += ["most_replicas=5", "pull_secret=regcred"]
        words = [word for setting in settings for word in ("--set", setting)]
        name = kind.replace("_", "-")
        fettle("-p", "demo", "deployment", "create", "penguins", "--target", "kubernetes", "--name", name, *words)
        for path in sorted(to.iterdir()):
            found[f"{kind}/{path.name}"] = list(yaml.safe_load_all(path.read_text()))
    return found


def documents(files):
    return [document for all in files.values() for document in all]


def test_all_kinds_are_written(files):
    kinds = sorted(document["kind"] for document in documents(files))
    assert kinds == ["Deployment", "HorizontalPodAutoscaler", "InferenceService", "Secret", "Secret", "Service"]


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_file(files, version):
    for document in documents(files):
        # KServe's own kind is no part of Kubernetes.
        if document["kind"] != "InferenceService":
            kubernetes_validate.validate(document, version, strict=True)


def test_the_container_of_kserve_is_a_container_of_kubernetes(files):
    (service,) = [one for one in documents(files) if one["kind"] == "InferenceService"]
    predictor = service["spec"]["predictor"]
    assert [one["name"] for one in predictor["containers"]] == ["kserve-container"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "m"},
        "spec": {"containers": predictor["containers"], "imagePullSecrets": predictor["imagePullSecrets"]},
    }
    kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_the_schemas_would_notice(files):
    (deployment,) = [one for one in documents(files) if one["kind"] == "Deployment"]
    wrong = {**deployment, "spec": {**deployment["spec"], "replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)
