"""Starting and ending the process."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.__main__ import main
from tests.simulator.gateway import ROOT, chat, running


def refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run the command line and expect one sentence on stderr and exit code 2."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2 and out == ""
    assert sentence in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--profile", "nope"], "no profile 'nope'"),
        (["--dialect", "klingon"], "klingon"),
        (["--fault", "nope=0.5"], "unknown fault 'nope'"),
        (["--fault", "reset=1.5"], "from 0 to 1"),
        (["--fault", "reset=much"], "not a share"),
        (["--fault", "reset=0.6", "--fault", "hang=0.6"], "more than 1"),
        (["--log", "/nonexistent/log.csv"], "cannot write the log"),
        (["--log", str(Path(__file__))], "not a simulator log"),
        (["--port", "70000"], "from 0 to 65535"),
        (["--latency", "-1"], "at least 0"),
        (["--latency", "nan"], "at least 0"),
        (["--host", "192.0.2.1"], "cannot listen"),
        (["--tls-cert", "x"], "go together"),
        (["--tls-cert", __file__, "--tls-key", __file__], "cannot use"),
        (["--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"], "No such file"),
        (["--bogus"], "--bogus"),
    ],
)
def test_operator_errors(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake on the command line is one sentence on stderr and exit code 2."""
    refused(["--port", "0", *arguments], sentence, capsys)


def test_port_taken() -> None:
    """A port in use is one sentence and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "simulator", "--port", str(taken.getsockname()[1])]
        completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert completed.returncode == 2 and "cannot listen" in completed.stderr


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[latency]\nttft = 1", "unknown key 'ttft'"),
        ("[latency]\nttft_s = 'x'", "must be a number"),
        ("[latency]\nttft_s = -1.0", "must not be negative"),
        ("[models.a.prices]\ninput = true", "must be a number"),
        ("any_model = 1", "true or false"),
        ("", "serves no model"),
        ("[", "profile"),
    ],
)
def test_bad_profiles(
    tmp_path: Path, toml: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A faulty profile file is refused with the key that is wrong."""
    file = tmp_path / "own.toml"
    file.write_text(toml)
    refused(["--port", "0", "--profile", str(file)], sentence, capsys)


def test_own_profile(tmp_path: Path, log: Path) -> None:
    """A user's profile file serves their models at their prices, with a minimum charge."""
    file = tmp_path / "own.toml"
    file.write_text(
        "[prices]\ninput = 2.0\noutput = 10.0\n[models.a]\n[models.b.prices]\nminimum = 0.5\n"
    )
    with running(log, "--profile", file) as gateway:
        usage = gateway.send(chat(model="a")).json["usage"]
        dear = gateway.send(chat(model="b")).json["usage"]["cost"]
    exact = (2 * usage["prompt_tokens"] + 10 * usage["completion_tokens"]) / 1e6
    assert usage["cost"] == pytest.approx(exact) and dear == 0.5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals(log: Path, number: signal.Signals) -> None:
    """A signal ends it at once and cleanly; a request in flight is logged as stopped."""
    with running(log, "--profile", "fast", "--latency", 60) as gateway:
        with socket.create_connection((gateway.host, gateway.port)) as sock:
            body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
            sock.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            while gateway.send(None, "/health", "GET").json["in_flight"] == 0:
                pass
            gateway.process.send_signal(number)
            assert gateway.process.wait(3) == 0
        assert [row["fault"] for row in gateway.rows()] == ["stopped"]


def test_exit_with_parent(log: Path) -> None:
    """It ends when its stdin does, so it never outlives its parent."""
    with running(log, "--profile", "fast") as gateway:
        assert gateway.process.stdin is not None
        gateway.process.stdin.close()
        assert gateway.process.wait(3) == 0
        gateway.process.stdin = None


def test_ready_line(log: Path) -> None:
    """One line on stdout says where it listens, and it binds loopback only."""
    with running(log, "--profile", "fast") as gateway:
        assert gateway.ready == f"simulator ready http://127.0.0.1:{gateway.port}/v1\n"
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{os.getpid()}/net/{table}").read_text().splitlines()[1:]:
                address, port = line.split()[1].split(":")
                if int(port, 16) == gateway.port and line.split()[3] == "0A":
                    assert table == "tcp" and address == "0100007F"


def test_an_address_that_others_can_reach_is_announced(log: Path) -> None:
    """One line on stderr, and only the ready line on stdout, if it binds more than loopback.

    Every other test of the simulator checks that it prints nothing on loopback (`Gateway.stop`).
    """
    command = [sys.executable, "-m", "simulator", "--port", "0", "--profile", "fast",
               "--host", "0.0.0.0", "--exit-with-parent"]  # fmt: skip
    completed = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert completed.returncode == 0
    assert completed.stderr == (
        "simulator: 0.0.0.0 is not a loopback address: other machines can reach this gateway\n"
    )
    assert completed.stdout.startswith("simulator ready http://0.0.0.0:")
    assert completed.stdout.count("\n") == 1


def test_ipv6(log: Path) -> None:
    """It serves on IPv6 loopback and writes the address in brackets."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback on this host")
    with running(log, "--profile", "fast", "--host", "::1") as gateway:
        assert gateway.url.startswith("http://[::1]:")
        assert gateway.send(chat()).text == "ok-1"


def test_log_is_continued(log: Path) -> None:
    """A second run appends to the log of the first, under one header."""
    for _ in range(2):
        with running(log, "--profile", "fast") as gateway:
            gateway.send(chat())
    assert log.read_text().count("request_id") == 1 and len(log.read_text().splitlines()) == 3
    assert log.stat().st_mode & 0o077 == 0
