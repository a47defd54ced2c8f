"""Reads `/metrics` of an endpoint with the parser of the Prometheus client.

    python tests/clients/metrics.py http://127.0.0.1:PORT TOKEN
"""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

request = urllib.request.Request(f"{sys.argv[1]}/metrics", headers={"Authorization": f"Bearer {sys.argv[2]}"})
text = urllib.request.urlopen(request, timeout=10).read().decode()
families = {family.name: family for family in text_string_to_metric_families(text)}
for name in ("model_infer_requests", "model_infer_duration_seconds", "nv_inference_request_success", "nv_inference_count"):
    assert name in families, f"{name} is not in {sorted(families)}"
buckets = [s for s in families["model_infer_duration_seconds"].samples if s.name.endswith("_bucket")]
counts = [s.value for s in buckets]
assert counts == sorted(counts), "the buckets of a histogram only grow"
print(f"{len(families)} metrics, {int(counts[-1])} requests")
