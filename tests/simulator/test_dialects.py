"""Each dialect's own fields, headers and errors."""

from pathlib import Path
from typing import Any

import pytest

from tests.simulator.gateway import Gateway, chat, running, streamed

THINKER = "gemini-3.1-pro-preview"


def speak(log: Path, dialect: str, body: object, fault: str | None = None) -> tuple[Any, Gateway]:
    """One reply in a dialect; for a stream the reply's events."""
    with running(log, "--latency", 0, "--tokens-per-s", 0, "--dialect", dialect) as gateway:
        reply = gateway.fails(fault, body) if fault else gateway.send(body)
        gateway.rows()
    return reply, gateway


def test_nonelinear(log: Path) -> None:
    """The article's gateway: usage.cost, task_id echoed, reasoning_content, x-request-id."""
    reply, _ = speak(log, "nonelinear", chat(model=THINKER, task_id="nl-1", max_tokens=900))
    assert reply.json["task_id"] == "nl-1" and reply.json["usage"]["cost"] > 0
    assert reply.json["choices"][0]["message"]["reasoning_content"]
    assert reply.headers["x-request-id"] == reply.json["id"]


def test_openrouter(log: Path) -> None:
    """OpenRouter: `reasoning`, cost details, write tokens, comments, usage in the last message."""
    reply, _ = speak(log, "openrouter", chat(model=THINKER, max_tokens=900))
    usage = reply.json["usage"]
    assert usage["cost"] > 0 and "upstream_inference_cost" in usage["cost_details"]
    assert "cache_write_tokens" in usage["prompt_tokens_details"]
    message = reply.json["choices"][0]["message"]
    assert message["reasoning"] and "reasoning_content" not in message
    assert reply.headers["x-generation-id"] == reply.json["id"] and reply.json["id"][:4] == "gen-"
    stream, _ = speak(log, "openrouter", chat(model=THINKER, max_tokens=900, stream=True))
    assert stream.body.startswith(b": OPENROUTER PROCESSING\n\n")
    assert stream.events[-2]["usage"]["cost"] > 0  # though nobody asked
    error, _ = speak(log, "openrouter", chat(model=THINKER), "error_402")
    assert error.json["error"]["code"] == 402 and "metadata" in error.json["error"]


def test_litellm(log: Path) -> None:
    """LiteLLM: the cost in a header of plain 200s only, "0" on errors, string error codes."""
    reply, gateway = speak(log, "litellm", chat(model=THINKER, max_tokens=900))
    assert "cost" not in reply.json["usage"]
    assert float(reply.headers["x-litellm-response-cost"]) == float(gateway.rows()[-1]["cost"])
    assert reply.headers["x-litellm-call-id"] == reply.json["id"]
    assert reply.headers["x-litellm-model-id"]
    stream, gateway = speak(log, "litellm", streamed(model=THINKER))
    assert "x-litellm-response-cost" not in stream.headers
    row = gateway.rows()[-1]
    assert row["cost"] == "" and float(row["billed"]) > 0
    error, _ = speak(log, "litellm", chat(model=THINKER), "rate_limited")
    assert error.json["error"]["code"] == "429"
    assert error.headers["x-litellm-response-cost"] == "0"


def test_openai(log: Path) -> None:
    """OpenAI: no cost, no reasoning text though it is counted, x-request-id."""
    reply, gateway = speak(log, "openai", chat(model=THINKER, max_tokens=900))
    assert "cost" not in reply.json["usage"] and "task_id" not in reply.json
    assert set(reply.json["choices"][0]["message"]) == {
        "role", "content", "refusal", "annotations",
    }  # fmt: skip
    assert reply.json["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert reply.headers["x-request-id"].startswith("req_")
    row = gateway.rows()[-1]
    assert row["cost"] == "" and float(row["billed"]) > 0


def refusal(message: str, param: str, code: str | None) -> dict[str, Any]:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


OPENAI_REFUSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an unknown field": (
        {"task_id": "t"},
        refusal("Unknown parameter: 'task_id'.", "task_id", "unknown_parameter"),
    ),
    "max_tokens for o-series": (
        {"model": "o4-mini", "max_tokens": 5},
        refusal(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        ),
    ),
    "temperature for gpt-5": (
        {"model": "gpt-5.4-nano", "temperature": 0},
        refusal(
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default "
            "(1) value is supported.",
            "temperature",
            "unsupported_value",
        ),
    ),
    "metadata without store": (
        {"metadata": {"task_id": "t"}},
        refusal(
            "The 'metadata' parameter is only allowed when 'store' is enabled.", "metadata", None
        ),
    ),
}


def test_openai_is_strict(log: Path) -> None:
    """An unknown field, and fields that o-series and GPT-5 models do not accept, are a 400."""
    with running(log, "--latency", 0, "--dialect", "openai") as gateway:
        for fields, refusal in OPENAI_REFUSES.values():
            reply = gateway.send(chat(**{"model": THINKER, **fields}))
            assert (reply.status, reply.json) == (400, refusal)
        for fields in (
            {"model": "gpt-4.1-mini", "max_tokens": 5, "temperature": 0},
            {"model": "o4-mini", "max_completion_tokens": 5, "temperature": 1},
            {"model": "gpt-50", "max_tokens": 5},
            {"metadata": {"task_id": "t"}, "store": True},
        ):
            assert gateway.send(chat(**{"model": THINKER, **fields})).status in (200, 404)


def test_pydantic_forbids_extra_fields(log: Path) -> None:
    """A 422 that lists every extra field; a stream states its usage without being asked."""
    with running(log, "--latency", 0, "--tokens-per-s", 0, "--dialect", "pydantic") as gateway:
        options = {"stream_options": {"include_usage": True}}
        reply = gateway.send(chat(model=THINKER, stream=True, task_id="t", **options))
        assert reply.status == 422
        complaint = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
        faults = sorted(reply.json["detail"], key=lambda fault: fault["loc"])
        assert faults == [
            {**complaint, "loc": ["body", name]} for name in ("stream_options", "task_id")
        ]
        stream = gateway.send(chat(model=THINKER, stream=True))
        assert any(event.get("usage") for event in stream.events[:-1])


def test_a_field_can_be_refused_in_every_dialect(log: Path) -> None:
    """`--refuse-field stream_options`: other fields are accepted as before."""
    with running(log, "--latency", 0, "--refuse-field", "stream_options") as gateway:
        assert gateway.send(streamed(model=THINKER)).status == 400
        assert gateway.send(chat(model=THINKER, stream=True, task_id="t")).status == 200


def test_the_log_knows_a_task_id_in_metadata_and_in_the_header(log: Path) -> None:
    with running(log, "--latency", 0) as gateway:
        gateway.send(chat(model=THINKER, metadata={"task_id": "in-metadata"}))
        assert [row["task_id"] for row in gateway.rows()] == ["in-metadata"]


def test_xai(log: Path) -> None:
    """xAI: reasoning is not part of the completion tokens, the cost is in ticks of 10^-10."""
    reply, gateway = speak(log, "xai", chat(model=THINKER, max_tokens=900))
    usage, row = reply.json["usage"], gateway.rows()[-1]
    thought = usage["completion_tokens_details"]["reasoning_tokens"]
    assert thought > 0 and "cost" not in usage
    counted = usage["prompt_tokens"] + usage["completion_tokens"] + thought
    assert usage["total_tokens"] == counted == int(row["total_tokens"])
    assert usage["cost_in_usd_ticks"] == round(float(row["cost"]) * 1e10)


def test_anthropic_compat(log: Path) -> None:
    """Anthropic's names: cached tokens are not part of the prompt tokens, nor of the total."""
    words = "word " * 3000
    with running(log, "--latency", 0, "--dialect", "anthropic-compat") as gateway:
        usages = [gateway.send(chat(words, model="gpt-5.4-nano")).json["usage"] for _ in range(2)]
        refused = gateway.fails("rate_limited", chat(model=THINKER))
    first, second = usages
    assert first["cache_read_input_tokens"] == 0 < second["cache_read_input_tokens"]
    for usage in usages:
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    whole = [u["prompt_tokens"] + u["cache_read_input_tokens"] for u in usages]
    assert whole[1] + second["cache_creation_input_tokens"] == (
        whole[0] + first["cache_creation_input_tokens"]
    )
    assert refused.json["error"]["type"] == "rate_limit_error" and refused.status == 429


def test_byok(log: Path) -> None:
    """OpenRouter with the user's own key: the charge is 0, the provider's is stated separately."""
    reply, gateway = speak(log, "byok", chat(model=THINKER, max_tokens=900))
    usage = reply.json["usage"]
    assert (usage["cost"], usage["is_byok"]) == (0, True)
    assert usage["cost_details"]["upstream_inference_cost"] == float(gateway.rows()[-1]["billed"])


def test_proxy(log: Path) -> None:
    """A proxy in front: errors are HTML pages, and an event stream is labelled JSON."""
    error, _ = speak(log, "proxy", chat(model=THINKER), "error_500")
    assert error.status == 500 and error.body.startswith(b"<!DOCTYPE html>")
    assert error.headers["content-type"] == "text/html"
    stream, _ = speak(log, "proxy", streamed(model=THINKER))
    assert stream.headers["content-type"] == "application/json"
    assert stream.body.startswith(b"data: {")


def test_deepseek(log: Path) -> None:
    """DeepSeek: cache hits and misses at the top of usage, reasoning_content, no cost."""
    words = "word " * 3000
    with running(log, "--latency", 0, "--tokens-per-s", 0, "--dialect", "deepseek") as gateway:
        usages = [gateway.send(chat(words, model="gpt-5.4-nano")).json["usage"] for _ in range(2)]
        stream = gateway.send(streamed(model=THINKER, max_tokens=900))
    hits = [usage["prompt_cache_hit_tokens"] for usage in usages]
    assert hits[0] == 0 < hits[1]
    for usage in usages:
        parts = usage["prompt_cache_hit_tokens"] + usage["prompt_cache_miss_tokens"]
        assert parts == usage["prompt_tokens"] and "cost" not in usage
    assert stream.body.startswith(b": keep-alive\n\n")
    deltas = [e["choices"][0]["delta"] for e in stream.events if e != "[DONE]" and e["choices"]]
    assert any("reasoning_content" in delta for delta in deltas)


@pytest.mark.parametrize(("dialect", "status"), [("nonelinear", 401), ("litellm", 400)])
def test_wrong_key(log: Path, dialect: str, status: int) -> None:
    """A wrong key is a 401, or a 400 as with some LiteLLM proxies."""
    with running(log, "--dialect", dialect, "--key", "right") as gateway:
        assert gateway.send(chat(model=THINKER)).status == status
