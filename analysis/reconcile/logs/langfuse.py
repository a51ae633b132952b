"""Langfuse: observations, or traces with their observations in them, as JSON, JSONL or CSV. Pure.

An observation of type GENERATION or EMBEDDING is a call to a model; several of one trace are calls
for one request, which may be meant: a router asks a model, too. Its trace id is the one of our
`traceparent`. A list of traces alone (`/api/public/traces`, observations by their ids) has a cost
per trace. The API and the web exports write `traceId`, exports to a blob storage `trace_id`.
Amounts in US dollars. Source: fern/apis/server/definition/commons.yml (Observation,
ObservationsView, TraceWithDetails) and the columns of the table `observations`.
"""

from collections.abc import Iterator

from analysis.reconcile.logs.entry import (
    Entry,
    Kind,
    Reader,
    Record,
    inner,
    instant,
    lasted,
    money,
    number,
    texts,
)

_CALLS = ("GENERATION", "EMBEDDING")
_NAMES = {
    "traceId": "trace_id", "startTime": "start_time", "endTime": "end_time",
    "costDetails": "cost_details", "totalCost": "total_cost",
    "providedModelName": "provided_model_name",
}  # fmt: skip
"""The names of the API, and those of an export to a blob storage."""


def _named(record: Record) -> Record:
    """The record under the names of the API."""
    return {**record, **{ours: record[name] for ours, name in _NAMES.items() if name in record}}


def _fits(record: Record) -> bool:
    record = _named(record)
    return ("traceId" in record and "startTime" in record and "type" in record) or (
        "observations" in record and "timestamp" in record
    )


def _read(record: Record, line: int) -> Iterator[Entry]:
    record = _named(record)
    if isinstance(parts := record.get("observations"), list):
        observations = [_named(part) for part in parts if isinstance(part, dict)]
        for part in observations:
            if "startTime" in part:
                yield from _read({"traceId": record.get("id"), **part}, line)
        if not observations:
            yield _trace(record, line)
        return
    if "startTime" not in record or record.get("type") not in _CALLS:
        return
    began_s, ended_s = instant(record["startTime"]), instant(record.get("endTime"))
    about = inner(record.get("metadata"))
    stated_costs = [inner(record.get("costDetails")).get("total"), record.get("totalCost"),
                    record.get("calculatedTotalCost")]  # fmt: skip
    yield Entry(
        texts(record.get("traceId"), about.get("litellm_call_id"), record.get("id")),
        line,
        Kind.CALL,
        record.get("level") != "ERROR",
        next((amount for value in stated_costs if (amount := money(value)) is not None), None),
        next(iter(texts(record.get("model"), record.get("providedModelName"))), None),
        began_s,
        lasted(began_s, ended_s),
    )


def _trace(record: Record, line: int) -> Entry:
    """A trace whose observations are named by their ids alone."""
    lasted_s = number(record.get("latency"))
    return Entry(
        texts(record.get("id")),
        line,
        amount=money(record.get("totalCost")),
        began_unix_s=instant(record.get("timestamp")),
        lasted_s=None if lasted_s is None else float(lasted_s),
    )


READER = Reader("Langfuse", _fits, _read)
