"""A key printed by a program: it is run once, and again when the gateway refuses the key."""

import stat
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import gevent
import pytest

from recording.errors import OperatorError
from settings.access import Access
from settings.key_command import LEAST_PAUSE_S, KeyCommand, words
from tests.tasks.scripted_server import (
    BOTH,
    WHOLE_STREAM,
    Conversation,
    Serve,
    completion,
    json_reply,
    streaming,
)
from tests.tasks.sending import Sender

GONE = json_reply({"error": {"message": "the token has expired"}}, status="401 Unauthorized")


@pytest.fixture
def vault(tmp_path: Path) -> tuple[str, Path]:
    """A program that prints the content of a file and counts its runs, and that file."""
    held, runs, program = tmp_path / "held", tmp_path / "runs", tmp_path / "vault"
    program.write_text(f"#!/bin/sh\necho x >> {runs}\necho to-the-log-secret >&2\ncat {held}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    runs.write_text("")
    held.write_text("token-1-aaaaaaaa\n")
    return str(program), held


def runs(vault: tuple[str, Path]) -> int:
    return len(vault[1].with_name("runs").read_text().split())


def accepting(*tokens: str, stream: bool = False) -> Callable[[Conversation], None]:
    """A gateway that accepts these tokens only."""

    def script(talk: Conversation) -> None:
        while True:
            token = talk.request().headers["authorization"].removeprefix("Bearer ")
            good = streaming(*WHOLE_STREAM) if stream else json_reply(completion())
            talk.send(
                good if token in tokens else GONE.replace(b"has expired", token[:11].encode())
            )

    return script


@BOTH
def test_an_expired_token_is_renewed_without_a_failed_request(
    serve: Serve, vault: tuple[str, Path], stream: bool
) -> None:
    now = [1000.0]
    command = KeyCommand(vault[0], lambda: now[0])
    server = serve(accepting("token-1-aaaaaaaa", stream=stream))
    user = Sender(server.base_url, access=Access(command=command))
    assert [user.send(n, stream=stream).outcome for n in range(3)] == ["ok"] * 3
    assert runs(vault) == 1
    vault[1].write_text("token-2-bbbbbbbb\n")
    server._script = accepting("token-2-bbbbbbbb", stream=stream)
    user.client.close()
    now[0] += LEAST_PAUSE_S + 1
    rows = [user.send(n, stream=stream) for n in range(3, 6)]
    assert [row.outcome for row in rows] == ["ok"] * 3
    assert runs(vault) == 2
    tokens_sent = [seen.headers["authorization"][7:14] for seen in server.requests]
    assert tokens_sent == ["token-1"] * 4 + ["token-2"] * 3, "the refused one is sent once more"
    assert command.renewals == 1


def test_a_wrong_key_runs_the_program_once_more_and_not_for_each_request(
    serve: Serve, vault: tuple[str, Path]
) -> None:
    now = [1000.0]
    command = KeyCommand(vault[0], lambda: now[0])
    server = serve(accepting("another"))
    user = Sender(server.base_url, access=Access(command=command), key="")
    assert [user.send(n).outcome for n in range(5)] == ["auth"] * 5
    assert (runs(vault), len(server.requests)) == (1, 5)
    now[0] += LEAST_PAUSE_S + 1
    assert [user.send(n).outcome for n in range(5)] == ["auth"] * 5
    assert (runs(vault), len(server.requests)) == (2, 10), "the same key is not sent twice"


def test_a_burst_of_refusals_runs_the_program_once_and_all_are_sent_again(
    serve: Serve, vault: tuple[str, Path]
) -> None:
    now = [1000.0]
    command = KeyCommand(vault[0], lambda: now[0])
    assert command.key() == "token-1-aaaaaaaa"
    vault[1].write_text("token-2-bbbbbbbb\n")
    now[0] += LEAST_PAUSE_S + 1
    server = serve(accepting("token-2-bbbbbbbb"))
    users = [Sender(server.base_url, access=Access(command=command)) for _ in range(8)]
    jobs = [gevent.spawn(user.send, n) for n, user in enumerate(users)]
    gevent.joinall(jobs, raise_error=True)
    assert [job.value.outcome for job in jobs] == ["ok"] * 8
    assert runs(vault) == 2


def test_every_key_ever_printed_is_removed_from_the_rows(
    serve: Serve, vault: tuple[str, Path]
) -> None:
    command = KeyCommand(vault[0], lambda: 0.0)
    command.key()

    def echo(talk: Conversation) -> None:
        while True:
            authorization = talk.request().headers["authorization"]
            talk.send(json_reply({"error": {"message": authorization}}, status="400 Bad"))

    user = Sender(serve(echo).base_url, access=Access(command=command))
    user.key = command.secrets  # type: ignore[assignment]
    row = user.send()
    assert row.error_message == "Bearer [key]"
    written = str(astuple(row)) + repr(command) + repr(Access(command=command))
    assert "token-1" not in written


def test_a_program_that_fails_later_leaves_the_key_unchanged(vault: tuple[str, Path]) -> None:
    now = [1000.0]
    command = KeyCommand(vault[0], lambda: now[0])
    key = command.key()
    vault[1].unlink()
    now[0] += LEAST_PAUSE_S + 1
    assert not command.renew(key)
    assert command.key() == key


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("sh -c 'exit 7'", "--key-command sh ended with code 7"),
        ("true", "printed nothing"),
        ("echo one two", "printed more than a key"),
        ("printf 'one\\ntwo'", "printed more than a key"),
        ("""echo '{"access_token":"abc"}'""", "printed more than a key"),
        (
            "/no/such/program --token secretvalue",
            "--key-command program: the program does not exist",
        ),
        ("printf '\\377\\376k'", "printed more than a key"),
    ],
)
def test_a_program_that_prints_no_key_is_one_sentence_without_its_output(
    command: str, says: str
) -> None:
    with pytest.raises(OperatorError) as caught:
        KeyCommand(command).key()
    assert says in str(caught.value)
    for printed in ("one two", "abc", "secretvalue"):
        assert printed not in str(caught.value)


@pytest.mark.parametrize("command", ["a | b", "a > f", "a && b", "$(a)", "~/bin/a", "`a`", "a ; b"])
def test_a_command_that_needs_a_shell_is_refused(command: str) -> None:
    with pytest.raises(OperatorError, match="run without a shell"):
        words(command)


@pytest.mark.parametrize(("command", "says"), [("", "is empty"), ("a 'b", "cannot be read")])
def test_a_command_that_cannot_be_run_is_one_sentence(command: str, says: str) -> None:
    with pytest.raises(OperatorError, match=says):
        words(command)


def test_arguments_are_not_expanded(tmp_path: Path) -> None:
    """No shell is involved."""
    assert KeyCommand("echo $HOME-*").key() == "$HOME-*"
