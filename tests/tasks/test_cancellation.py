"""Requests that are cancelled on purpose: when the connection closes, and what the row holds."""

import time
from typing import Any

import gevent
import pytest

from rules.budget import Budget, Reservation
from rules.prices import Price, Prices
from tests.tasks.scripted_server import (
    STREAM_HEAD,
    TYPED,
    USAGE_CHUNK,
    Conversation,
    Hangup,
    Serve,
    answer,
    chunked,
    completion,
    delta,
    json_reply,
    sse,
)
from tests.tasks.sending import send, sender

THREE = {"after_chunks": 3, "after_s": None, "share": 1.0, "seed": ""}
NONE = THREE | {"after_chunks": 0}
SOON = THREE | {"after_chunks": None, "after_s": 0.15}
WORDS = [delta(content=f"word{number} ") for number in range(50)]


class Talker:
    """Streams a word every 20 ms until its client hangs up, and counts the words sent."""

    def __init__(self, head_s: float = 0.0, every_s: float = 0.02) -> None:
        self.head_s, self.every_s = head_s, every_s
        self.sent = 0
        self.left = gevent.event.Event()

    def __call__(self, talk: Conversation) -> None:
        talk.request()
        self.left.clear()
        watcher = gevent.spawn(self._watch, talk)
        gevent.sleep(self.head_s)
        if not self.left.is_set():
            talk.send(STREAM_HEAD)
        for word in WORDS:
            if self.left.is_set():
                break
            talk.send(*chunked(*sse([word], done=False), last=False))
            self.sent += 1
            gevent.sleep(self.every_s)
        watcher.join(timeout=2)

    def _watch(self, talk: Conversation) -> None:
        try:
            talk._more()
        except (Hangup, OSError):
            self.left.set()


@TYPED
def test_after_three_chunks_the_connection_is_closed_at_once(serve: Serve, typed: bool) -> None:
    """By the gateway's own count: it notices before it has sent many more."""
    talker = Talker()
    row = send(serve(talker).base_url, stream=True, typed=typed, cancel=THREE)
    assert talker.left.wait(2) and 3 <= talker.sent <= 10
    assert (row.outcome, row.success, row.http_status) == ("abandoned", False, 200)
    assert (row.chunks, row.received_chars, row.content) == (3, 18, "word0 word1 word2 ")
    assert (row.cancel_after, row.check) == ("3chunks", None)
    assert row.ttft_s is not None and row.elapsed_sec is not None and row.ttft_s < row.elapsed_sec
    assert (row.prompt_tokens, row.api_cost, row.cost_source) == (None, None, "unknown")


def test_chunks_after_the_third_in_one_segment_are_not_read(serve: Serve) -> None:
    stream = STREAM_HEAD + b"".join(chunked(*sse(WORDS)))
    row = send(serve(answer(stream)).base_url, stream=True, cancel=THREE)
    assert (row.outcome, row.chunks) == ("abandoned", 3)


def test_a_cancellation_before_the_first_token_reads_nothing(serve: Serve) -> None:
    talker = Talker(head_s=1.0)
    began = time.perf_counter()
    row = send(serve(talker).base_url, stream=True, cancel=NONE)
    assert time.perf_counter() - began < 0.9 and talker.left.wait(2) and talker.sent == 0
    assert (row.outcome, row.http_status, row.chunks) == ("abandoned", None, 0)
    assert (row.received_chars, row.ttft_s, row.content) == (0, None, None)


def test_a_cancellation_before_the_first_token_discards_an_early_answer(serve: Serve) -> None:
    talker = Talker()
    row = send(serve(talker).base_url, stream=True, cancel=NONE)
    assert (row.outcome, row.http_status, row.chunks) == ("abandoned", 200, 0)
    assert talker.left.wait(2) and talker.sent < 10


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_cancellation_after_a_time_keeps_what_has_come(serve: Serve, stream: bool) -> None:
    talker = Talker(head_s=0.0 if stream else 3.0)
    row = send(serve(talker).base_url, stream=stream, cancel=SOON)
    assert talker.left.wait(2) and (row.outcome, row.cancel_after) == ("abandoned", "150ms")
    assert row.elapsed_sec is not None and row.elapsed_sec >= 0.15
    if stream:
        assert row.chunks and row.received_chars
    else:
        assert (row.chunks, row.received_chars, row.http_status) == (None, None, None)


@pytest.mark.parametrize("cancel", [THREE, NONE, SOON])
@pytest.mark.parametrize("status", ["400 Bad Request", "429 Too Many Requests", "500 No"])
def test_a_refusal_before_the_cancellation_stays_a_refusal(
    serve: Serve, cancel: dict[str, Any], status: str
) -> None:
    refusal = json_reply({"error": {"message": "no"}}, status=status)
    row = send(serve(answer(refusal)).base_url, stream=True, cancel=cancel)
    assert row.outcome in ("bad_request", "rate_limited", "server_error")
    assert row.error_message == "no" and row.cancel_after is not None


def test_a_reply_that_ends_before_the_cancellation_is_complete(serve: Serve) -> None:
    row = send(serve(answer(json_reply(completion()))).base_url, cancel=SOON)
    assert (row.outcome, row.cancel_after, row.api_cost) == ("ok", "150ms", 0.25)
    short = STREAM_HEAD + b"".join(chunked(*sse(WORDS[:2])))
    row = send(serve(answer(short)).base_url, stream=True, cancel=THREE)
    assert (row.outcome, row.chunks, row.received_chars) == ("ok", 2, None)


def test_a_request_that_is_not_drawn_is_not_cancelled(serve: Serve) -> None:
    rarely = THREE | {"share": 1e-9}
    stream = STREAM_HEAD + b"".join(chunked(*sse(WORDS)))
    row = send(serve(answer(stream)).base_url, stream=True, cancel=rarely)
    assert (row.outcome, row.chunks, row.cancel_after) == ("ok", 50, None)


def test_the_next_request_after_a_cancellation_has_a_new_connection(serve: Serve) -> None:
    server = serve(Talker())
    with sender(server.base_url) as user:
        rows = [user.send(stream=True, cancel=THREE) for _ in range(3)]
    assert [row.outcome for row in rows] == ["abandoned"] * 3 and server.connections == 3


def test_usage_stated_before_the_cancellation_is_kept_and_not_priced(serve: Serve) -> None:
    """Some gateways count up in every chunk: it is not the last word on the cost."""
    counted = [word | {"usage": USAGE_CHUNK["usage"]} for word in WORDS]
    stream = STREAM_HEAD + b"".join(chunked(*sse(counted)))
    prices = Prices({"*": Price(input=1.0, output=4.0)})
    row = send(serve(answer(stream)).base_url, how={"prices": prices}, stream=True, cancel=THREE)
    assert (row.outcome, row.prompt_tokens) == ("abandoned", USAGE_CHUNK["usage"]["prompt_tokens"])
    assert row.cost_source != "price_table"


def test_a_budget_counts_a_cancelled_request_at_its_worst_case(serve: Serve) -> None:
    row = send(serve(Talker()).base_url, stream=True, cancel=THREE)
    budget = Budget.of("tokens", 1000.0)
    budget.settle(Reservation(("m", "marker"), 300.0, 300.0), row)
    assert (budget.spent, budget.unstated) == (300.0, 1)
    for _ in range(5):  # of what nobody states a worst case none can be kept: the run ends
        budget.settle(Reservation(("m", "other"), None, 0.0), row)
    assert budget.usage_unknown
