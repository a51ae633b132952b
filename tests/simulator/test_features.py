"""Every feature works, or is ignored, refused, wrong or broken as the profile says.

One gateway has all features in the same state, as they affect different requests.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simulator import features, profile
from simulator.features.table import FEATURES, states
from simulator.fields import BadRequest
from tests.simulator.feature_cases import (
    CASES,
    CHAT,
    DEEP,
    EMBEDDINGS,
    REASONER,
    RESPONSES,
    SCHEMA,
    UNSENT,
    M,
    N,
    ask,
    fresh,
    json_schema,
)  # fmt: skip
from tests.simulator.gateway import Gateway, Reply, running

PROFILE = (
    (profile.PROFILES / "compat.toml").read_text(encoding="utf-8")
    .replace("ttft_s = 0.02", "ttft_s = 0.0")
    .replace("tokens_per_s = 60.0", "tokens_per_s = 400.0")
)  # fmt: skip
# These share a request with another feature by their nature: what is refused or broken of one
# shows in both.
SHARED = {"json.schema": {"cache.key"}, "cache.key": {"json.schema"},
          "json.schema.stream": {"cache.key"}}  # fmt: skip


def start(folder: Path, state: str, leave: tuple[str, ...] = ()) -> Any:
    """A gateway with all features in this state, if they can be."""
    names = [n for n in FEATURES if state in states(n) and n not in leave]
    text = "\n[features]\n" + "".join(f'"{name}" = "{state}"\n' for name in names)
    path = folder / f"{state}.toml"
    path.write_text(PROFILE + text)
    return running(folder / f"{state}.csv", "--profile", path, "--key", "a-key")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module")
def works(folder: Path) -> Iterator[Gateway]:
    with start(folder, "works") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def ignored(folder: Path) -> Iterator[Gateway]:
    with start(folder, "ignored") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def wrong(folder: Path) -> Iterator[Gateway]:
    with start(folder, "wrong", ("error.model", "error.context")) as gateway:
        yield gateway


# ---- the table


def test_the_ids_are_those_of_the_47_checks() -> None:
    chat = {name for name, feature in FEATURES.items() if feature.surface == "chat"}
    assert len(chat) == 47 and set(CASES) | UNSENT == chat
    others = {"embeddings.same", "files.upload", "batches.run"}
    assert chat | RESPONSES.keys() | EMBEDDINGS.keys() | others == FEATURES.keys()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"stops": "ignored"}, "unknown feature 'stops'; known: chat.plain, "),
        ({"stop": "lost"}, "feature stop cannot be 'lost'; it can be works, ignored, refused"),
        ({"error.key": "refused"}, "feature error.key cannot be 'refused'"),
    ],
)
def test_an_unknown_feature_is_refused_in_one_sentence(
    table: Any, said: str, tmp_path: Path
) -> None:
    import subprocess
    import sys

    with pytest.raises(features.FeatureError, match=said.replace("(", r"\(")):
        features.parse(table)
    name, state = next(iter(table.items()))
    (tmp_path / "p.toml").write_text(f'any_model = true\n[features]\n"{name}" = "{state}"\n')
    ran = subprocess.run(
        [sys.executable, "-m", "simulator", "--profile", str(tmp_path / "p.toml")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 2 and said in ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"error.model"}))
def test_a_feature_touches_its_own_requests_only(name: str) -> None:
    """Each case uses its own feature and no other."""
    for other in FEATURES:
        used: dict[str, str] = {}
        try:
            reasons = CASES[name]["model"] == REASONER
            features.touch({other: "wrong"}, fresh(name), used, "chat", reasons)
        except BadRequest:
            raise AssertionError(f"{name} is refused by {other}") from None
        decided_elsewhere = FEATURES[other].uses is FEATURES["cancel"].uses
        expected = (other == name and not decided_elsewhere) or other in SHARED.get(name, ())
        assert bool(used) == expected, other


# ---- refused and broken


@pytest.mark.parametrize("state", ["refused", "broken"])
def test_refused_and_broken(folder: Path, state: str) -> None:
    """A 400 that names the parameter, a 500 that names nothing; the ledger names the feature."""
    with start(folder, state) as gateway:
        for name in CASES:
            if state not in states(name) or name in ("cancel", "cache.prompt", "cache.key"):
                continue
            reply = gateway.send(fresh(name))
            error = reply.json["error"]
            if state == "refused":
                assert (reply.status, error["param"]) == (400, FEATURES[name].param), name
                assert error["code"] == "unsupported_parameter"
            else:
                assert reply.status == (503 if name == "error.model" else 500), name
            features = gateway.rows()[-1]["features"]
            assert f"{name}:{state}" in features or name == "error.model", name
        for path, bodies in (("/v1/responses", RESPONSES), ("/v1/embeddings", EMBEDDINGS)):
            for name, body in bodies.items():
                reply = gateway.send({"model": CHAT, **body}, path)
                assert reply.status == (400 if state == "refused" else 500), name
                if state == "refused":
                    assert reply.json["error"]["param"] == FEATURES[name].param
                assert f"{name}:{state}" in gateway.rows()[-1]["features"]
        models = gateway.send(None, "/v1/models", "GET")
        key = gateway.send(fresh("chat.plain"), Authorization="Bearer other")
        assert (models.status, key.status) == ((200, 401) if state == "refused" else (500, 500))


# ---- works: the rest of each judgement


def choice(reply: Reply) -> Any:
    assert reply.status == 200, reply.json
    return reply.json["choices"][0]


def message(reply: Reply) -> Any:
    return choice(reply)["message"]


def calls(reply: Reply) -> list[Any]:
    return [call["function"] for call in message(reply).get("tool_calls") or ()]


def finishes(reply: Reply) -> list[str]:
    reasons = [c["finish_reason"] for e in reply.events[:-1] for c in e["choices"]]
    return [reason for reason in reasons if reason]


def send(gateway: Gateway, name: str, **changes: Any) -> Reply:
    return gateway.send(fresh(name) | changes)


def test_a_healthy_gateway_touches_nothing(works: Gateway) -> None:
    for name in CASES:
        works.send(fresh(name))
    assert {row["features"] for row in works.rows()} == {""}


def test_text_roles_turns_and_parts(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """What a system or developer message, an earlier turn or another part said comes back."""
    for name in ("role.system", "role.developer", "turns", "chat.plain"):
        assert N in send(works, name).text, name
        assert (N in send(ignored, name).text) == (name == "chat.plain"), name
    assert send(works, "parts.text").text == f"{N} {M}"
    assert N not in send(ignored, "parts.text").text
    assert send(wrong, "parts.text").text == N
    usage = send(wrong, "chat.plain").json["usage"]
    assert usage["total_tokens"] != usage["prompt_tokens"] + usage["completion_tokens"]


def test_streams(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """One finish, usage on request, chunks when they are due."""
    for name in ("chat.stream", "stream.usage", "stream.increments"):
        assert finishes(send(works, name)) == ["stop"]
    assert send(works, "chat.stream").text == send(works, "stream.usage").text == N
    assert send(ignored, "chat.stream").headers["content-type"] == "application/json"
    assert finishes(send(wrong, "chat.stream")) == ["stop", "stop"]
    usage_chunk = send(works, "stream.usage").events[-2]
    assert usage_chunk["choices"] == [] and usage_chunk["usage"]["prompt_tokens"] > 0
    assert not any(e.get("usage") for e in send(ignored, "stream.usage").events[:-1])
    assert send(wrong, "stream.usage").events[-2]["usage"]["prompt_tokens"] == 0
    send(wrong, "stream.increments"), send(works, "stream.increments")
    moments = [
        len(set(gateway.rows()[-1]["chunk_times_unix_s"].split(";"))) for gateway in (works, wrong)
    ]
    assert moments[0] > 30 and moments[1] == 1


def test_unicode(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """Unicode text comes back unchanged, as ASCII where it is ignored, and damaged where it is
    wrong.
    """
    text = "你好 👩‍👩‍👧 مرحبا é"
    assert send(works, "unicode").text == text
    assert send(ignored, "unicode").text.isascii()
    assert "\ufffd" in send(wrong, "unicode").text


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_budget(works: Gateway, ignored: Gateway, wrong: Gateway, name: str) -> None:
    for gateway, counts, reason in ((works, {8}, "length"), (wrong, {8}, "stop")):
        reply = send(gateway, name)
        assert choice(reply)["finish_reason"] == reason
        assert {reply.json["usage"]["completion_tokens"]} == counts
    assert send(ignored, name).json["usage"]["completion_tokens"] > 10


@pytest.mark.parametrize("stream", [False, True])
def test_stop(works: Gateway, ignored: Gateway, wrong: Gateway, stream: bool) -> None:
    """The text ends before the stop string; only what was written up to it is charged."""
    reply = send(works, "stop", stream=stream)
    assert reply.text == "alpha "
    assert (finishes(reply) if stream else [choice(reply)["finish_reason"]]) == ["stop"]
    assert send(ignored, "stop", stream=stream).text == f"alpha {N} beta"
    assert send(wrong, "stop", stream=stream).text == f"alpha {N}"
    if not stream:
        whole = send(ignored, "stop").json["usage"]["completion_tokens"]
        assert 0 < reply.json["usage"]["completion_tokens"] < whole


def test_n(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """Three choices, all charged, plain and streamed."""
    for gateway, count in ((works, 3), (ignored, 1), (wrong, 2)):
        body = send(gateway, "n").json
        assert [c["index"] for c in body["choices"]] == [*range(count)]
        assert {c["message"]["content"] for c in body["choices"]} == {N}
        stream = send(gateway, "n", stream=True)
        assert sorted({c["index"] for e in stream.events[:-1] for c in e["choices"]}) == [
            *range(count)
        ]
        assert finishes(stream) == ["stop"] * count
    tokens_of_one = send(works, "chat.plain").json["usage"]["completion_tokens"]
    assert send(works, "n").json["usage"]["completion_tokens"] == 3 * tokens_of_one


def test_seed(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """At temperature 1 the same seed gives the same text, another seed a different one."""
    for gateway, kinds in ((works, [1, 6]), (wrong, [1, 1]), (ignored, [6, 6])):
        same = {send(gateway, "seed").text for _ in range(6)}
        others = {send(gateway, "seed", seed=seed).text for seed in range(10, 16)}
        assert [len(same), len(others)] == kinds


def test_temperature_and_top_p(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """Replies do not vary at temperature 0 or a small top_p, and do where these are ignored."""

    def kinds(gateway: Gateway, name: str, **changes: Any) -> int:
        return len({send(gateway, name, **changes).text for _ in range(8)})

    assert [kinds(works, "temperature"), kinds(works, "temperature", temperature=1.3)] == [1, 8]
    assert kinds(ignored, "temperature") > 1 and kinds(wrong, "temperature") == 8
    assert kinds(wrong, "temperature", temperature=1.3) == 1
    assert [kinds(works, "top_p"), kinds(ignored, "top_p")] == [1, 8]


def test_logit_bias(works: Gateway, ignored: Gateway) -> None:
    """A forced token (32 is `A` in o200k) is the only one drawn, and a forbidden one is never
    drawn."""
    assert send(works, "logit_bias").text == "A" * 8
    assert send(ignored, "logit_bias").text != "A" * 8
    texts = [send(works, "logit_bias", logit_bias={"355": -100}, temperature=0).text for _ in "12"]
    assert texts[0] == texts[1] and not texts[0].startswith("A ")


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs(works: Gateway, ignored: Gateway, wrong: Gateway, stream: bool) -> None:
    """One entry per token, sorted, with a sum of at most 1; their bytes are the content's."""

    def entries(reply: Reply) -> list[Any]:
        parts = [c for e in reply.events[:-1] for c in e["choices"]] if stream else [choice(reply)]
        return [entry for part in parts for entry in (part["logprobs"] or {}).get("content") or ()]

    for prompt in (None, "Name an animal"):
        changes = {} if prompt is None else {"messages": [{"role": "user", "content": prompt}]}
        reply = send(works, "logprobs", stream=stream, **changes)
        token_entries = entries(reply)
        assert bytes(b for entry in token_entries for b in entry["bytes"]).decode() == reply.text
        for entry in token_entries:
            values = [top["logprob"] for top in entry["top_logprobs"]]
            assert len(values) == 5 and values == sorted(values, reverse=True)
            assert entry["logprob"] <= 0 and sum(2.718281828**value for value in values) < 1.001
    assert entries(send(ignored, "logprobs", stream=stream)) == []
    assert entries(send(wrong, "logprobs", stream=stream))[0]["top_logprobs"] is None


def test_the_table_is_the_distribution(works: Gateway) -> None:
    """Tokens at the first place are drawn as often as their logprobs say (400 draws)."""
    body = ask("Name an animal", max_tokens=1, logprobs=True, top_logprobs=7, n=100)
    choices = [c for _ in range(4) for c in works.send(body).json["choices"]]
    stated = {
        top["token"].strip(): 2.718281828 ** top["logprob"]
        for top in choices[0]["logprobs"]["content"][0]["top_logprobs"]
    }
    assert sum(stated.values()) == pytest.approx(1.0, abs=0.001)
    texts = [c["message"]["content"] for c in choices]
    for token, share in stated.items():
        spread = (share * (1 - share) / len(texts)) ** 0.5
        assert texts.count(token) / len(texts) == pytest.approx(share, abs=4 * spread)


def test_json(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """JSON by the schema, although the prompt dictates otherwise."""
    schemas = {"json.object": {"type": "object"}, "json.schema": SCHEMA, "json.schema.deep": DEEP,
               "json.schema.stream": SCHEMA}  # fmt: skip
    for name, schema in schemas.items():
        jsonschema.validate(json.loads(send(works, name).text), schema)
        if name != "json.object":
            assert send(ignored, name).text == N
        text = send(wrong, name).text
        if name == "json.schema.deep":
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(json.loads(text), schema)
        else:
            assert text.startswith("```json\n")
    with pytest.raises(ValueError):
        json.loads(send(ignored, "json.object").text)


def test_tools(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """Which tool is called, how often, and with what."""
    weather = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    assert calls(send(works, "tool.auto")) == [weather]
    assert choice(send(works, "tool.auto"))["finish_reason"] == "tool_calls"
    assert calls(send(ignored, "tool.auto")) == []
    assert choice(send(wrong, "tool.auto"))["finish_reason"] == "stop"
    assert calls(send(works, "tool.none")) == []
    assert calls(send(ignored, "tool.none")) == [weather]
    assert choice(send(wrong, "tool.none"))["finish_reason"] == "tool_calls"
    assert [c["name"] for c in calls(send(works, "tool.required"))] == ["get_weather"]
    assert message(send(ignored, "tool.required"))["content"] == N
    with pytest.raises(ValueError):
        json.loads(calls(send(wrong, "tool.required"))[0]["arguments"])
    assert [c["name"] for c in calls(send(works, "tool.named"))] == ["get_time"]
    assert [c["name"] for c in calls(send(ignored, "tool.named"))] == ["get_weather"]
    assert choice(send(wrong, "tool.named"))["finish_reason"] == "tool_calls"
    assert finishes(send(wrong, "tool.named", stream=True)) == ["stop"]
    assert calls(send(works, "tool.noargs")) == [{"name": "ping", "arguments": "{}"}]
    assert calls(send(wrong, "tool.noargs")) == [{"name": "ping", "arguments": ""}]
    assert [c["name"] for c in calls(send(works, "tool.many"))] == ["tool_41"]
    assert [c["name"] for c in calls(send(wrong, "tool.many"))] == ["tool_0"]
    counts = [send(g, "tool.many").json["usage"]["prompt_tokens"] for g in (works, ignored)]
    assert counts[0] > 1000 > counts[1]


def test_parallel_calls(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """Two cities are two calls with different ids and indices, or one if only one is allowed."""

    def ids(reply: Reply) -> list[str]:
        return [call["id"] for call in message(reply)["tool_calls"]]

    def indices(reply: Reply) -> list[int]:
        deltas = [c["delta"] for e in reply.events[:-1] for c in e["choices"]]
        return [call["index"] for d in deltas for call in d.get("tool_calls", ()) if "id" in call]

    assert len(calls(send(works, "tool.parallel"))) == len(set(ids(send(works, "tool.parallel"))))
    assert len(ids(send(works, "tool.parallel"))) == 2
    assert len(ids(send(ignored, "tool.parallel"))) == 1
    assert len(set(ids(send(wrong, "tool.parallel")))) == 1
    assert indices(send(works, "tool.parallel.stream")) == [0, 1]
    assert indices(send(ignored, "tool.parallel.stream")) == [0]
    assert indices(send(wrong, "tool.parallel.stream")) == [0, 0]
    assert len(calls(send(works, "tool.parallel.off"))) == 1
    assert len(calls(send(ignored, "tool.parallel.off"))) == 2
    with pytest.raises(ValueError):
        json.loads(calls(send(wrong, "tool.parallel.off"))[0]["arguments"])


def test_tool_results_and_strict_tools(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    assert message(send(works, "tool.loop"))["content"] == N
    assert calls(send(ignored, "tool.loop")) and N not in send(wrong, "tool.loop").text
    assert json.loads(calls(send(works, "tool.strict"))[0]["arguments"]) == {"unit": "c"}
    assert json.loads(calls(send(ignored, "tool.strict"))[0]["arguments"]) == {"unit": "kelvin"}
    assert isinstance(json.loads(calls(send(wrong, "tool.strict"))[0]["arguments"]), str)


def test_reasoning(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """More effort gives more reasoning; its text has a separate field."""

    def thought(gateway: Gateway, effort: str) -> int:
        usage = send(gateway, "reasoning.effort", reasoning_effort=effort).json["usage"]
        return int(usage["completion_tokens_details"]["reasoning_tokens"])

    for gateway, order in ((works, 1), (wrong, -1)):
        for _ in range(3):
            assert (thought(gateway, "high") - thought(gateway, "minimal")) * order > 0
    assert thought(works, "none") == 0
    refused = send(works, "reasoning.effort", reasoning_effort="wb-bogus")
    assert (refused.status, refused.json["error"]["param"]) == (400, "reasoning_effort")
    assert abs(thought(ignored, "max") - thought(ignored, "none")) < 40
    assert message(send(works, "reasoning.apart"))["reasoning_content"]
    assert "reasoning_content" not in message(send(ignored, "reasoning.apart"))
    assert message(send(wrong, "reasoning.apart"))["content"].startswith("<think>")


@pytest.mark.parametrize("name", ["image.data", "file.pdf"])
def test_images_and_files(works: Gateway, ignored: Gateway, wrong: Gateway, name: str) -> None:
    """They are read, and counted."""
    replies = [send(gateway, name) for gateway in (works, ignored, wrong)]
    counts = [reply.json["usage"]["prompt_tokens"] for reply in replies]
    assert [N in reply.text for reply in replies] == [True, False, False]
    assert counts[0] == counts[2] > counts[1] + 100


def test_the_prompt_cache(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """A long prompt is cached the second time, under its key."""

    def cached(gateway: Gateway, **changes: Any) -> Any:
        usage = send(gateway, "cache.prompt", **changes).json["usage"]
        return usage.get("prompt_tokens_details", {}).get("cached_tokens"), usage["prompt_tokens"]

    cached(works), cached(ignored), cached(wrong)
    assert 1000 < cached(works)[0] < cached(works)[1]
    assert (
        cached(works, prompt_cache_key="other")[0] == 0 < cached(works, prompt_cache_key="other")[0]
    )
    assert cached(ignored)[0] is None
    assert cached(wrong)[0] > cached(wrong)[1]


def test_another_requests_answer(works: Gateway, wrong: Gateway) -> None:
    """The same messages with another schema are another request; a cache that ignores this sends
    the first answer again."""
    other = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    for gateway, keys in ((works, ["answer", "name"]), (wrong, ["answer", "answer"])):
        texts = [send(gateway, "cache.key").text.strip("`json\n")]
        texts.append(send(gateway, "cache.key", response_format=json_schema(other)).text)
        assert [next(iter(json.loads(text.strip("`json\n")))) for text in texts] == keys


def test_harmless_fields(works: Gateway, wrong: Gateway) -> None:
    """A service tier is accepted and stated back; a wrong gateway states another."""
    assert send(works, "fields.accepted").json["service_tier"] == "flex"
    assert send(works, "fields.accepted", service_tier="auto").json["service_tier"] == "default"
    assert send(wrong, "fields.accepted").json["service_tier"] == "priority"


def test_errors(works: Gateway, ignored: Gateway, wrong: Gateway, folder: Path) -> None:
    """Each has its status, and the field that it is about."""
    known = {"error.model": (404, "model"), "error.value": (400, "temperature"),
             "error.context": (400, "messages")}  # fmt: skip
    for name, (status, param) in known.items():
        reply = send(works, name)
        assert (reply.status, reply.json["error"]["param"]) == (status, param)
    assert send(works, "error.value", temperature="hot").json["error"]["param"] == "temperature"
    assert send(works, "error.context").json["error"]["code"] == "context_length_exceeded"
    assert send(works, "error.field").status == 200  # lenient, as most gateways are
    bad = {"Authorization": "Bearer other"}
    assert [g.send(fresh("chat.plain"), **bad).status for g in (works, ignored, wrong)] == [
        401, 200, 403,
    ]  # fmt: skip
    assert send(ignored, "error.value").status == 200
    assert send(ignored, "error.context").json["usage"]["prompt_tokens"] > 16000
    text = (
        '[features]\n"error.model" = "wrong"\n"error.context" = "wrong"\n"models.list" = "wrong"\n'
    )
    (folder / "three.toml").write_text(PROFILE + text)
    with running(folder / "three.csv", "--profile", folder / "three.toml") as gateway:
        assert send(gateway, "error.model").json["model"] == "sim-nobody"
        assert send(gateway, "error.context").json["usage"]["prompt_tokens"] == 16000
        assert gateway.send(None, "/v1/models", "GET").json["data"] == []


@pytest.mark.parametrize("state", ["works", "wrong", "broken"])
def test_a_stream_that_is_broken_off(folder: Path, state: str) -> None:
    """The ledger notes it; the next request gets a new reply, the old one, or an error."""
    (folder / "cancel.toml").write_text(f'{PROFILE}\n[features]\ncancel = "{state}"\n')
    with running(folder / f"{state}-off.csv", "--profile", folder / "cancel.toml") as gateway:
        body = json.dumps(fresh("cancel")).encode()
        with socket.create_connection((gateway.host, gateway.port), timeout=10) as client:
            head = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n")  # fmt: skip
            client.sendall(head.encode() + body)
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        assert gateway.rows()[-1]["fault"] == "client_gone"
        after = send(gateway, "chat.plain")
        expected = {"works": (200, True), "wrong": (200, False), "broken": (500, False)}
        assert (after.status, after.status == 200 and after.text == N) == expected[state]
        assert send(gateway, "chat.plain").text == N


# ---- the other two endpoints


def respond(gateway: Gateway, name: str, **changes: Any) -> Reply:
    return gateway.send({"model": CHAT, **RESPONSES[name], **changes}, "/v1/responses")


def said(reply: Reply) -> Any:
    """The content of the first output item, or its arguments."""
    item = reply.json["output"][0]
    return item["arguments"] if "arguments" in item else item["content"][0]["text"]


def test_responses(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """Usage, the order of events, tools, the earlier conversation, and a schema."""
    usage = respond(works, "responses.plain").json["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert "total_tokens" not in respond(wrong, "responses.plain").json["usage"]
    orders = []
    for gateway in (works, wrong):
        lines = respond(gateway, "responses.stream").body.decode().split("\n")
        kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
        orders.append(
            kinds.index("response.content_part.added") < kinds.index("response.output_text.delta")
        )
    assert orders == [True, False]
    assert respond(ignored, "responses.stream").headers["content-type"] == "application/json"
    assert json.loads(said(respond(works, "responses.tool"))) == {"city": "Paris"}
    with pytest.raises(ValueError):
        json.loads(said(respond(wrong, "responses.tool")))
    assert respond(ignored, "responses.tool").json["output"][0]["type"] == "message"
    for gateway, known in ((works, True), (ignored, False)):
        first = respond(gateway, "responses.plain", input=f"The code is {N}. Reply exactly: ok")
        again = respond(gateway, "responses.previous", previous_response_id=first.json["id"])
        assert (N in said(again)) == known
    jsonschema.validate(json.loads(said(respond(works, "responses.json"))), SCHEMA)
    assert said(respond(ignored, "responses.json")) == N
    assert json.loads(said(respond(wrong, "responses.json"))) == {}


def test_embeddings(works: Gateway, ignored: Gateway, wrong: Gateway) -> None:
    """A text's vector is always the same: its length, order in a batch, floats in base64."""

    def vectors(gateway: Gateway, name: str) -> list[Any]:
        body = {"model": CHAT, **EMBEDDINGS[name]}
        return [e["embedding"] for e in gateway.send(body, "/v1/embeddings").json["data"]]

    def norm(vector: list[float]) -> float:
        return float(sum(x * x for x in vector) ** 0.5)

    name = "embeddings.plain"
    assert vectors(works, name) == vectors(works, name) == vectors(ignored, name)
    assert {*vectors(wrong, name)[0]} == {0.0}
    cart, scale = vectors(works, "embeddings.batch")
    assert vectors(wrong, "embeddings.batch") == [scale, cart]
    name = "embeddings.dimensions"
    assert [len(vectors(gateway, name)[0]) for gateway in (works, wrong, ignored)] == [64, 64, 1536]
    assert norm(vectors(works, name)[0]) == pytest.approx(1)
    assert norm(vectors(wrong, name)[0]) < 0.5
    name = "embeddings.base64"
    assert [len(vectors(gateway, name)[0]) for gateway in (works, wrong)] == [8192, 16384]
    assert vectors(ignored, name) == [cart]


def test_a_text_with_a_different_vector_each_time(folder: Path) -> None:
    """The first vector is right; repeats of the same text differ, other texts are unaffected."""
    (folder / "same.toml").write_text(PROFILE + '\n[features]\n"embeddings.same" = "wrong"\n')
    with running(folder / "same.csv", "--profile", folder / "same.toml") as gateway:
        bodies = [{"model": CHAT, "input": text} for text in ("cart", "cart", "scale", "cart")]
        replies = [gateway.send(body, "/v1/embeddings") for body in bodies]
        embeddings = [reply.json["data"][0]["embedding"] for reply in replies]
        features = [row["features"] for row in gateway.rows()]
    assert embeddings[0] != embeddings[1] != embeddings[3] != embeddings[0]
    assert [text != "" for text in features] == [False, True, False, True]
