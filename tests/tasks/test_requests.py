"""What is sent: the seed's body, with the SDK's own headers, through both surfaces."""

import time
from pathlib import Path
from statistics import median

import gevent
import pytest

from recording.record import COLUMNS
from tasks.probes import tools
from tasks.prompts import Judgement, Request
from tasks.reply import Message
from tests.tasks.scripted_server import (
    BOTH,
    TYPED,
    USAGE_CHUNK,
    WHOLE_STREAM,
    Conversation,
    Serve,
    answer,
    completion,
    delta,
    json_reply,
    streaming,
)
from tests.tasks.sending import KEY, OPTIONS, Sender, phase, send


@TYPED
def test_a_plain_request_is_the_seeds(serve: Serve, typed: bool) -> None:
    server = serve(answer(json_reply(completion())))
    send(server.base_url, index=3, typed=typed)
    (request,) = server.requests
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.json == {
        "model": "m",
        "messages": [{"role": "user", "content": "Reply exactly: ok-3"}],
        "max_tokens": 16,
        "stream": False,
        "task_id": "pre-req-3",
    }


@TYPED
def test_a_streamed_request_asks_for_usage_and_carries_no_task_id(
    serve: Serve, typed: bool
) -> None:
    server = serve(answer(streaming(*WHOLE_STREAM)))
    row = send(server.base_url, typed=typed, stream=True)
    body = server.requests[0].json
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert "task_id" not in body
    assert row.task_id == "pre-req-0", "the row is named all the same"


@BOTH
@TYPED
def test_the_request_has_the_headers_of_the_official_sdk(
    serve: Serve, typed: bool, stream: bool
) -> None:
    server = serve(answer(streaming(*WHOLE_STREAM) if stream else json_reply(completion())))
    send(server.base_url, typed=typed, stream=stream)
    headers = server.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["user-agent"].startswith("OpenAI/Python")
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{server.port}"


TIMES = {"timestamp"} | {name for name in COLUMNS if name.endswith(("_s", "_sec"))}
ANSWERS: dict[str, tuple[bytes, bytes]] = {
    "whole": (json_reply(completion()), streaming(*WHOLE_STREAM)),
    "reasoning": (
        json_reply(
            completion(
                choices=[
                    {
                        "message": {"content": "ok", "reasoning_content": "hm"},
                        "finish_reason": "stop",
                    }
                ],
                usage={
                    "prompt_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
                    "completion_tokens_details": {"reasoning_tokens": 3},
                    "cost": "0.5",
                },
            )
        ),
        streaming(delta(reasoning_content="hm"), delta("stop", content="ok"), WHOLE_STREAM[-1]),
    ),
    "error": (json_reply({"error": {"message": "m", "code": 429}}, status="429 Slow"),) * 2,
    "error in 200": (json_reply({"error": {"message": "m", "code": 429}}),) * 2,
    "no choices": (
        json_reply({"id": "x", "usage": {"total_tokens": 3}}),
        streaming({"id": "x"}, delta("stop"), WHOLE_STREAM[-1]),
    ),
    "no usage": (
        json_reply(completion(usage=None)),
        streaming(*WHOLE_STREAM[:-1]),
    ),
    "foreign fields": (
        json_reply({**completion(), "provider": "p", "x": {"y": [1]}}),
        streaming(*({**chunk, "provider": "p"} for chunk in WHOLE_STREAM)),
    ),
}


@BOTH
@pytest.mark.parametrize("case", ANSWERS)
def test_the_typed_surface_gives_the_same_record(serve: Serve, case: str, stream: bool) -> None:
    server = serve(answer(ANSWERS[case][stream]))
    untyped = send(server.base_url, stream=stream)
    typed = send(server.base_url, stream=stream, typed=True)
    assert server.requests[0].json == server.requests[1].json
    for name in COLUMNS:
        if name not in TIMES:
            assert getattr(typed, name) == getattr(untyped, name), name


CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Shanghai"}'},
}


@TYPED
def test_a_tool_call_is_judged_plain_and_in_pieces(serve: Serve, typed: bool) -> None:
    head = {"index": 0, "id": "call_1", "type": "function"}
    pieces = streaming(
        delta(role="assistant", content=None),
        delta(tool_calls=[{**head, "function": {"name": "get_weather", "arguments": ""}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '{"city": '}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '"Shanghai"}'}}]),
        delta("tool_calls"),
        USAGE_CHUNK,
    )
    whole = json_reply(
        completion(choices=[{"message": {"tool_calls": [CALL]}, "finish_reason": "tool_calls"}])
    )
    probe_request = tools.build(phase(), 0, OPTIONS)
    for stream, reply in ((False, whole), (True, pieces)):
        server = serve(answer(reply))
        row = send(server.base_url, request=probe_request, stream=stream, typed=typed)
        assert (row.outcome, row.check, row.finish_reason) == ("ok", "pass", "tool_calls")
        assert row.content is None
        assert server.requests[0].json["tools"] == tools.WEATHER
        assert server.requests[0].json["tool_choice"] == "auto"


def waited_for_a_core_s() -> float:
    """How long this process has been ready without a core so far; 0 where unknown."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def load(serve: Serve, users: int, rounds: int) -> tuple[float, float]:
    """(measured median, the server's own median) under load.

    The server holds each request for half a second; users start spread over that time.
    """
    served: list[float] = []
    reply = json_reply(completion())

    def slow(talk: Conversation) -> None:
        while True:
            began = talk.request().at
            gevent.sleep(0.5)
            talk.send(reply)
            served.append(time.perf_counter() - began)

    server = serve(slow)
    senders = [Sender(server.base_url) for _ in range(users)]

    def use(number: int) -> list[float]:
        gevent.sleep(number / users * 0.5)
        rows = [senders[number].send(i) for i in range(rounds)]
        assert [row.outcome for row in rows] == ["ok"] * rounds
        return [row.elapsed_sec or 0.0 for row in rows[1:]]

    greenlets = [gevent.spawn(use, number) for number in range(users)]
    gevent.joinall(greenlets, raise_error=True)
    assert server.connections == users
    for user in senders:
        user.client.close()
    measured = [seconds for greenlet in greenlets for seconds in greenlet.value]
    return median(measured), median(served)


def test_latency_holds_under_200_requests_in_flight(serve: Serve) -> None:
    """A shared connection pool would show 1.4 times the truth here.

    The truth is the server's own, on the same clock. On a machine that keeps this process
    waiting for a core there are two more tries, and then no verdict.
    """
    waits = []
    for _ in range(3):
        waited_s, began = waited_for_a_core_s(), time.perf_counter()
        measured, truth = load(serve, users=200, rounds=4)
        waits.append((waited_for_a_core_s() - waited_s) / (time.perf_counter() - began))
        if abs(measured - truth) <= 0.05 * truth:
            return
    if min(waits) > 0.02:
        pytest.skip(f"the machine is too busy: this process waited {min(waits):.0%} of the time")
    assert measured == pytest.approx(truth, rel=0.05)


def test_a_judge_that_fails_is_a_failed_check_and_not_a_lost_row(serve: Serve) -> None:
    def judge(said: Message) -> Judgement:
        raise KeyError("no such definition")

    server = serve(answer(json_reply(completion())))
    row = send(server.base_url, request=Request("x", judge=judge))
    assert (row.outcome, row.check) == ("ok", "fail")
    assert "KeyError" in (row.check_detail or "")
