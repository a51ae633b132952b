"""Records in the formats that the gateways' own sources write, field by field and in their units.

Sources: QuantumNous/new-api and songquanpeng/one-api, model/log.go; OpenRouter's API reference,
GenerationResponse (its own example), and the header of its activity CSV; langfuse/langfuse,
fern/apis/server/definition/commons.yml and the columns of its table `observations`.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis.reconcile.logs.entry import Kind
from analysis.reconcile.logs.reading import Log, read
from tests.analysis.test_logs import TRACE, written

NEWAPI = {
    "id": 731, "user_id": 1, "created_at": 1795478402, "type": 2, "content": "", "username": "root",
    "token_name": "t", "model_name": "gpt-4o-mini", "quota": 35, "prompt_tokens": 20,
    "completion_tokens": 10, "use_time": 2, "is_stream": True, "channel": 3, "channel_name": "",
    "token_id": 1, "group": "default", "ip": "", "request_id": "20261124000002abc",
    "other": json.dumps({"model_ratio": 0.075, "admin_info": {"use_channel": ["3"]}}),
}  # fmt: skip
ONEAPI = {
    "id": 7, "user_id": 1, "created_at": 1795478402, "type": 2, "content": "", "username": "root",
    "token_name": "t", "model_name": "gpt-4o-mini", "quota": 35, "prompt_tokens": 20,
    "completion_tokens": 10, "channel": 3, "request_id": "2026112400000200001",
    "elapsed_time": 1870, "is_stream": False, "system_prompt_reset": False,
}  # fmt: skip
ONEHUB = {name: value for name, value in ONEAPI.items() if name != "elapsed_time"} | {
    "request_time": 1870, "channel_id": 3, "channel": {"id": 3, "name": "c"},
}  # fmt: skip
OPENROUTER = {
    "data": {
        "id": "gen-3bhGkxlo4XFrqiabUM7NDtwDzWwG",
        "upstream_id": "chatcmpl-791bcf62-080e-4568-87d0-94c72e3b4946", "total_cost": 0.0015,
        "cache_discount": 0.0002, "upstream_inference_cost": 0.0012,
        "created_at": "2024-07-15T23:33:19.433273+00:00", "model": "sao10k/l3-stheno-8b",
        "app_id": 12345, "streamed": True, "cancelled": False, "provider_name": "Infermatic",
        "latency": 1250, "moderation_latency": 50, "generation_time": 1200, "finish_reason": "stop",
        "tokens_prompt": 10, "tokens_completion": 25, "usage": 0.0015, "is_byok": False,
        "provider_responses": None, "router": "openrouter/auto",
    }
}  # fmt: skip
ACTIVITY = (
    "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,"
    "byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,"
    "model_permaslug,provider_name,variant,cancelled,streamed,user,finish_reason_raw,"
    "finish_reason_normalized,generation_time_ms,time_to_first_token_ms,app_name,api_key_name\n"
    "gen-1,2026-11-24 00:00:00.100,0.0015,0,0,0,0,10,25,0,0,a/m,P,standard,false,true,,stop,stop,"
    "1200,300,w,k\n"
    "gen-2,2026-11-24 00:00:01.100,0.0004,0,0,0,0,10,3,0,0,a/m,P,standard,true,true,,,,"
    "400,300,w,k\n"
)
OBSERVATION = {
    "id": "o-1", "traceId": TRACE, "type": "GENERATION", "name": "chat", "level": "DEFAULT",
    "startTime": "2026-11-24T00:00:00.100Z", "endTime": "2026-11-24T00:00:02.100Z",
    "model": "gpt-4o-mini", "usage": {"input": 20, "output": 10, "total": 30, "unit": "TOKENS"},
    "calculatedInputCost": 0.00003, "calculatedOutputCost": 0.00004, "calculatedTotalCost": 0.00007,
    "latency": 2.0, "timeToFirstToken": 0.3, "parentObservationId": None,
}  # fmt: skip
STORED = {
    "id": "o-1", "trace_id": TRACE, "project_id": "p", "type": "GENERATION", "level": "DEFAULT",
    "start_time": "2026-11-24 00:00:00.100", "end_time": "2026-11-24 00:00:02.100",
    "provided_model_name": "gpt-4o-mini", "cost_details": {"input": 0.00003, "total": 0.00007},
    "total_cost": 0.00007,
}  # fmt: skip
TRACED = {
    "id": TRACE, "timestamp": "2026-11-24T00:00:00.100Z", "name": "chat", "latency": 2.0,
    "totalCost": 0.00007, "observations": ["o-1"], "scores": [], "htmlPath": "/trace",
}  # fmt: skip


def log_of(place: Path, *records: Any) -> Log:
    return read(written(place, *records))


@pytest.mark.parametrize(
    ("record", "ids", "money", "lasted_s"),
    [
        (NEWAPI, ("20261124000002abc",), "0.00007", 2.0),
        (ONEAPI, ("2026112400000200001",), "0.00007", 1.87),
        (ONEHUB, ("2026112400000200001",), "0.00007", 1.87),
        (OPENROUTER, ("gen-3bhGkxlo4XFrqiabUM7NDtwDzWwG",
                      "chatcmpl-791bcf62-080e-4568-87d0-94c72e3b4946"), "0.0015", 1.2),
        (OBSERVATION, (TRACE, "o-1"), "0.00007", 2.0),
        (STORED, (TRACE, "o-1"), "0.00007", 2.0),
        (TRACED, (TRACE,), "0.00007", 2.0),
        (STORED | {"type": "EMBEDDING"}, (TRACE, "o-1"), "0.00007", 2.0),
    ],
)  # fmt: skip
def test_each_schema_is_read_in_its_units(
    tmp_path: Path, record: Any, ids: tuple[str, ...], money: str, lasted_s: float
) -> None:
    log = log_of(tmp_path, record)
    (entry,) = log.entries
    assert (entry.ids, log.money(entry), log.currency) == (ids, Decimal(money), "USD")
    assert entry.lasted_s == pytest.approx(lasted_s) and log.total == Decimal(money)


def test_type_5_is_a_failed_attempt_in_new_api_and_a_channel_test_in_one_api(
    tmp_path: Path,
) -> None:
    failed = log_of(tmp_path, NEWAPI | {"type": 5, "quota": 0}).entries
    assert [(one.kind, one.ok) for one in failed] == [(Kind.REQUEST, False)]
    log = log_of(tmp_path, ONEAPI, ONEAPI | {"type": 5})
    assert len(log.entries) == 1 and log.other == 1


def test_a_refund_of_new_api_is_subtracted(tmp_path: Path) -> None:
    log = log_of(tmp_path, NEWAPI, NEWAPI | {"type": 6, "quota": 35})
    assert log.total == 0 and [one.kind for one in log.entries] == [Kind.REQUEST, Kind.CHARGE]


def test_the_csv_of_openrouters_activity_page_is_read_as_a_log(tmp_path: Path) -> None:
    path = tmp_path / "activity.csv"
    path.write_text(ACTIVITY, encoding="utf-8")
    log = read(path)
    assert log.reader.name == "OpenRouter activity" and log.total == Decimal("0.0019")
    assert [(one.ids, one.ok, one.lasted_s) for one in log.entries] == [
        (("gen-1",), True, 1.2), (("gen-2",), False, 0.4)
    ]  # fmt: skip
    assert log.entries[0].began_unix_s == pytest.approx(1795478400.1)
