"""What a gateway refuses of a body is sent another way:

the same request, one row, no extra request. Judged by the log of a scripted gateway with other
rules than our simulator.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gevent
import pytest

from recording.body_change import BodyChange
from recording.record import RequestRecord, decode, encode
from settings.options import Options
from tasks.client import Client
from tasks.job import Job, Origin
from tasks.negotiation import Negotiation
from tasks.prompts import Request, marker
from tasks.route import route
from tests.tasks.scripted_server import (
    WHOLE_STREAM,
    Conversation,
    ScriptedServer,
    completion,
    json_reply,
    streaming,
)
from tests.tasks.sending import KEY, phase

KNOWN = {"model", "messages", "stream", "max_completion_tokens", "stream_options", "metadata"}
Rule = Callable[[dict[str, Any]], Any]


def strict(*known: str, pause_s: float = 0.0, **more: Any) -> Rule:
    """Refuses the first unknown field, in OpenAI's words."""

    def rule(body: dict[str, Any]) -> Any:
        for name in body:
            if name not in known:
                return openai(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        return None

    return rule


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    }


def reasoning(body: dict[str, Any]) -> Any:
    """An o-series model: its own name for the budget, no temperature but 1, no unknown field."""
    if "max_tokens" in body:
        return openai(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    if body.get("temperature", 1) != 1:
        return openai(
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default "
            "(1) value is supported.",
            "temperature",
            "unsupported_value",
        )
    return strict(*KNOWN, "temperature")(body)


def gateway(rule: Rule, status: str = "400 Bad Request", pause_s: float = 0.0) -> Any:
    def script(talk: Conversation) -> None:
        while True:
            body = talk.request().json
            if pause_s:
                gevent.sleep(pause_s)
            if (refusal := rule(body)) is not None:
                talk.send(json_reply(refusal, status=status))
            elif body.get("stream"):
                talk.send(streaming(*WHOLE_STREAM))
            else:
                talk.send(json_reply(completion()))

    return script


class Asker:
    """A process with some users: its negotiation with the gateway, and what it reported of it."""

    def __init__(self, server: ScriptedServer, **options: Any) -> None:
        self.told: list[BodyChange] = []
        self.server = server
        self.options = replace(Options(mode="rpm", run_id="run", task_id_prefix="pre"), **options)
        origin = Origin("run", "local", KEY, mute=self.options.no_content)
        self.negotiation = Negotiation(self.options, origin, self.told.append)

    def send(
        self,
        index: int = 0,
        request: Request | None = None,
        due_in_s: float | None = None,
        **how: Any,
    ) -> RequestRecord:
        block = phase(**how)
        client = Client(
            self.server.base_url, KEY, route(self.server.base_url), time.perf_counter, timeout_s=5
        )
        began = time.perf_counter()

        def gate(job: Job) -> None:
            job.in_flight = 1

        due = None if due_in_s is None else began + due_in_s
        job = Job(block, index, began, due, gate)
        if due is None:
            self.negotiation.turn(block)
        try:
            prompt = request or marker(block, index, self.options)
            record = self.negotiation.send(client, prompt, job)
        finally:
            self.negotiation.settle(block)
            client.close()
        decode(encode(record))
        return record

    def bodies(self) -> list[dict[str, Any]]:
        return [seen.json for seen in self.server.requests]


@pytest.fixture
def ask(serve: Callable[..., ScriptedServer]) -> Callable[..., Asker]:
    def make(
        rule: Rule, status: str = "400 Bad Request", pause_s: float = 0.0, **how: Any
    ) -> Asker:
        return Asker(serve(gateway(rule, status, pause_s)), **how)

    return make


def test_a_gateway_that_accepts_everything_gets_the_seeds_body_once(ask: Any) -> None:
    asker = ask(lambda body: None, same_prompts=True)
    rows = [asker.send(i) for i in range(3)] + [asker.send(3, stream=True)]
    assert [row.outcome for row in rows] == ["ok"] * 4
    assert [row.refused_sends for row in rows] == [0] * 4
    assert asker.told == []
    plain, *_, stream = asker.bodies()
    assert len(asker.bodies()) == 4
    assert list(plain.items()) == [
        ("model", "m"),
        ("messages", [{"role": "user", "content": "Reply exactly: ok-0"}]),
        ("max_tokens", 16),
        ("stream", False),
        ("task_id", "pre-req-0"),
    ]
    assert list(stream) == ["model", "messages", "max_tokens", "stream", "stream_options"]


@pytest.mark.parametrize("typed", (False, True))
@pytest.mark.parametrize("stream", (False, True))
def test_the_rules_of_a_reasoning_model_are_learned_within_one_request(
    ask: Any, typed: bool, stream: bool
) -> None:
    asker = ask(reasoning)
    probe = Request("2+2?", extra={"temperature": 0})
    rows = [asker.send(i, probe, typed=typed, stream=stream) for i in range(3)]
    assert [row.outcome for row in rows] == ["ok"] * 3
    changed = [one.field for one in asker.told]
    expected = ["max_tokens", "temperature"] + ([] if stream else ["task_id"])
    assert sorted(changed) == sorted(expected)
    # The first learns; the others are sent once, and each row is its own request's.
    assert [row.refused_sends for row in rows] == [len(expected), 0, 0]
    assert len(asker.bodies()) == len(expected) + 3
    assert [row.max_tokens for row in rows] == [16, 16, 16]
    last = asker.bodies()[-1]
    assert last["max_completion_tokens"] == 16
    assert not {"max_tokens", "temperature", "task_id"} & last.keys()
    headers = [seen.headers.get("x-task-id") for seen in asker.server.requests]
    if not stream:
        assert headers[-3:] == ["pre-req-0", "pre-req-1", "pre-req-2"]


def test_a_server_that_refuses_stream_options_gets_a_stream_without_them(ask: Any) -> None:
    asker = ask(strict("model", "messages", "stream", "max_tokens", "task_id"))
    rows = [asker.send(i, stream=True) for i in range(2)]
    assert [(row.outcome, row.refused_sends, row.check) for row in rows] == [
        ("ok", 1, None),
        ("ok", 0, None),
    ]
    assert ["stream_options" in body for body in asker.bodies()] == [True, False, False]


@pytest.mark.parametrize(
    "said",
    (
        {"detail": [{"loc": ["body", "task_id"], "msg": "Extra inputs are not permitted"}]},
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "task_id"], "msg": "no"}]},
        openai("property 'task_id' is unsupported"),
        {"message": 'json: unknown field "task_id"'},
    ),
)
def test_a_refusal_in_other_words_is_understood(ask: Any, said: Any) -> None:
    asker = ask(lambda body: said if "task_id" in body else None, "422 Unprocessable Entity")
    assert asker.send().outcome == "ok"
    assert [(one.field, one.to, one.status) for one in asker.told] == [("task_id", "header", 422)]


def test_the_row_is_timed_from_its_own_last_send(ask: Any) -> None:
    asker = ask(strict("model", "messages", "stream", "max_tokens"), pause_s=0.2)
    started = time.perf_counter()
    row = asker.send(due_in_s=0.0, kind="arrivals", count=1, duration_s=1.0)
    whole_s = time.perf_counter() - started
    assert row.refused_sends == 1
    # The refusal took 0.2 s: no lateness of ours, no latency of the answer; the plan stays.
    assert row.elapsed_sec is not None and 0.2 <= row.elapsed_sec <= whole_s - 0.2
    assert row.send_lag_s is not None and row.send_lag_s <= whole_s - 0.4
    assert row.elapsed_from_due_s is not None and row.elapsed_from_due_s <= whole_s - 0.2
    assert row.scheduled_offset_s is not None and abs(row.scheduled_offset_s) < 0.01
    assert row.sent_offset_s is not None and row.sent_offset_s >= 0.2


def test_each_request_in_flight_at_the_refusal_is_sent_again_as_the_same_request(ask: Any) -> None:
    asker = ask(strict("model", "messages", "stream", "max_tokens"), pause_s=0.1)
    together = [gevent.spawn(asker.send, i, due_in_s=0.0, kind="burst") for i in range(5)]
    gevent.joinall(together, raise_error=True)
    assert [job.value.outcome for job in together] == ["ok"] * 5
    assert [job.value.refused_sends for job in together] == [1] * 5
    prompts = Counter(body["messages"][0]["content"] for body in asker.bodies())
    assert set(prompts.values()) == {2}
    assert len(asker.told) == 1  # said once, though five were refused


def test_in_a_closed_loop_the_first_request_is_sent_alone(ask: Any) -> None:
    asker = ask(strict("model", "messages", "stream", "max_tokens"), pause_s=0.1)
    together = [gevent.spawn(asker.send, i) for i in range(5)]
    gevent.joinall(together, raise_error=True)
    assert sum(job.value.refused_sends for job in together) == 1
    assert len(asker.bodies()) == 6


def test_the_second_request_does_not_wait_long_for_the_first(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.negotiation.ALONE_S", 0.1)
    asker = ask(lambda body: None, pause_s=1.0)
    together = [gevent.spawn(asker.send, i) for i in range(2)]
    gevent.joinall(together, raise_error=True)
    first, second = (seen.at for seen in asker.server.requests)
    assert 0.05 <= second - first < 0.9


@pytest.mark.parametrize(
    ("options", "field"),
    (
        ({"task_id": "body"}, "task_id"),
        ({"task_id": "metadata"}, "metadata"),
        ({"output_budget_field": "max_tokens"}, "max_tokens"),
        ({"output_budget_field": "max_completion_tokens"}, "max_completion_tokens"),
        ({"extra_body": '{"temperature": 0}'}, "temperature"),
        ({"stream_usage": "on"}, "stream_options"),
    ),
)
def test_a_field_set_by_the_operator_is_never_changed(ask: Any, options: Any, field: str) -> None:
    def rule(body: dict[str, Any]) -> Any:
        refusal = openai(f"Unknown parameter: '{field}'.", field, "unknown_parameter")
        return refusal if field in body else None

    asker = ask(rule, **options)
    row = asker.send(stream=field == "stream_options")
    assert (row.outcome, row.refused_sends, len(asker.bodies())) == ("bad_request", 0, 1)
    assert asker.told == []


@pytest.mark.parametrize("field", ("task_id", "max_tokens", "stream_options", "temperature"))
def test_a_gateway_that_always_refuses_a_field_is_not_asked_again_and_again(
    ask: Any, field: str
) -> None:
    refusal = openai(f"Unknown parameter: '{field}'.", field, "unknown_parameter")
    asker = ask(lambda body: refusal)
    rows = [
        asker.send(i, Request("x", extra={"temperature": 0}), stream=field == "stream_options")
        for i in range(3)
    ]
    assert [row.outcome for row in rows] == ["bad_request"] * 3
    assert [row.refused_sends for row in rows] == [1, 0, 0]
    assert len(asker.bodies()) == 4


def test_refusing_both_names_of_max_tokens_is_an_ordinary_failure(ask: Any) -> None:
    def rule(body: dict[str, Any]) -> Any:
        name = next((n for n in ("max_tokens", "max_completion_tokens") if n in body), None)
        return name and openai(f"Unknown parameter: '{name}'.", name, "unknown_parameter")

    asker = ask(rule)
    rows = [asker.send(i) for i in range(2)]
    assert [(row.outcome, row.refused_sends) for row in rows] == [
        ("bad_request", 1),
        ("bad_request", 0),
    ]


def test_refusals_that_name_no_field_of_ours_change_nothing(ask: Any) -> None:
    prompt = "Explain: Unknown parameter: 'task_id'. max_tokens is not supported"
    for refusal in (
        openai("Unknown parameter: 'seed'.", "seed", "unknown_parameter"),
        openai("Unknown parameter: 'stream_options'.", "stream_options", "unknown_parameter"),
        openai(f"Your prompt {prompt!r} was flagged."),
        openai(f"content filtered: {prompt}", "messages[0].content"),
        openai("max_tokens is too large: 16. At most 8.", "max_tokens", "invalid_value"),
        {"detail": [{"loc": ["body", "messages", 0, "task_id"], "msg": "extra_forbidden"}]},
        "not JSON at all",
    ):
        asker = ask(lambda body, refusal=refusal: refusal)
        row = asker.send(request=Request(prompt))
        assert (row.outcome, len(asker.bodies()), asker.told) == ("bad_request", 1, [])


def test_a_charged_refusal_is_a_row_of_its_own(ask: Any) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5, "cost": 0.5}

    def rule(body: dict[str, Any]) -> Any:
        return (
            {**openai("Unknown parameter: 'task_id'."), "usage": usage}
            if "task_id" in body
            else None
        )

    asker = ask(rule)
    rows = [asker.send(i) for i in range(2)]
    assert [(row.outcome, row.api_cost) for row in rows] == [("bad_request", 0.5), ("ok", 0.25)]
    assert len(asker.bodies()) == 2


def test_what_another_process_learned_applies_from_the_first_request(ask: Any) -> None:
    asker = ask(reasoning)
    asker.send()
    second_process = Asker(asker.server)
    second_process.negotiation.adopt([BodyChange.of(one.as_dict()) for one in asker.told])
    before = len(asker.bodies())
    assert second_process.send(1).refused_sends == 0
    assert len(asker.bodies()) == before + 1


def test_each_model_has_its_own_rules(ask: Any) -> None:
    asker = ask(lambda body: reasoning(body) if body["model"] == "o3" else None)
    assert [asker.send(model=name).outcome for name in ("gpt-4.1", "o3", "gpt-4.1")] == ["ok"] * 3
    assert {one.model for one in asker.told} == {"o3"}
    assert ["max_tokens" in body for body in asker.bodies()] == [True, True, False, False, True]


def test_with_no_content_the_gateways_message_is_not_reported(ask: Any) -> None:
    asker = ask(strict("model", "messages", "stream", "max_tokens"), no_content=True)
    asker.send()
    assert [one.said for one in asker.told] == ["withheld by --no-content"]


def test_the_key_is_removed_from_the_reported_message(ask: Any) -> None:
    refusal = openai(f"Unknown parameter: 'task_id'. (key {KEY})", "task_id", "unknown_parameter")
    asker = ask(lambda body: refusal if "task_id" in body else None)
    asker.send()
    assert KEY not in str(asker.told)


def test_own_traffic_keeps_its_temperature_and_only_max_tokens_is_renamed(
    ask: Any,
) -> None:
    asker = ask(reasoning)
    line = Request("x", extra={"max_tokens": 30, "temperature": 0.5})
    row = asker.send(request=line, traffic="digest", max_tokens=None)
    assert row.outcome == "bad_request"  # the operator's own temperature stands
    assert asker.bodies()[-1]["max_completion_tokens"] == 30
    assert [one.field for one in asker.told] == ["max_tokens"]


def test_a_400_under_http_200_is_a_refusal_too(ask: Any) -> None:
    refusal = openai("Unknown parameter: 'task_id'.", "task_id")
    refusal["error"]["code"] = 400
    asker = ask(lambda body: refusal if "task_id" in body else None, "200 OK")
    assert [asker.send(i).outcome for i in range(2)] == ["ok", "ok"]
    assert len(asker.bodies()) == 3


def test_a_halted_phase_sends_nothing_again(ask: Any) -> None:
    asker = ask(strict("model", "messages", "stream", "max_tokens"))
    block = phase()
    client = Client(
        asker.server.base_url, KEY, route(asker.server.base_url), time.perf_counter, timeout_s=5
    )
    job = Job(block, 0, time.perf_counter(), None, lambda job: None)
    row = asker.negotiation.send(client, marker(block, 0, asker.options), job, lambda: True)
    client.close()
    assert (row.outcome, len(asker.bodies())) == ("bad_request", 1)
