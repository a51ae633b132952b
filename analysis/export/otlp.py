"""A run as OpenTelemetry spans in OTLP-JSON, so that any tracing UI shows it.

A line is a `TracesData` of opentelemetry-proto in its JSON mapping (ids in hexadecimal, 64-bit
numbers as text), as a collector's OTLP-JSON file receiver reads it. Names are those of the GenAI
semantic conventions (span "inference", status: Development), and `weighbridge.*` beyond them. A
span has the ids that its request sent in `traceparent`, so a gateway's own spans hang below it.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analysis.reading.atomic_file import replacing
from analysis.reading.load import Run
from analysis.reading.moment import moment
from recording.arms import REFERENCE, SUFFIX
from recording.outcome import ON_PURPOSE, Outcome
from recording.trace_ids import trace_ids

CLIENT, ERROR = 3, 2  # SpanKind and StatusCode of trace.proto
_PER_LINE = 1000
_ATTRIBUTES = {
    "gen_ai.request.model": "model_requested",
    "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.stream": "stream",
    "gen_ai.response.model": "model_returned",
    "gen_ai.response.id": "completion_id",
    "gen_ai.response.time_to_first_chunk": "ttft_s",
    "gen_ai.usage.input_tokens": "prompt_tokens",
    "gen_ai.usage.output_tokens": "completion_tokens",
    "gen_ai.usage.cache_read.input_tokens": "cached_tokens",
    "gen_ai.usage.cache_write.input_tokens": "cache_write_tokens",
    "gen_ai.usage.reasoning.output_tokens": "reasoning_tokens",
    "http.response.status_code": "http_status",
    "weighbridge.phase": "phase",
    "weighbridge.scenario": "scenario",
    "weighbridge.task_id": "task_id",
    "weighbridge.outcome": "outcome",
    "weighbridge.arm": "arm",
    "weighbridge.cost": "api_cost",
    "weighbridge.cost_source": "cost_source",
    "weighbridge.send_lag_s": "send_lag_s",
    "weighbridge.gateway_request_id": "gateway_request_id",
}
"""Attributes and the columns that they show; what is not known has none."""

_COLUMNS = tuple(
    dict.fromkeys([
        *_ATTRIBUTES.values(), "timestamp", "elapsed_sec", "trace_id", "finish_reason",
        "request_index",
    ])
)  # fmt: skip


def write(run: Run, path: Path) -> int:
    """Write the spans of all requests that were sent; how many. Raises OSError."""
    count = 0
    scope = {"name": "weighbridge", **_if_known("version", run.made_by)}
    resource = {
        "attributes": attributes({
            "service.name": "weighbridge",
            "service.version": run.made_by,
            "weighbridge.run_id": run.run_id,
            "weighbridge.mode": run.mode,
            "weighbridge.currency": run.currency,
            "weighbridge.simulated": run.simulated,
        })
    }  # fmt: skip
    with replacing(path) as file:
        spans = _spans(run)
        while batch := list(islice(spans, _PER_LINE)):
            scopes = [{"scope": scope, "spans": batch}]
            line = {"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
            count += len(batch)
    return count


def _spans(run: Run) -> Iterator[dict[str, Any]]:
    reference = run.manifest.get("reference")
    servers: dict[str | None, dict[str, Any]] = {None: _server(run.base_url)}
    servers[REFERENCE] = _server(reference["base_url"] if reference else None)
    for table in run.rows.tables(_COLUMNS):
        for row in table.to_pylist():
            if row["outcome"] != Outcome.DROPPED and (span := _span(run.run_id, row, servers)):
                yield span


def _span(run_id: str, row: Mapping[str, Any], servers: Mapping[Any, Any]) -> dict[str, Any] | None:
    """The span of a row; None if its time is unknown."""
    ended = moment(row["timestamp"])
    if ended is None:
        return None
    name = row["task_id"] or f"{row['request_index']}"
    trace, span = trace_ids(run_id, row["phase"].removesuffix(SUFFIX), name)
    if row["phase"].endswith(SUFFIX):  # the other one of the pair has this name already
        span = trace_ids(run_id, row["phase"], f"{name}\n{REFERENCE}")[1]
    end_ns = int(ended.timestamp()) * 10**9 + ended.microsecond * 1000
    lasted = timedelta(seconds=row["elapsed_sec"] or 0.0)
    lasted_ns = (lasted.days * 86400 + lasted.seconds) * 10**9 + lasted.microseconds * 1000
    failed = row["outcome"] not in (Outcome.OK, *ON_PURPOSE)
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",  # whose API it is; nobody knows who is behind a gateway
        **{name: row[column] for name, column in _ATTRIBUTES.items()},
        "gen_ai.response.finish_reasons": [row["finish_reason"]] if row["finish_reason"] else None,
        "error.type": row["outcome"] if failed else None,
        **servers[REFERENCE if row["arm"] == REFERENCE else None],
    }
    return {
        "traceId": row["trace_id"] or trace,
        "spanId": span,
        "name": f"chat {row['model_requested']}",
        "kind": CLIENT,
        "startTimeUnixNano": str(end_ns - lasted_ns),
        "endTimeUnixNano": str(end_ns),
        "attributes": attributes(values),
        "status": {"code": ERROR, "message": row["outcome"]} if failed else {},
    }


def attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attributes in OTLP-JSON's form, without the unknown ones."""
    return [
        {"key": name, "value": _value(value)} for name, value in values.items() if value is not None
    ]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value)}


def _if_known(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}


def _server(url: str | None) -> dict[str, Any]:
    """`server.address` and `server.port` of a base URL."""
    try:
        parts = urlsplit(url or "")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return {}
    return {"server.address": parts.hostname, "server.port": port} if parts.hostname else {}
