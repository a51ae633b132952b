"""Behind a corporate network: a login proxy, a private authority, client certificates.

Each server is a real process; the requests are those of Weighbridge's check before a run.
"""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.preflight import preflight, way
from recording.errors import OperatorError
from settings.endpoint import resolve, simulated
from settings.options import Options
from tests.certificates import Authority
from tests.locust_run import CANARY, ROOT, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file",
             "requests_ca_bundle", "curl_ca_bundle")  # fmt: skip


@pytest.fixture(autouse=True)
def _plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> tuple[Path, Path]:
    return authority.sign("gateway")


@pytest.fixture
def secure(simulator: Start, pair: tuple[Path, Path]) -> Simulator:
    return simulator("--profile", "fast", "--tls-cert", pair[0], "--tls-key", pair[1])


class LoginProxy:
    """tests/proxy.py as a process; `lines` is its output."""

    def __init__(self, login: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.proxy", "--login", login],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def said(self, start: str) -> bool:
        """Whether a line begins like this; its output may still be on the way to us."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if any(line.startswith(start) for line in self.lines):
                return True
            time.sleep(0.02)
        return False


@pytest.fixture
def proxy() -> Iterator[LoginProxy]:
    login_proxy = LoginProxy("me:p@ss word")
    yield login_proxy
    login_proxy.process.terminate()
    login_proxy.process.wait(10)


def look(url: str, **options: Any) -> None:
    """The check before every run."""
    all_options = Options(mode="smoke", **options)
    preflight(resolve(url, {"OPENAI_API_KEY": CANARY}, all_options), all_options)


def refusal(url: str, **options: Any) -> str:
    with pytest.raises(OperatorError) as caught:
        look(url, **options)
    return str(caught.value)


# ---- a private authority


def test_a_private_authority_is_named_and_then_trusted(
    secure: Simulator, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "give your company's bundle (PEM) with --ca-file" in refusal(secure.url)
    look(secure.url, ca_file=str(authority.ca))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(authority.ca))
        look(secure.url)
        monkeypatch.delenv(name)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    look(secure.url, ca_file=str(authority.ca))


def test_a_certificate_for_another_name_is_not_reported_as_an_unknown_authority(
    simulator: Start, authority: Authority
) -> None:
    cert, key = authority.sign("elsewhere", "DNS:elsewhere.example")
    server = simulator("--profile", "fast", "--tls-cert", cert, "--tls-key", key)
    message = refusal(server.url, ca_file=str(authority.ca))
    assert "not for this address" in message or "another host name" in message
    assert "--ca-file" not in message


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ca_file": "/no/such.pem"}, "--ca-file /no/such.pem cannot be read (No such file"),
        ({"ca_file": __file__}, "cannot be used (no PEM file of certificates): give another"),
        ({"client_cert": "/no/such.pem"}, "--client-cert /no/such.pem cannot be read"),
        ({"client_key": "/no/such.key"}, "--client-key needs its --client-cert"),
        ({"client_cert": __file__}, "cannot be used (no PEM file of a certificate and its key)"),
    ],
)
def test_an_unusable_file_is_refused_in_one_sentence(options: dict[str, str], says: str) -> None:
    assert says in refusal("https://127.0.0.1:9/v1", **options)


def test_a_key_of_another_certificate_and_one_with_a_passphrase(
    authority: Authority, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    other_pair = authority.sign("other")
    message = refusal(
        "https://127.0.0.1:9/v1", client_cert=str(pair[0]), client_key=str(other_pair[1])
    )
    assert "do not belong together" in message
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-in", str(pair[1]), "-aes256", "-passout", "pass:x", "-out",
         str(locked)], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=30,
    )  # fmt: skip
    message = refusal("https://127.0.0.1:9/v1", client_cert=str(pair[0]), client_key=str(locked))
    assert "is encrypted" in message


# ---- certificates of ours


def test_a_gateway_that_requires_a_certificate_gets_one(
    simulator: Start, authority: Authority, pair: tuple[Path, Path]
) -> None:
    server = simulator("--profile", "fast", "--tls-cert", pair[0], "--tls-key", pair[1],
                       "--tls-client-ca", authority.ca)  # fmt: skip
    message = refusal(server.url, ca_file=str(authority.ca))
    assert "give --client-cert and --client-key" in message
    cert, key = authority.sign("tester")
    look(server.url, ca_file=str(authority.ca), client_cert=str(cert), client_key=str(key))
    both = cert.with_name("both.pem")
    both.write_text(cert.read_text() + key.read_text())
    look(server.url, ca_file=str(authority.ca), client_cert=str(both))


# ---- proxies


def test_a_proxy_that_requires_a_login_is_explained(
    proxy: LoginProxy, secure: Simulator, simulator: Start, authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """For https by CONNECT, for http by an absolute URL: first refused, then let through."""
    plain = simulator("--profile", "fast")
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for url in (secure.url, plain.url):
        message = refusal(url, ca_file=str(authority.ca))
        assert (
            "requires a login (HTTP 407): set HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT" in message
        )
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://me:p%40ss%20word@127.0.0.1:{proxy.port}")
    for url in (secure.url, plain.url):
        look(url, ca_file=str(authority.ca))
    host = secure.url.split("/")[2]
    assert proxy.said(f"200 CONNECT {host} HTTP/1.1"), "the tunnel was made"
    assert proxy.said(f"200 GET {plain.url}/models")


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "https"])
def test_a_proxy_of_an_unsupported_kind_is_reported(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{kind}://proxy.example:1080")
    message = refusal("https://gateway.example/v1")
    assert f"the proxy proxy.example of ALL_PROXY is not an http proxy but {kind}" in message
    assert "set ALL_PROXY=http://host:port, or NO_PROXY=gateway.example" in message


def test_the_embedded_simulator_is_never_reached_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    url = "http://127.0.0.1:8089/v1"
    assert way(simulated(url, Options())).proxy is None
    other = resolve(url, {"OPENAI_API_KEY": "k"})
    assert way(other).proxy is not None
    with pytest.raises(OperatorError):
        preflight(other, Options())
    assert "127.0.0.1 is this machine, and is asked through the proxy" in caplog.text
    assert "NO_PROXY=127.0.0.1" in caplog.text


def test_a_whole_run_behind_all_of_it_leaves_no_secret(
    proxy: LoginProxy, simulator: Start, authority: Authority, pair: tuple[Path, Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    """Proxy login, private authority, client certificate, a key from a program, own headers, an
    echoing gateway: everything arrives, and no secret is in a file or in the output."""
    gateway = simulator(
        "--profile", "fast", "--fault", "echo_auth=0.3", "--tls-cert", pair[0], "--tls-key",
        pair[1], "--tls-client-ca", authority.ca,
    )  # fmt: skip
    cert, key = authority.sign("runner")
    program = tmp_path / "bin" / "vault"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho {CANARY}\n")
    program.chmod(0o700)
    results = tmp_path / "made"
    env = environment(
        HTTPS_PROXY=f"http://me:p%40ss%20word@127.0.0.1:{proxy.port}", TENANT="tenant-4d1f0c7a",
        OPENAI_LOG="debug", OPENAI_API_KEY="sk-not-for-this-one-77",
    )  # fmt: skip
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 2,
        "--ca-file", authority.ca, "--client-cert", cert, "--client-key", key,
        "--key-command", f"{program} --role load", "--header", "X-Tenant={env:TENANT}",
        "--header", "X-Task={task_id}", "--stop-rule", "off", "--loglevel", "DEBUG",
        "--output", results / "out.jsonl", results=results / "results", env=env,
    )  # fmt: skip
    rows = result.rows()
    assert {"ok"} < {row.outcome for row in rows}, result.text
    assert len(gateway.rows()) == len(rows) == 20
    assert any("[key]" in (row.error_message or "") for row in rows)
    assert all(row.trace_id for row in rows)
    secrets = [CANARY, "tenant-4d1f0c7a", "p@ss word", "p%40ss", "--role", "sk-not-for-this-one",
               *key.read_text().splitlines()[1:-1]]  # fmt: skip
    written = result.text + "".join(p.read_text() for p in results.rglob("*") if p.is_file())
    assert [secret for secret in secrets if secret in written] == []
    manifest = result.manifest()["gateway"]
    assert manifest["headers"] == ["X-Tenant", "X-Task"]
    assert manifest["key_source"] == "--key-command vault"
    assert all(line.startswith("200 CONNECT") for line in proxy.lines)
