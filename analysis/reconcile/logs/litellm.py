"""LiteLLM's logs: rows of LiteLLM_SpendLogs (`/spend/logs`), and StandardLoggingPayload as its
callbacks write it (S3, GCS, a file of one's own). Amounts in US dollars. Pure.

With retries and fallbacks a request may have several entries, which have one `trace_id`: that of
our `traceparent` (`session_id` in spend logs). Its callbacks log a request's first failure and its
end, and no failure in between (1.108.7), so that entries count tries from below.
"""

from collections.abc import Iterator

from analysis.reconcile.logs.entry import (
    Entry,
    Reader,
    Record,
    inner,
    instant,
    lasted,
    money,
    texts,
    whole_number,
)


def _fits(record: Record) -> bool:
    return "startTime" in record and ("response_cost" in record or "spend" in record)


def _read(record: Record, line: int) -> Iterator[Entry]:
    metadata = inner(record.get("metadata"))
    began_s, ended_s = instant(record["startTime"]), instant(record.get("endTime"))
    status = record.get("status") or metadata.get("status")
    retries, fallbacks = (
        whole_number(metadata.get(f"attempted_{what}")) for what in ("retries", "fallbacks")
    )
    yield Entry(
        texts(
            record.get("trace_id"), record.get("session_id"), record.get("litellm_call_id"),
            metadata.get("litellm_call_id"), record.get("id"), record.get("request_id"),
        ),
        line,
        ok={"success": True, "failure": False}.get(str(status)),
        amount=money(record.get("spend", record.get("response_cost"))),
        model=next(iter(texts(record.get("model_group"), record.get("model"))), None),
        began_unix_s=began_s,
        lasted_s=lasted(began_s, ended_s),
        tries=None if retries is None and fallbacks is None else 1 + (retries or 0)
        + (fallbacks or 0),
    )  # fmt: skip


READER = Reader("LiteLLM", _fits, _read)
