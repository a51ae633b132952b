"""Faults made by hand that a tolerant client would repair or ignore."""

from collections.abc import Callable
from typing import Any

import pytest

from compat.check import Ask
from compat.evidence import Evidence, Outcome
from compat.registry import BY_ID
from tests.compat import wire
from tests.compat.test_healthy import CHAT, calls, finding_of, says, word
from tests.compat.wire import call, chunk, chunks, message, plain, stream


def streamed(change: Callable[[list[Any]], list[Any]], **more: Any) -> Callable[[Ask], Evidence]:
    return lambda ask: stream(ask, change(chunks(word(ask))), **more)


STREAMS: dict[str, Callable[[Ask], Evidence]] = {
    "two finishes": streamed(lambda told: [*told[:-1], told[-2], told[-1]]),
    "no finish": streamed(lambda told: [c for c in told if not _finish(c)]),
    "an empty finish": streamed(lambda told: [chunk({}, ""), *told]),
    "an unknown finish": streamed(lambda told: [*told[:-2], chunk({}, "eos")]),
    "two ids": streamed(lambda told: [told[0] | {"id": "chatcmpl-2"}, *told[1:]]),
    "no [DONE]": streamed(lambda told: told, done=False),
    "events after [DONE]": streamed(lambda told: [*told[:-1], "[DONE]", told[-1]]),
    "text after the finish": streamed(lambda told: [*told[:-1], chunk({"content": "x"})]),
    "another role": streamed(lambda told: [chunk({"role": "user"}), *told]),
}


def _finish(reason: Any) -> Any:
    return reason["choices"] and reason["choices"][0]["finish_reason"]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_breaks_the_contract_is_wrong(name: str) -> None:
    assert finding_of("chat.stream", STREAMS[name]).verdict == "wrong"


def test_a_stream_that_breaks_is_broken() -> None:
    bad: list[Callable[[Ask], Evidence]] = [
        streamed(lambda told: [*told, "{not json"]),
        streamed(lambda told: [*told[:2], {"error": {"message": "overloaded"}}]),
        streamed(lambda told: told, outcome=Outcome.CUT),
        lambda ask: plain(ask, b"<html>busy</html>"),
        lambda ask: plain(ask, {"error": {"message": "no"}}),
        lambda ask: plain(ask, b"<html>bad gateway</html>", 502),
        lambda ask: plain(ask, b"<html>bad request</html>", 400),
        lambda ask: wire.lost(ask, Outcome.TIMEOUT), lambda ask: wire.lost(ask, Outcome.RESET),
    ]  # fmt: skip
    for answer in bad:
        assert finding_of("chat.stream", answer).verdict == "broken"
    assert (
        finding_of("chat.stream", lambda ask: plain(ask, message(word(ask)))).verdict == "ignored"
    )


ENVELOPES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no id": lambda b: b | {"id": ""}, "another object": lambda b: b | {"object": "x"},
    "no created": lambda b: {k: v for k, v in b.items() if k != "created"},
    "a sum that is off": lambda b: b | {"usage": {**wire.USAGE, "total_tokens": 33}},
    "a negative count": lambda b: b | {"usage": {**wire.USAGE, "completion_tokens": -1}},
    "nothing counted": lambda b: b | {"usage": dict.fromkeys(wire.USAGE, 0)},
    "no usage": lambda b: b | {"usage": None}, "no choices": lambda b: b | {"choices": []},
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_plain_reply_that_breaks_the_contract_is_wrong(name: str) -> None:
    assert finding_of(
        "chat.plain", lambda ask: plain(ask, ENVELOPES[name](message(word(ask))))
    ).verdict == "wrong"  # fmt: skip


def two_keys(ask: Ask) -> tuple[str, str]:
    assert ask.body is not None
    quoted_parts = ask.body["messages"][-1]["content"].split('"')
    return quoted_parts[3], quoted_parts[7]


def pieces(*calls: dict[str, Any]) -> list[Any]:
    return [*(chunk({"tool_calls": [call]}) for call in calls), chunk({}, "tool_calls")]


def merged(name: str) -> Callable[[Ask], Evidence]:
    def answer(ask: Ask) -> Evidence:
        texts = [f'{{"key":"{key}"}}' for key in two_keys(ask)]
        whole = [call("look_up", text, f"c{i}", i) for i, text in enumerate(texts)]
        if name == "one index":
            whole = [one | {"index": 0} for one in whole]
        elif name == "no index":
            whole = [{k: v for k, v in one.items() if k != "index"} for one in whole]
        elif name == "one index, one id":
            whole = [one | {"index": 0, "id": "c"} for one in whole]
        elif name == "one id":
            whole = [one | {"id": "c"} for one in whole]
        else:
            whole[1]["function"]["arguments"] = whole[1]["function"]["arguments"][:-2]
        return stream(ask, pieces(*whole))

    return answer


@pytest.mark.parametrize(
    "name", ["one index", "no index", "one index, one id", "one id", "cut arguments"]
)
def test_merged_calls_of_a_stream_are_wrong_and_never_mended(name: str) -> None:
    assert finding_of("tool.parallel.stream", merged(name)).verdict == "wrong"


@pytest.mark.parametrize(("name", "answer", "verdict"), [
    ("stop", says(), "ignored"),
    ("n", says(), "ignored"),
    ("logprobs", says(), "ignored"),
    ("json.object", says("It is a cart."), "ignored"),
    ("json.object", says('```json\n{"a": 1}\n```'), "wrong"),
    ("json.object", says('{"a": 1}'), "works"),
    ("json.schema", says("LULUL-1234"), "ignored"),
    ("json.schema", says('{"weighed": true, "count": 1}'), "works"),
    ("json.schema", says('{"weighed": true, "count": 1, "more": 2}'), "wrong"),
    ("json.schema", says('{"weighed": true}'), "wrong"),
    ("json.schema.stream", says('{"weighed": true, "count": 1}'), "works"),
    ("json.schema.stream", says("words"), "ignored"),
    ("json.schema.deep", says('{"carts": [{"wheels": 4, "loads": [1.5]}], "unit": "unit_07", '
                              '"note": null}'), "works"),
    ("json.schema.deep", says('{"carts": [{"wheels": "4", "loads": []}], "unit": "unit_07", '
                              '"note": null}'), "wrong"),
    ("role.system", says("A cart has wheels."), "ignored"),
    ("role.developer", says("A cart has wheels."), "ignored"),
    ("turns", says("I do not know."), "ignored"),
    ("parts.text", says("I do not know."), "ignored"),
    ("tool.auto", says("I cannot."), "ignored"),
    ("tool.auto", calls(("look_up", '{"key":"a"}')), "works"),
    ("tool.auto", calls(("look_up", '{"key":"a"')), "wrong"),
    ("tool.auto", calls(("look_down", '{"key":"a"}')), "wrong"),
    ("tool.auto", calls(("look_up", '{"key":"a"}'), ids=""), "wrong"),
    ("tool.none", calls(("look_up", '{"key":"a"}')), "ignored"),
    ("tool.none", says("I cannot."), "works"),
    ("tool.required", says("words"), "ignored"),
    ("tool.named", calls(("look_up", '{"key":"a"}')), "ignored"),
    ("tool.parallel.off", calls(("look_up", '{"key":"a"}'), ("look_up", '{"key":"b"}')), "ignored"),
    ("tool.parallel.off", calls(("look_up", '{"key":"a"}')), "works"),
    ("tool.strict", calls(("set_unit", '{"unit":"kelvin"}')), "ignored"),
    ("tool.strict", calls(("set_unit", '{"unit":"gram"}')), "works"),
    ("tool.noargs", calls(("ping", "{}")), "works"),
    ("tool.noargs", calls(("ping", "")), "wrong"),
    ("tool.noargs", calls(("ping", "null")), "wrong"),
    ("tool.many", calls(("read_scale_40", "{}")), "wrong"),
    ("logit_bias", says("A cat."), "ignored"),
    ("logit_bias", says("AAAA"), "works"),
    ("image.data", says("A cart."), "ignored"),
    ("file.pdf", says("A file."), "ignored"),
    ("fields.accepted", says(), "works"),
    ("error.key", says(), "wrong"),
    ("error.model", says(), "wrong"),
    ("error.field", says(), "works"),
    ("error.value", says(), "ignored"),
    ("unicode", says(), "works"),
])  # fmt: skip
def test_each_reply_gets_its_verdict(
    name: str, answer: Callable[[Ask], Evidence], verdict: str
) -> None:
    assert finding_of(name, answer).verdict == verdict


@pytest.mark.parametrize(("text", "finish", "count", "verdict"), [
    ("eight tokens", "length", 8, "works"), ("nine", "length", 9, "works"),
    ("eight tokens", "stop", 8, "wrong"), ("long " * 90, "stop", 90, "ignored"),
    ("long " * 90, "length", 8, "ignored"), ("short", "stop", 3, "unsure"),
    ("x", "length", None, "works"), ("x", "stop", None, "unsure"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_max_tokens_is_judged_by_usage_and_by_text(
    name: str, text: str, finish: str, count: int | None, verdict: str
) -> None:
    """By the text where the usage cannot be true."""
    usage = None if count is None else {"prompt_tokens": 9, "completion_tokens": count}
    body = message(text, finish, usage=usage)
    assert finding_of(name, lambda ask: plain(ask, body)).verdict == verdict


@pytest.mark.parametrize(("status", "verdict"), [
    (401, "works"), (400, "wrong"), (403, "wrong"), (404, "wrong"), (500, "broken"),
    (429, "unsure"),
])  # fmt: skip
def test_a_wrong_key_must_be_refused_with_401(status: int, verdict: str) -> None:
    assert (
        finding_of("error.key", lambda ask: wire.error(ask, status, "Invalid key")).verdict
        == verdict
    )


@pytest.mark.parametrize(("status", "verdict"), [
    (404, "works"), (400, "works"), (422, "works"), (503, "broken"), (403, "unsure"),
    (429, "unsure"),
])  # fmt: skip
def test_an_unknown_model_must_be_refused(status: int, verdict: str) -> None:
    finding = finding_of("error.model", lambda ask: wire.error(ask, status, "No such thing"))
    assert finding.verdict == verdict


def test_refused_fields_are_found_one_by_one() -> None:
    """After a refusal the check sends the request without the refused field, within its bound."""
    check, setting = BY_ID["fields.accepted"], CHAT
    refused = {"metadata", "verbosity"}
    answers: list[Evidence] = []
    asks = list(check.asks(setting))
    while asks:
        for ask in asks:
            assert ask.body is not None
            bad = [name for name in ask.body if name in refused]
            message = f"Unsupported parameter: '{bad[0]}'" if bad else ""
            answers.append(wire.error(ask, 400, message) if bad else says()(ask))
        asks = list(check.then(setting, answers))
    finding = check.judge(setting, answers)
    assert finding.verdict == "refused" and finding.fact.startswith("metadata, verbosity: ")
    assert len(answers) == 3 <= check.bound(setting).requests


def test_metadata_that_needs_store_is_not_a_refusal() -> None:
    """The refusal has OpenAI's wording."""
    check = BY_ID["fields.accepted"]
    (ask,) = check.asks(CHAT)
    text = "The 'metadata' parameter is only allowed when 'store' is enabled."
    answers = [wire.error(ask, 400, text, param="metadata")]
    (rest,) = check.then(CHAT, answers)
    assert rest.body is not None and "metadata" not in rest.body and "user" in rest.body
    assert check.judge(CHAT, [*answers, says()(rest)]).verdict == "works"


def test_another_requests_answer_is_distinguished_from_an_ignored_schema() -> None:
    first = '{"weighed": true, "count": 1}'
    assert finding_of("cache.key", says(first)).verdict == "wrong"
    assert finding_of("cache.key", says(first), says('{"wheels": 4}')).verdict == "works"
    assert finding_of("cache.key", says("words")).verdict == "unsure"
