"""Which gateway and which key are used, how the gateway is reached, and whether it is there."""

import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

import engine.preflight
from engine.preflight import preflight
from recording.errors import OperatorError
from settings.endpoint import EmbeddedSimulator, Endpoint, load_environment, resolve
from tasks.route import Proxy, route
from tests.tasks.scripted_server import Conversation, Serve, answer, answer_once, http
from tests.tasks.sending import KEY, OPTIONS

N_URL, N_KEY = "NONELINEAR_OPENAI_BASE_URL", "NONELINEAR_API_KEY"
O_URL, O_KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"
ALL = {N_URL: "https://n/v1", N_KEY: "n-key", O_URL: "https://o/v1", O_KEY: "o-key"}


@pytest.mark.parametrize(
    ("host", "variables", "url", "key"),
    [
        ("https://n/v1", ALL, "https://n/v1", "n-key"),
        ("https://o:443/v1/", ALL, "https://o:443/v1", "o-key"),
        ("http://h/v1", {O_KEY: "o-key"}, "http://h/v1", "o-key"),
        ("http://h/v1", {N_KEY: "", O_KEY: "o-key"}, "http://h/v1", "o-key"),
        (None, ALL, "https://n/v1", "n-key"),
        ("", ALL, "https://n/v1", "n-key"),
        (None, {**ALL, N_URL: ""}, "https://o/v1", "o-key"),
        (None, {O_URL: "https://o/v1", O_KEY: "o-key"}, "https://o/v1", "o-key"),
        ("http://h/v1/", {N_KEY: "n-key"}, "http://h/v1", "n-key"),
        (" http://h/v1 ", {O_KEY: " o-key "}, "http://h/v1", "o-key"),
        ("https://h/v1/@cf", {N_KEY: "n-key"}, "https://h/v1/@cf", "n-key"),
        ("http://[::1]:8089/v1", {N_KEY: "n-key"}, "http://[::1]:8089/v1", "n-key"),
        ("http://h/v1?api-version=1", {O_KEY: "o-key"}, "http://h/v1?api-version=1", "o-key"),
    ],
)
def test_the_first_named_gateway_wins_with_its_own_key(
    host: str | None, variables: dict[str, str], url: str, key: str
) -> None:
    endpoint = resolve(host, variables)
    assert (endpoint.base_url, endpoint.key, endpoint.simulated) == (url, key, False)


@pytest.mark.parametrize(
    ("host", "variables", "says"),
    [
        (None, {}, "no gateway is named: give -H"),
        (None, {N_KEY: "k"}, "no gateway is named: give -H"),
        ("http://h", {}, "no API key: set NONELINEAR_API_KEY or OPENAI_API_KEY"),
        (None, {N_URL: "http://h"}, "no API key: set NONELINEAR_API_KEY in"),
        (None, {O_URL: "http://h"}, "no API key: set OPENAI_API_KEY in"),
        (None, {N_URL: "http://h", O_KEY: "k"}, "no API key: set NONELINEAR_API_KEY in"),
        ("h:8080", {N_KEY: "k"}, "is not a URL: write http"),
        ("ftp://h", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://", {N_KEY: "k"}, "is not a URL: write http"),
        ("/v1", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://[::1", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://caf\udce9/v1", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://h/caf\udce9", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://a..b/v1", {N_KEY: "k"}, "is not a URL: write http"),
        (f"http://{'a' * 64}.example/v1", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://h:port/v1", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://h:99999/v1", {N_KEY: "k"}, "is not a URL: write http"),
        ("http://me:pw@h/v1", {N_KEY: "k"}, "contains a user name or password"),
        ("http://h/v1#x", {N_KEY: "k"}, "ends in a fragment"),
        ("http://h/v1/chat/completions", {N_KEY: "k"}, "ends in /chat/completions"),
        ("http://h/v1?x=a b", {N_KEY: "k"}, "percent-encoded"),
        ("http://h/{models}/v1", {N_KEY: "k"}, "only placeholder in the base URL"),
        ("http://{model}.h/v1", {N_KEY: "k"}, "may contain {model} once, in its path"),
        ("http://h/sk-1234567/v1", {N_KEY: "sk-1234567"}, "the base URL contains the API key"),
        ("http://h", {N_KEY: "  "}, "no API key: set"),
        ("http://h", {N_KEY: "kéy"}, "the API key in NONELINEAR_API_KEY is not plain"),
        ("http://h", {N_KEY: "k\n"}, "the API key in NONELINEAR_API_KEY is not plain"),
        ("http://h", {O_KEY: "k\r\nx: y"}, "the API key in OPENAI_API_KEY is not plain"),
    ],
)
def test_a_gateway_that_cannot_be_used_is_one_sentence(
    host: str | None, variables: dict[str, str], says: str
) -> None:
    with pytest.raises(OperatorError) as caught:
        resolve(host, variables)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "http://me:pa55word@h",
        "htp://me:pa55word@h",
        "me:pa55word@h/v1",
        "http:/me:pa55word@h",
        "http://me:pa55word/2@h",
        "http://me:pa55word#2@h",
        "http://h/v1?key=pa55word#2",
        "http://h:1x/v1?key=pa55word",
    ],
)
def test_a_password_in_the_url_is_not_repeated(host: str) -> None:
    with pytest.raises(OperatorError) as caught:
        resolve(host, {N_KEY: "k"})
    assert "pa55word" not in str(caught.value)


def test_the_key_is_in_no_repr() -> None:
    assert KEY not in repr(Endpoint("http://h", KEY))
    assert KEY not in f"{Endpoint('http://h', KEY)}"


@pytest.mark.parametrize(
    ("url", "given_currency", "unit"),
    [
        ("https://api.nonelinear.com/v1", None, "CNY"),
        ("https://nonelinear.com/v1", None, "CNY"),
        ("https://nonelinear.com.evil.example/v1", None, None),
        ("https://evilnonelinear.com/v1", None, None),
        ("https://api.openai.com/v1", None, None),
        ("http://127.0.0.1:1/v1", "USD", "USD"),
    ],
)
def test_the_currency_is_the_given_one_or_that_of_the_seeds_gateway(
    url: str, given_currency: str | None, unit: str | None
) -> None:
    assert Endpoint(url, "k", unit=given_currency).currency == unit


# ---- .env


def test_an_env_file_sets_only_variables_that_are_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(N_KEY, "from the shell")
    monkeypatch.delenv(N_URL, raising=False)
    file = tmp_path / ".env"
    file.write_text(f"# the article's\n{N_URL}=https://n/v1\n{N_KEY}=from the file\n")
    load_environment(file)
    import os

    try:
        assert os.environ[N_URL] == "https://n/v1"
        assert os.environ[N_KEY] == "from the shell"
    finally:
        os.environ.pop(N_URL, None)


def test_a_missing_env_file_is_no_error(tmp_path: Path) -> None:
    load_environment(tmp_path / ".env")


def test_an_env_file_that_is_not_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"KEY=\xff\xfe\xfd")
    with pytest.raises(OperatorError, match="cannot be read .it is not UTF-8"):
        load_environment(tmp_path / ".env")


def test_an_unreadable_env_file_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / ".env").write_text("A=b")
    monkeypatch.setattr("settings.endpoint.load_dotenv", denied)  # a superuser may read any file
    with pytest.raises(OperatorError, match="cannot be read .Permission denied"):
        load_environment(tmp_path / ".env")


def test_a_folder_called_env_is_no_error(tmp_path: Path) -> None:
    """Some name their virtual environment so."""
    (tmp_path / ".env").mkdir()
    load_environment(tmp_path / ".env")


# ---- the route


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("http://h/v1", "h", 80, False),
        ("https://h/v1", "h", 443, True),
        ("http://h:8089/v1", "h", 8089, False),
        ("http://[::1]:8089/v1", "::1", 8089, False),
    ],
)
def test_a_route_has_the_urls_host_and_port(url: str, host: str, port: int, secure: bool) -> None:
    gateway_route = route(url)
    assert (
        gateway_route.host,
        gateway_route.port,
        gateway_route.tls is not None,
        gateway_route.proxy,
    ) == (host, port, secure, None)


def test_tls_is_verified() -> None:
    tls = route("https://h").tls
    assert tls is not None
    assert tls.verify_mode == ssl.CERT_REQUIRED
    assert tls.check_hostname


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({"http_proxy": "http://p:3128"}, "http://h", Proxy("p", 3128, None)),
        ({"http_proxy": "p:3128"}, "http://h", Proxy("p", 3128, None)),
        ({"http_proxy": "http://p"}, "http://h", Proxy("p", 80, None)),
        ({"http_proxy": "http://p:1"}, "https://h", None),
        ({"https_proxy": "http://p:1"}, "https://h", Proxy("p", 1, None)),
        ({"all_proxy": "http://p:1"}, "https://h", Proxy("p", 1, None)),
        ({"http_proxy": "http://p:1", "no_proxy": "h"}, "http://h", None),
        ({"http_proxy": "http://p:1", "no_proxy": ".example"}, "http://a.example", None),
        ({"http_proxy": "http://p:1", "no_proxy": "*"}, "http://h", None),
        ({"http_proxy": "http://u:a%40b@p:1"}, "http://h", Proxy("p", 1, b"Basic dTphQGI=")),
    ],
)
def test_the_proxy_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxy: Proxy | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert route(url).proxy == proxy


@pytest.mark.parametrize(
    "address", ["http://me:pa55word#2@p:1", "http://me:pa55word/2@p", "me:pa55word@"]
)
def test_a_proxys_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("http_proxy", address)
    with pytest.raises(OperatorError, match="not an http proxy") as caught:
        preflight(Endpoint("http://h", KEY), OPTIONS)
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize("address", ["socks5://p:1", "https://p:1"])
def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("http_proxy", address)
    with pytest.raises(ValueError, match="not an http proxy"):
        route("http://h")
    with pytest.raises(OperatorError, match="not an http proxy"):
        preflight(Endpoint("http://h", KEY), OPTIONS)


# ---- the look before the run


@pytest.mark.parametrize("status", ["200 OK", "401 No", "404 Not Found", "500 Oops", "302 Found"])
def test_any_http_answer_to_the_look_lets_the_run_begin(serve: Serve, status: str) -> None:
    server = serve(answer(http(status, b"{}", "content-type: application/json")))
    preflight(Endpoint(server.base_url, KEY), OPTIONS)
    (request,) = server.requests
    assert request.line == "GET /v1/models HTTP/1.1", "a look that costs nothing"


def test_no_answer_to_the_look_lets_the_run_begin(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.preflight, "LONGEST_S", 0.2)

    def mute(talk: Conversation) -> None:
        talk.request()
        talk.request()

    preflight(Endpoint(serve(mute).base_url, KEY), OPTIONS)


def test_a_refused_connection_is_one_sentence() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        with pytest.raises(OperatorError, match="cannot be reached .*refused") as caught:
            preflight(Endpoint(url, KEY), OPTIONS)
    assert KEY not in str(caught.value)


def test_a_port_that_does_not_speak_http_is_one_sentence(serve: Serve) -> None:
    server = serve(answer_once(b"SSH-2.0-OpenSSH_9.2\r\n"))
    with pytest.raises(OperatorError, match="cannot be reached .*not HTTP"):
        preflight(Endpoint(server.base_url, KEY), OPTIONS)


def test_the_simulators_paths_are_of_the_folder_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log and its profile, also among further arguments; what lies there under our own names
    is not run."""
    monkeypatch.chdir(tmp_path)
    Path("own.toml").write_text("any_model = true\n[prices]\ninput = 1.0\noutput = 1.0\n")
    Path("simulator").mkdir()
    Path("simulator/__main__.py").write_text("raise SystemExit('not ours')")
    given = replace(
        OPTIONS, simulator=True, simulator_profile="own.toml", simulator_args="--log mine.csv"
    )
    EmbeddedSimulator(given).stop()
    assert Path("mine.csv").is_file()
