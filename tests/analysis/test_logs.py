"""A gateway's log is recognized by its content, and its money is exact to the last decimal."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.reading.load import RunError
from analysis.reconcile.logs.entry import Entry, Kind, instant, number
from analysis.reconcile.logs.reading import read

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPEND = {
    "request_id": "chatcmpl-1", "call_type": "acompletion", "spend": 0.000069, "model": "openai/m",
    "model_group": "m", "startTime": "2026-11-24T00:00:00.100000Z",
    "endTime": "2026-11-24T00:00:02.100000Z", "session_id": TRACE, "status": "success",
    "metadata": json.dumps({"attempted_retries": 1, "attempted_fallbacks": 1}),
}  # fmt: skip
LOGGED = {
    "id": "chatcmpl-1", "trace_id": TRACE, "litellm_call_id": "call-1", "response_cost": 0.000069,
    "startTime": 1795478400.1, "endTime": 1795478402.1, "status": "failure", "model_group": "m",
    "metadata": {"attempted_retries": 0},
}  # fmt: skip
ONEAPI = {
    "id": 7, "created_at": 1795478402, "type": 2, "model_name": "m", "quota": 35, "use_time": 2,
    "request_id": "20261124req", "is_stream": False, "channel": 3,
    "other": json.dumps({"admin_info": {"use_channel": ["1", "3"]}}),
}  # fmt: skip
GENERATION = {
    "id": "gen-1", "upstream_id": "chatcmpl-1", "total_cost": 0.0015, "generation_time": 1200,
    "latency": 300, "created_at": "2026-11-24T00:00:00.1+00:00", "model": "a/m", "cancelled": False,
    "finish_reason": "stop", "provider_responses": [{"status": 503}, {"status": 200}],
}  # fmt: skip
OBSERVATION = {
    "id": "o-1", "traceId": TRACE, "type": "GENERATION", "startTime": "2026-11-24T00:00:00.100Z",
    "endTime": "2026-11-24T00:00:02.100Z", "model": "m", "level": "DEFAULT",
    "costDetails": {"input": 0.00001, "total": 0.000069},
}  # fmt: skip


def span(**known: Any) -> dict[str, Any]:
    values = {
        "traceId": TRACE, "spanId": "b7ad6b7169203331", "name": "POST", "kind": 2,
        "startTimeUnixNano": "1795478400100000000", "endTimeUnixNano": "1795478402100000000",
        "attributes": [], "status": {},
    }  # fmt: skip
    return values | known


def attributes_of(**known: Any) -> list[dict[str, Any]]:
    return [
        {"key": name.replace("__", "."), "value": {"stringValue": value}}
        for name, value in known.items()
    ]


def otlp(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]}


def written(folder: Path, *records: Any, form: str = "jsonl") -> Path:
    path = folder / f"log.{form}"
    text = "".join(json.dumps(record) + "\n" for record in records)
    if form == "json":
        text = json.dumps(records[0] if len(records) == 1 else list(records))
    path.write_text(text, encoding="utf-8")
    return path


def only_entry(path: Path) -> Entry:
    (entry,) = read(path).entries
    return entry


CASES = [
    (SPEND, "LiteLLM", (TRACE, "chatcmpl-1"), True, "0.000069", 3, 2.0),
    (LOGGED, "LiteLLM", (TRACE, "call-1", "chatcmpl-1"), False, "0.000069", 1, 2.0),
    (ONEAPI, "one-api/new-api", ("20261124req",), True, "0.00007", 2, 2.0),
    (GENERATION, "OpenRouter /generation", ("gen-1", "chatcmpl-1"), True, "0.0015", 2, 1.2),
    (OBSERVATION, "Langfuse", (TRACE, "o-1"), True, "0.000069", None, 2.0),
    (otlp(span()), "OTLP-JSON", (TRACE,), True, None, None, 2.0),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{c[1]}-{i}" for i, c in enumerate(CASES)])
@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_each_log_is_recognized_by_its_content(tmp_path: Path, case: Any, form: str) -> None:
    record, name, ids, ok, cost, tries, lasted_s = case
    log = read(written(tmp_path, record, form=form))
    (entry,) = log.entries
    assert (log.reader.name, log.currency, entry.ids, entry.ok) == (name, "USD", ids, ok)
    assert log.money(entry) == (None if cost is None else Decimal(cost))
    assert entry.tries == tries
    assert entry.lasted_s == pytest.approx(lasted_s, abs=1e-6)
    if entry.began_unix_s is not None and name != "one-api/new-api":
        assert entry.began_unix_s == pytest.approx(1795478400.1, abs=1e-6)


@pytest.mark.parametrize(
    "wrapped",
    [{"data": [ONEAPI]}, {"data": {"items": [ONEAPI], "total": 1}},
     {"success": True, "data": ONEAPI}, [ONEAPI], {"data": {"data": [ONEAPI]}}],
)  # fmt: skip
def test_the_envelope_of_an_api_is_removed(tmp_path: Path, wrapped: Any) -> None:
    assert only_entry(written(tmp_path, wrapped, form="json")).ids == ("20261124req",)


def test_a_csv_of_the_gateways_database_is_read_as_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*ONEAPI])
        table.writeheader()
        table.writerow(ONEAPI)
    entry = only_entry(path)
    assert (entry.amount, entry.tries, entry.line) == (Decimal(35), 2, 2)


def test_quota_is_converted_to_money_at_the_given_rate(tmp_path: Path) -> None:
    """500,000 are 1 USD unless the operator says otherwise; top-ups are no requests."""
    refund = ONEAPI | {"type": 6, "quota": 10}
    payment = ONEAPI | {"type": 1, "quota": 500000}
    path = written(tmp_path, ONEAPI, refund, payment)
    log = read(path)
    assert [entry.kind for entry in log.entries] == [Kind.REQUEST, Kind.CHARGE]
    assert log.total == Decimal("0.00005") and log.other == 1
    cheaper = read(path, Decimal(1000), "CNY")
    assert (cheaper.total, cheaper.currency) == (Decimal("0.025"), "CNY")
    with pytest.raises(RunError, match="leave out --quota-per-unit"):
        read(written(tmp_path, SPEND), Decimal(1000))


def test_spans_are_requests_or_the_calls_made_for_them(tmp_path: Path) -> None:
    """The kind of span decides; a cost stated by the request is not counted again in its calls."""
    model = attributes_of(gen_ai__request__model="m", gen_ai__cost__total_cost="0.5")
    root = span(
        parentSpanId="00f067aa0ba902b7", attributes=attributes_of(gen_ai__usage__cost="1.0")
    )
    calls = [
        span(spanId=f"{i:016x}", parentSpanId=root["spanId"], kind="SPAN_KIND_CLIENT",
             attributes=model, status={"code": code}) for i, code in ((1, 2), (2, 1))
    ]  # fmt: skip
    database = span(spanId="3" * 16, parentSpanId=root["spanId"], kind=3)
    log = read(written(tmp_path, otlp(root, *calls, database)))
    entries = [(entry.kind, entry.ok, entry.amount) for entry in log.entries]
    assert entries == [
        (Kind.REQUEST, True, Decimal("1.0")), (Kind.CALL, False, None), (Kind.CALL, True, None),
    ]  # fmt: skip
    alone = read(written(tmp_path, otlp(span(kind=1, attributes=model))))
    assert [(entry.kind, entry.amount) for entry in alone.entries] == [
        (Kind.REQUEST, Decimal("0.5"))
    ]


def test_sums_are_exact_to_the_last_decimal(tmp_path: Path) -> None:
    """A thousand charges that binary fractions cannot represent."""
    path = written(tmp_path, *(SPEND | {"spend": 0.0000001} for _ in range(1000)))
    assert read(path).total == Decimal("0.0001")
    text = path.read_text("utf-8").replace("1e-07", "0.123456789012345678901")
    path.write_text(text, "utf-8")
    assert read(path).total == Decimal("123.456789012345678901")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "is not a log that Weighbridge knows: give one of OTLP-JSON, LiteLLM"),
        ("", "is not a log that Weighbridge knows"),
        ('{"a": 1}\n{"b"', "line 2: it must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ("task_id,cost\na,1\n", "is not a log that Weighbridge knows"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_a_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "log"
    path.write_text(text, "utf-8")
    with pytest.raises(RunError, match=says):
        read(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from([SPEND, LOGGED, ONEAPI, GENERATION, OBSERVATION]), st.data())
def test_any_value_in_a_record_is_read_or_refused(record: Any, data: st.DataObject) -> None:
    from analysis.reconcile.logs.reading import READERS

    name = data.draw(st.sampled_from([*record]))
    changed = record | {name: data.draw(JSON)}
    for reader in READERS:
        if reader.fits(changed):
            for entry in reader.read(changed, 1):
                assert all(isinstance(one, str) for one in entry.ids)
                assert entry.lasted_s is None or entry.lasted_s == entry.lasted_s


@given(JSON)
def test_any_value_in_a_span_is_read_or_refused(value: Any) -> None:
    from analysis.reconcile.logs import otlp as module

    for record in ({"resourceSpans": [value]}, otlp(span(attributes=value, status=value)),
                   otlp(span(startTimeUnixNano=value, kind=value))):  # fmt: skip
        list(module.READER.read(record, 1))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_every_decimal_amount_is_read_exactly(amount: Decimal) -> None:
    amount_read = number(str(amount))
    assert amount_read is None or amount_read == amount
    assert amount_read is not None or abs(amount.adjusted()) >= 30


def test_times_are_read_in_every_unit() -> None:
    for value in (
        1795478400, "1795478400", 1795478400000, "1795478400000000000",
        "2026-11-24T00:00:00Z", "2026-11-24 00:00:00", "2026-11-24T08:00:00+08:00",
    ):  # fmt: skip
        assert instant(value) == 1795478400, value
    assert instant("soon") is None and instant(None) is None and instant(True) is None
