"""What our own machine refuses is never blamed on the gateway, nor is a bug of ours."""

import errno
import logging
import socket
from typing import Any

import gevent.socket
import pytest

import tasks.answer
import tasks.answer_row
import tasks.route
from recording.outcome import Outcome
from rules import local_errors
from tasks.route import connect_outcome
from tests.tasks.scripted_server import Serve, answer, completion, json_reply
from tests.tasks.sending import send

OURS = ("EMFILE", "ENFILE", "EADDRNOTAVAIL", "EADDRINUSE", "EAGAIN", "ENOBUFS", "ENOMEM", "EACCES",
        "EPERM", "EAFNOSUPPORT")  # fmt: skip
NETWORKS = ("ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EHOSTDOWN")
OTHERS = {
    "ECONNREFUSED": "connection_refused",
    "ECONNRESET": "connection_reset",
    "ECONNABORTED": "connection_reset",
    "EPIPE": "connection_reset",
    "ETIMEDOUT": "timeout_connect",
}
EXPECTED = {
    **dict.fromkeys(OURS, "local_limit"), **dict.fromkeys(NETWORKS, "unreachable"), **OTHERS
}  # fmt: skip


def failure(name: str) -> OSError:
    number = getattr(errno, name)
    return OSError(number, f"as {name} says")


@pytest.mark.parametrize("name", EXPECTED)
def test_each_socket_error_has_its_outcome(name: str) -> None:
    assert connect_outcome(failure(name)).value == EXPECTED[name]


@pytest.mark.parametrize("number", [None, errno.EINVAL, 9999])
def test_an_unknown_error_is_not_blamed_on_the_gateway(number: int | None) -> None:
    error = OSError("odd") if number is None else OSError(number, "odd")
    assert connect_outcome(error) is Outcome.LOCAL_LIMIT


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_row_names_the_limit_that_its_connection_met(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str, stream: bool
) -> None:
    server = serve(answer(json_reply(completion())))

    def connect(self: Any, address: Any) -> None:
        raise failure(name)

    monkeypatch.setattr(gevent.socket.socket, "connect", connect)
    row = send(server.base_url, stream=stream)
    assert (row.outcome, row.success, row.http_status) == (EXPECTED[name], False, None)
    known = name in (*OURS, *NETWORKS)
    assert row.error_type == (name if known else "WireError")
    assert name in (row.error_message or "") or "no connection" in (row.error_message or "")
    assert not server.requests


@pytest.mark.parametrize("name", ["ENOBUFS", "ENOMEM", "EPERM", "EHOSTUNREACH", "ENETUNREACH"])
def test_a_request_that_could_not_be_written_ends_at_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """On an open connection it would otherwise be a timeout of the gateway's."""
    server = serve(answer(json_reply(completion())))

    def write(self: Any, *_: Any) -> int:
        raise failure(name)

    monkeypatch.setattr(gevent.socket.socket, "send", write)
    row = send(server.base_url, how={"timeout_s": 1.0})
    assert (row.outcome, row.error_type) == (EXPECTED[name], name)


def test_a_resolver_out_of_files_is_a_local_limit_and_not_dns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert connect_outcome(socket.gaierror(-3, "try again")) is Outcome.DNS

    def none_left(*_: Any) -> None:
        raise failure("EMFILE")

    monkeypatch.setattr(tasks.route.socket, "socket", none_left)
    assert connect_outcome(socket.gaierror(-3, "try again")) is Outcome.LOCAL_LIMIT


def test_every_limit_says_what_to_raise_in_both_languages() -> None:
    for name, limit in local_errors.LIMITS.items():
        assert local_errors.of_errno(getattr(errno, name)) is Outcome.LOCAL_LIMIT
        assert all(limit)
    assert local_errors.of_words("OSError: [Errno 24] Too many open files") is Outcome.LOCAL_LIMIT
    assert (
        local_errors.of_words("ConnectionRefusedError: [Errno 111]") is Outcome.CONNECTION_REFUSED
    )
    assert local_errors.of_words("timed out") is None


# ---- a bug of ours


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("typed", [False, True], ids=["post", "typed"])
@pytest.mark.parametrize(
    "where", [(tasks.answer, "trouble"), (tasks.answer, "_kind"), (tasks.answer_row, "usage")]
)
@pytest.mark.parametrize("error", [TypeError, KeyError, AttributeError, ZeroDivisionError])
def test_a_bug_of_ours_is_internal_error_and_logged(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    where: tuple[Any, str], error: type[Exception], stream: bool, typed: bool,
) -> None:  # fmt: skip
    if stream and where[1] == "trouble":
        return  # its chunks are judged in tasks/stream.py

    def broken(*_: Any, **__: Any) -> None:
        raise error("a bug")

    monkeypatch.setattr(*where, broken)
    with caplog.at_level(logging.ERROR, logger="weighbridge"):
        row = send(serve(answer(json_reply(completion()))).base_url, stream=stream, typed=typed)
    assert (row.outcome, row.error_type) == ("internal_error", error.__name__)
    assert "Traceback" in caplog.text and "a bug" in caplog.text
