"""Langfuse: observations, or traces with their observations in them, as JSON or JSONL. Pure.

An observation of type GENERATION is a call to a model; several of one trace are calls for one
request, which may be meant: a router asks a model, too. Its trace id is the one of our
`traceparent`. Amounts in US dollars.
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
    number,
    texts,
)


def _fits(record: Record) -> bool:
    return ("traceId" in record and "startTime" in record and "type" in record) or (
        "observations" in record and "timestamp" in record
    )


def _read(record: Record, line: int) -> Iterator[Entry]:
    if isinstance(parts := record.get("observations"), list):
        for part in parts:
            if isinstance(part, dict) and "startTime" in part:
                yield from _read({"traceId": record.get("id"), **part}, line)
        return
    if "startTime" not in record or record.get("type") != "GENERATION":
        return
    began_s, ended_s = instant(record["startTime"]), instant(record.get("endTime"))
    told = inner(record.get("metadata"))
    stated = [inner(record.get("costDetails")).get("total"), record.get("totalCost"),
              record.get("calculatedTotalCost")]  # fmt: skip
    yield Entry(
        texts(record.get("traceId"), told.get("litellm_call_id"), record.get("id")),
        line,
        Kind.CALL,
        record.get("level") != "ERROR",
        next((amount for value in stated if (amount := number(value)) is not None), None),
        next(iter(texts(record.get("model"), record.get("providedModelName"))), None),
        began_s,
        lasted(began_s, ended_s),
    )


READER = Reader("Langfuse", _fits, _read)
