"""OpenRouter's `/generation?id=...`, one saved answer a line. Amounts in US dollars. Pure.

`provider_responses` has one item for each provider that was asked. `generation_time` runs from the
moment that a provider was asked to the end of its answer; `latency` to the first token.
"""

from collections.abc import Iterator

from analysis.reconcile.logs.entry import Entry, Reader, Record, instant, number, texts, true


def _fits(record: Record) -> bool:
    return "total_cost" in record and "generation_time" in record


def _read(record: Record, line: int) -> Iterator[Entry]:
    tried = record.get("provider_responses")
    lasted_ms = number(record["generation_time"])
    cancelled = true(record.get("cancelled"))
    yield Entry(
        texts(record.get("id"), record.get("upstream_id"), record.get("session_id")),
        line,
        ok=False if cancelled else True if record.get("finish_reason") else None,
        amount=number(record["total_cost"]),
        model=next(iter(texts(record.get("model"))), None),
        began_unix_s=instant(record.get("created_at")),
        lasted_s=None if lasted_ms is None else float(lasted_ms) / 1000,
        tries=len(tried) if isinstance(tried, list) and tried else None,
    )


READER = Reader("OpenRouter /generation", _fits, _read)
