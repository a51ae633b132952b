"""Our spans, read by OpenTelemetry's own protobuf library."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from analysis.export.otlp import write
from analysis.reading.load import load
from tests.analysis.runs import everything
from tests.interop.servers import installed, needs_linux

VERSION = "1.45.2"
READ = """
import sys
from google.protobuf.json_format import Parse
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
read = [Parse(line, TracesData()) for line in open(sys.argv[1])]
resources = [resource for one in read for resource in one.resource_spans]
scopes = [scope for resource in resources for scope in resource.scope_spans]
print(sum(len(scope.spans) for scope in scopes))
"""
pytestmark = [needs_linux, pytest.mark.golden]


def test_every_line_is_a_valid_traces_data_message(tmp_path: Path) -> None:
    """Unknown fields and wrong types are errors there. OTLP-JSON has its ids in hexadecimal where
    protobuf's own mapping has base64, and nothing else of its own."""
    python = installed("otlp", VERSION, f"opentelemetry-proto=={VERSION}") / "python"
    count = write(load(everything(tmp_path / "r")), tmp_path / "spans.jsonl")
    path = tmp_path / "base64.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for line in (tmp_path / "spans.jsonl").read_text("utf-8").splitlines():
            content = json.loads(line)
            for scope in content["resourceSpans"][0]["scopeSpans"]:
                for span in scope["spans"]:
                    for name in ("traceId", "spanId"):
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
            file.write(json.dumps(content) + "\n")
    read = subprocess.run([python, "-c", READ, path], capture_output=True, text=True, timeout=60)
    assert read.returncode == 0, read.stderr
    assert int(read.stdout) == count > 0
