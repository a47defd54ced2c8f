"""`/metrics` as the parser of the Prometheus client reads it."""

import requests
from prometheus_client.parser import text_string_to_metric_families


def test_the_metrics_are_prometheus_text(endpoint):
    text = requests.get(f"{endpoint.url}/metrics", headers=endpoint.headers, timeout=10).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    wanted = {"model_infer_requests", "model_infer_duration_seconds", "nv_inference_request_success", "nv_inference_count"}
    assert wanted <= set(families)
    buckets = [s for s in families["model_infer_duration_seconds"].samples if s.name.endswith("_bucket")]
    counts = [s.value for s in buckets]
    assert counts == sorted(counts), "the buckets of a histogram only grow"
    assert counts[-1] > 0, "the demo has asked"
