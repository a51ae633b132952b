"""The azure dialect refuses what Azure refuses, and Weighbridge works with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.locust_run import CANARY, run
from tests.simulated import Simulator
from tests.simulator.gateway import chat, running, streamed

VERSIONED = "?api-version=2024-10-21"
PATH = "/openai/deployments/gpt-5.4-nano/chat/completions"


@pytest.fixture
def azure(log: Path) -> Iterator[Any]:
    with running(log, "--latency", 0, "--tokens-per-s", 0, "--dialect", "azure") as gateway:
        yield gateway


def ask(azure: Any, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    import http.client
    import json
    from urllib.parse import urlsplit

    from tests.simulator.gateway import Reply

    connection = http.client.HTTPConnection(urlsplit(azure.url).netloc, timeout=20)
    data = None if body is None else json.dumps(body)
    connection.request("GET" if body is None else "POST", path, data, headers or {"api-key": "k"})
    answer = connection.getresponse()
    return Reply(answer.status, answer.headers, answer.read())


def test_a_deployments_path_with_a_version_and_a_key_is_answered(azure: Any) -> None:
    reply = ask(azure, PATH + VERSIONED, chat(model="what the path says counts"))
    assert reply.status == 200 and reply.json["model"] == "gpt-5.4-nano"
    assert reply.json["prompt_filter_results"][0]["content_filter_results"]["hate"]
    assert reply.json["choices"][0]["content_filter_results"]
    assert reply.headers["apim-request-id"] and "x-request-id" not in reply.headers
    assert ask(azure, "/openai/models" + VERSIONED).status == 200


def test_a_stream_begins_with_a_chunk_without_choices(azure: Any) -> None:
    first, second = ask(azure, PATH + VERSIONED, streamed()).events[:2]
    assert first["choices"] == [] and first["prompt_filter_results"] and first["id"] == ""
    assert second["choices"][0]["delta"]["role"] == "assistant"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code", "says"),
    [
        (PATH, {"api-key": "k"}, 404, "404", "Resource not found"),
        ("/v1/chat/completions" + VERSIONED, {"api-key": "k"}, 404, "404", "Resource not found"),
        (PATH + VERSIONED, {"authorization": "Bearer k"}, 401, "401", "invalid subscription key"),
        (PATH + VERSIONED, {"x": "y"}, 401, "401", "invalid subscription key"),
        (PATH.replace("gpt-5.4-nano", "none") + VERSIONED, {"api-key": "k"}, 404,
         "DeploymentNotFound", "deployment for this resource does not exist"),
    ],
)  # fmt: skip
def test_what_azure_refuses(
    azure: Any, path: str, headers: dict[str, str], status: int, code: str, says: str
) -> None:
    reply = ask(azure, path, chat(), headers)
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert says in reply.json["error"]["message"]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", marks=pytest.mark.long),
        "/deployments/{model}",
        pytest.param("/deployments/gpt-5.4-nano", marks=pytest.mark.long),
    ],
)
def test_a_run_on_azure_as_it_is(tmp_path: Path, url: str) -> None:
    """The portal's endpoint with its version, and no option about the key's header."""
    gateway = Simulator(tmp_path / "log.csv", "--profile", "fast", "--dialect", "azure")
    try:
        host = gateway.url.replace("/openai?", f"/openai{url}?")
        result = run(
            "-H", host, "--mode", "rpm", "--model", "gpt-5.4-nano", "--target", 120, "--duration",
            3, "--stream", "--header", "X-Tenant=acme", results=tmp_path / "results",
        )  # fmt: skip
        assert [row.outcome for row in result.rows()] == ["ok"] * 6, result.text
        answered = [row for row in gateway.rows() if row["status"] == "200"]
        assert len(answered) == 6, "exactly what was planned"
        assert all(row.ttft_s is not None for row in result.rows()), "the empty chunk is no token"
        manifest = result.manifest()["gateway"]
        assert (manifest["auth"], manifest["headers"]) == ("api-key", ["X-Tenant"])
        assert (
            manifest["base_url"].startswith("http://127.0.0.1")
            and "api-version" in manifest["base_url"]
        )
        assert CANARY not in result.text
    finally:
        gateway.stop()
