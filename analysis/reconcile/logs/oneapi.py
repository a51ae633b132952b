"""The logs of one-api and new-api (`/api/log/`, `/api/log/self`, `/api/log/token`). Pure.

Money is `quota`: 500,000 of it are 1 USD unless the operator of the gateway has changed that. Old
versions name no request; newer ones have `request_id`, which the reply's `x-oneapi-request-id` has
as well. `type` 2 is a charge for a request; in new-api 5 is a failed try and 6 a refund, in one-api
5 is a test of a channel. The other types are of no request. A request's time is `use_time` in whole
seconds (new-api), `elapsed_time` (one-api) or `request_time` (one-hub) in milliseconds. Source:
model/log.go of each (`type Log`, `LogType...`).
"""

from collections.abc import Iterator
from decimal import Decimal

from analysis.reconcile.logs.entry import (
    Entry,
    Kind,
    Reader,
    Record,
    inner,
    instant,
    number,
    texts,
    whole_number,
)

QUOTA_PER_USD = Decimal(500_000)
_CONSUMED, _FAILED, _REFUNDED = 2, 5, 6


def _fits(record: Record) -> bool:
    return "quota" in record and "model_name" in record and "type" in record


def _read(record: Record, line: int) -> Iterator[Entry]:
    kind = whole_number(record["type"])
    if kind not in (_CONSUMED, _FAILED, _REFUNDED):
        return
    if kind != _CONSUMED and "use_time" not in record:
        return  # new-api alone has those: elsewhere 5 is a test
    quota = number(record["quota"])
    ended_s = instant(record.get("created_at"))
    lasted_s = number(record.get("use_time"))
    elapsed_ms = number(record.get("elapsed_time", record.get("request_time")))
    if lasted_s is None and elapsed_ms is not None:
        lasted_s = elapsed_ms / 1000
    admin_info = inner(inner(record.get("other")).get("admin_info"))
    channels = admin_info.get("use_channel")
    yield Entry(
        texts(record.get("request_id"), record.get("upstream_request_id")),
        line,
        Kind.CHARGE if kind == _REFUNDED else Kind.REQUEST,
        {_CONSUMED: True, _FAILED: False}.get(kind),
        -quota if quota is not None and kind == _REFUNDED else quota,
        next(iter(texts(record["model_name"])), None),
        None if ended_s is None or lasted_s is None else ended_s - float(lasted_s),
        None if lasted_s is None else float(lasted_s),
        len(channels) if isinstance(channels, list) and channels else None,
    )


READER = Reader("one-api/new-api", _fits, _read, per_unit=QUOTA_PER_USD, resolution_s=1.0)
