"""OpenRouter: `/generation?id=...`, one saved answer per line; the CSV of its activity page. Pure.

Amounts in US dollars. `provider_responses` has one item for each provider that was asked.
`generation_time` (of the CSV: `generation_time_ms`) runs from the moment that a provider was asked
to the end of its answer. Source: OpenRouter's API reference, GenerationResponse, and the header of
that CSV (`generation_id,created_at,cost_total,...`).
"""

from collections.abc import Iterator

from analysis.reconcile.logs.entry import Entry, Reader, Record, instant, money, number, texts, true


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
        amount=money(record["total_cost"]),
        model=next(iter(texts(record.get("model"))), None),
        began_unix_s=instant(record.get("created_at")),
        lasted_s=None if lasted_ms is None else float(lasted_ms) / 1000,
        tries=len(tried) if isinstance(tried, list) and tried else None,
    )


def _is_activity(record: Record) -> bool:
    return "generation_id" in record and "cost_total" in record


def _read_activity(record: Record, line: int) -> Iterator[Entry]:
    finished = record.get("finish_reason_normalized") or record.get("finish_reason_raw")
    lasted_ms = number(record.get("generation_time_ms"))
    cancelled = true(record.get("cancelled"))
    yield Entry(
        texts(record.get("generation_id")),
        line,
        ok=False if cancelled or finished == "error" else True if finished else None,
        amount=money(record["cost_total"]),
        model=next(iter(texts(record.get("model_permaslug"))), None),
        began_unix_s=instant(record.get("created_at")),
        lasted_s=None if lasted_ms is None else float(lasted_ms) / 1000,
    )


ACTIVITY = Reader("OpenRouter activity", _is_activity, _read_activity)
READER = Reader("OpenRouter /generation", _fits, _read)
