"""A run's spans are OTLP-JSON with the GenAI conventions, and join the run they came from."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from analysis.__main__ import main
from analysis.export.otlp import write
from analysis.reading.load import load
from analysis.reconcile.arrivals import arrivals
from analysis.reconcile.logs.reading import read
from recording.trace_ids import trace_ids
from tests.analysis.runs import PHASE, dropped, everything, failed, hostile, make, record

_VALUE = {
    "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False,
    "properties": {
        "stringValue": {"type": "string"}, "boolValue": {"type": "boolean"},
        "intValue": {"type": "string", "pattern": r"^-?\d+$"}, "doubleValue": {"type": "number"},
        "arrayValue": {
            "type": "object", "required": ["values"], "additionalProperties": False,
            "properties": {"values": {"type": "array", "items": {"$ref": "#/$defs/value"}}},
        },
    },
}  # fmt: skip
_ATTRIBUTES = {
    "type": "array",
    "items": {
        "type": "object", "required": ["key", "value"], "additionalProperties": False,
        "properties": {"key": {"type": "string"}, "value": {"$ref": "#/$defs/value"}},
    },
}  # fmt: skip
_SPAN = {
    "type": "object", "additionalProperties": False,
    "required": ["traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"],
    "properties": {
        "traceId": {"type": "string", "pattern": "^(?!0{32})[0-9a-f]{32}$"},
        "spanId": {"type": "string", "pattern": "^(?!0{16})[0-9a-f]{16}$"},
        "name": {"type": "string"}, "kind": {"const": 3},
        "startTimeUnixNano": {"type": "string", "pattern": r"^\d{19}$"},
        "endTimeUnixNano": {"type": "string", "pattern": r"^\d{19}$"},
        "attributes": _ATTRIBUTES,
        "status": {
            "type": "object", "additionalProperties": False,
            "properties": {"code": {"enum": [0, 1, 2]}, "message": {"type": "string"}},
        },
    },
}  # fmt: skip
TRACES_DATA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {"value": _VALUE},
    "type": "object", "required": ["resourceSpans"], "additionalProperties": False,
    "properties": {"resourceSpans": {"type": "array", "items": {
        "type": "object", "required": ["resource", "scopeSpans"], "additionalProperties": False,
        "properties": {
            "resource": {"type": "object", "properties": {"attributes": _ATTRIBUTES}},
            "scopeSpans": {"type": "array", "items": {
                "type": "object", "required": ["scope", "spans"], "additionalProperties": False,
                "properties": {
                    "scope": {"type": "object"}, "spans": {"type": "array", "items": _SPAN},
                },
            }},
        },
    }}},
}  # fmt: skip
"""`TracesData` of opentelemetry-proto's trace.proto in its JSON mapping, as far as it is used."""


def lines(path: Path) -> list[dict[str, Any]]:
    exported = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in exported:
        Draft202012Validator(TRACES_DATA).validate(line)
    return exported


def spans(path: Path) -> list[dict[str, Any]]:
    return [
        span for line in lines(path) for scope in line["resourceSpans"][0]["scopeSpans"]
        for span in scope["spans"]
    ]  # fmt: skip


def attributes_of(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_a_span_has_the_attributes_of_the_genai_conventions(tmp_path: Path) -> None:
    run = make(tmp_path / "r", record(0, ttft_s=0.25, cached_tokens=4, completion_id="c-1"))
    assert write(load(run), tmp_path / "s.jsonl") == 1
    (span,) = spans(tmp_path / "s.jsonl")
    assert span["name"] == "chat gpt-5.4-nano" and span["status"] == {}
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == 2_000_000_000
    assert span["endTimeUnixNano"] == "1795478400000000000"
    expected = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5.4-nano", "gen_ai.response.id": "c-1",
        "gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": "6",
        "gen_ai.usage.cache_read.input_tokens": "4", "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.response.finish_reasons": {"values": [{"stringValue": "stop"}]},
        "server.address": "gateway.example", "server.port": "80", "weighbridge.cost": 0.000069,
        "http.response.status_code": "200",
    }  # fmt: skip
    assert (
        attributes_of(span).items()
        >= {k: v for k, v in expected.items() if k[-7:] != "reasons"}.items()
    )
    assert (
        attributes_of(span)["gen_ai.response.finish_reasons"]
        == expected["gen_ai.response.finish_reasons"]
    )
    assert "error.type" not in attributes_of(
        span
    ) and "gen_ai.request.max_tokens" not in attributes_of(span)


def test_span_ids_are_those_that_were_sent_in_traceparent(tmp_path: Path) -> None:
    """So a gateway's spans hang below ours."""
    row = record(0)
    sent = trace_ids("demo", PHASE, row.task_id or "")
    write(load(make(tmp_path / "demo", record(0, trace_id=sent[0]))), tmp_path / "s.jsonl")
    (span,) = spans(tmp_path / "s.jsonl")
    assert (span["traceId"], span["spanId"]) == sent


def test_a_failed_request_is_an_error_span_and_an_unsent_one_is_none(tmp_path: Path) -> None:
    run = make(tmp_path / "r", failed(0, "server_error", http_status=500), dropped(1))
    assert write(load(run), tmp_path / "s.jsonl") == 1
    (span,) = spans(tmp_path / "s.jsonl")
    assert span["status"] == {"code": 2, "message": "server_error"}
    assert attributes_of(span)["error.type"] == "server_error"


@pytest.mark.parametrize("folder", [everything, hostile])
def test_every_stored_run_makes_well_formed_spans(tmp_path: Path, folder: Any) -> None:
    run = load(folder(tmp_path / "r"))
    count = write(run, tmp_path / "s.jsonl")
    assert len(spans(tmp_path / "s.jsonl")) == count > 0


def test_a_run_joins_its_own_spans_request_by_request(tmp_path: Path) -> None:
    rows = [record(i, trace_id=f"{i + 1:032x}") for i in range(2500)]
    run = load(make(tmp_path / "r", *rows))
    assert main(["spans", str(run.folder)]) == 0
    assert len(lines(run.folder / "spans.jsonl")) == 3
    assert len({span["spanId"] for span in spans(run.folder / "spans.jsonl")}) == 2500
    statement = arrivals(run, read(run.folder / "spans.jsonl"))
    assert statement.agrees and statement.times.count == 2500
    assert statement.times.beside_p95_s == pytest.approx(0.0, abs=1e-6)
