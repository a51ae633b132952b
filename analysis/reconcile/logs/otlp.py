"""OTLP-JSON, as OpenTelemetry's file exporter and collectors write it: spans. Pure.

A span joins by its trace id. One of kind SERVER is the request as the gateway served it; where a
trace has none, its spans without a parent in the file are. One of kind CLIENT is a call to a
provider. Source: opentelemetry-proto (trace.proto) and its JSON mapping: ids in hexadecimal, times
in nanoseconds since 1970, as text.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from analysis.reconcile.logs.entry import Entry, Kind, Reader, Record, lasted, money, number, texts

_KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}
_FAILED = (2, "STATUS_CODE_ERROR", "2")
_COSTS = ("gen_ai.cost.total_cost", "gen_ai.usage.cost", "gen_ai.usage.total_cost")
_NAMES = ("gen_ai.response.id", "http.request.header.x-request-id", "litellm.call_id")
_OF_A_MODEL = ("gen_ai.request.model", "gen_ai.operation.name", "gen_ai.system")


def _fits(record: Record) -> bool:
    return isinstance(record.get("resourceSpans"), list)


def _read(record: Record, line: int) -> Iterator[Entry]:
    spans = [span for span in _spans(record) if texts(span.get("traceId"))]
    known = {span.get("spanId") for span in spans}
    served = {span["traceId"] for span in spans if _kind(span) == "SERVER"}
    priced, calls = set[object](), list[Record]()
    for span in spans:
        of_a_model = any(name in _attributes(span) for name in _OF_A_MODEL)
        root = not span.get("parentSpanId") or span["parentSpanId"] not in known
        if _kind(span) == "SERVER" or (span["traceId"] not in served and root):
            entry = _entry(span, line, Kind.REQUEST)
            priced |= {span["traceId"]} if entry.amount is not None else set()
            yield entry
        elif _kind(span) == "CLIENT" and of_a_model:
            calls.append(span)
    for span in calls:
        entry = _entry(span, line, Kind.CALL)
        yield replace(entry, amount=None) if span["traceId"] in priced else entry


def _entry(span: Record, line: int, kind: Kind) -> Entry:
    attributes = _attributes(span)
    began, ended = number(span.get("startTimeUnixNano")), number(span.get("endTimeUnixNano"))
    status = span.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    http = attributes.get("http.response.status_code", attributes.get("http.status_code"))
    answered = number(http)
    failed = code in _FAILED or (answered is not None and answered >= 400)
    costs = (money(attributes.get(name)) for name in _COSTS)
    exact = None if began is None or ended is None else lasted(0.0, float((ended - began) / 10**9))
    return Entry(
        (str(span["traceId"]).lower(), *texts(*(attributes.get(name) for name in _NAMES))),
        line,
        kind,
        not failed,
        next((cost for cost in costs if cost is not None), None),
        next(iter(texts(attributes.get("gen_ai.request.model"))), None),
        None if began is None else float(began / 10**9),
        exact,
    )


def _spans(record: Record) -> Iterator[Record]:
    for resource in _dicts(record.get("resourceSpans")):
        scopes = resource.get("scopeSpans", resource.get("instrumentationLibrarySpans"))
        for scope in _dicts(scopes):
            yield from _dicts(scope.get("spans"))


def _dicts(value: object) -> list[Record]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _kind(span: Record) -> str:
    kind = span.get("kind")
    return _KINDS.get(kind, "") if isinstance(kind, int) else str(kind).removeprefix("SPAN_KIND_")


def _attributes(span: Record) -> dict[str, object]:
    """The span's attributes that are plain values."""
    attributes: dict[str, object] = {}
    for attribute in _dicts(span.get("attributes")):
        value = attribute.get("value")
        plain = next(iter(value.values()), None) if isinstance(value, dict) else None
        if isinstance(plain, str | int | float | Decimal):
            attributes[str(attribute.get("key"))] = plain
    return attributes


READER = Reader("OTLP-JSON", _fits, _read, resolution_s=0.0)
