"""No healthy vendor's way of writing a reply is taken for a fault."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from compat.check import Ask, Setting
from compat.evidence import Evidence
from compat.registry import BY_ID
from compat.verdict import Finding, settle
from tests.compat import wire
from tests.compat.wire import call, chunk, chunks, message, plain, stream

CHAT = Setting("m", seed="healthy", forced_token=(32, "A"))
REASONER = Setting("m", seed="healthy", reasons=True)
Answer = Callable[[Ask], Evidence]


def finding_of(name: str, *answers: Answer, setting: Setting = CHAT) -> Finding:
    """The finding of a check whose requests get these answers (the last one for all others)."""
    check = BY_ID[name]
    asks = check.asks(setting)
    evidence = [answers[min(place, len(answers) - 1)](ask) for place, ask in enumerate(asks)]
    return settle(lambda: check.judge(setting, evidence))


def word(ask: Ask) -> str:
    """What `Reply exactly: X` asks for."""
    assert ask.body is not None
    return str(ask.body["messages"][-1]["content"]).split("exactly: ")[-1]


def says(text: str | None = None, **fields: Any) -> Answer:
    """The text (or the requested one), plain or streamed as requested."""

    def answer(ask: Ask) -> Evidence:
        spoken = word(ask) if text is None else text
        if (ask.body or {}).get("stream"):
            return stream(ask, chunks(spoken))
        return plain(ask, message(spoken, **fields))

    return answer


def calls(*wanted: tuple[str, str], finish: str = "tool_calls", ids: str = "call_{}") -> Answer:
    """Calls by name and arguments, plain or streamed as requested."""

    def answer(ask: Ask) -> Evidence:
        call_bodies = [call(name, text, ids.format(i)) for i, (name, text) in enumerate(wanted)]
        if not (ask.body or {}).get("stream"):
            return plain(ask, message(None, finish, call_bodies))
        parts = [chunk({"role": "assistant", "content": None})]
        for index, (name, text) in enumerate(wanted):
            parts.append(chunk({"tool_calls": [call(name, "", ids.format(index), index)]}))
            parts += [
                chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
                for piece in (text[:3], text[3:])
            ]
        return stream(ask, [*parts, chunk({}, finish)])

    return answer


def test_a_plain_reply_in_any_healthy_form_works() -> None:
    body_of = BY_ID["chat.plain"].asks(CHAT)[0]
    body = message(word(body_of))
    parts = [{"type": "thinking", "thinking": "..."}, {"type": "text", "text": word(body_of)}]
    beside = {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 76,
              "completion_tokens_details": {"reasoning_tokens": 50}}  # fmt: skip
    for variant in (
        body, wire.shuffled(body), body | {"x_groq": {}, "system_fingerprint": None},
        message(parts), message(word(body_of), refusal=None, annotations=[], audio=None),
        message(word(body_of), usage=beside), message(f"**{word(body_of)}**\n"),
        message(word(body_of), usage={**wire.USAGE, "prompt_tokens_details": None, "cost": 0.1}),
    ):  # fmt: skip
        raw = json.dumps(variant, indent=2).encode()
        for bytes_ in (raw, b"\n\n " + raw + b"\r\n", json.dumps(variant).encode()):
            assert finding_of("chat.plain", lambda ask, b=bytes_: plain(ask, b)).verdict == "works"


VARIANTS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "as OpenAI": lambda told: told,
    "keys in another order": wire.shuffled,
    "usage in every chunk": lambda told: [{**c, "usage": wire.USAGE} for c in told],
    "usage null": lambda told: [{"usage": None, **c} for c in told],
    "usage with the finish": lambda told: [*told[:-2], told[-2] | {"usage": wire.USAGE}],
    "a first chunk of filters": lambda told: [
        {"id": "", "object": "", "choices": [], "prompt_filter_results": []}, *told
    ],
    "a role in every chunk": lambda told: [
        *(chunk({"role": "assistant", **c["choices"][0]["delta"]}, c["choices"][0]["finish_reason"])
          for c in told[:-1]), told[-1]
    ],
    "null fields": lambda told: [
        chunk({"content": None, "tool_calls": None, "refusal": None, "function_call": None}), *told
    ],
    "reasoning first": lambda told: [chunk({"reasoning_content": "hm"}), *told],
    "all at once": lambda told: told[:1] + told[-3:] if len(told) < 5 else told,
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\n\n: keep-alive\n\n"])
def test_a_stream_in_any_healthy_form_works(name: str, end: str) -> None:
    """Also byte by byte, with comments, and with CRLF."""

    def answer(ask: Ask) -> Evidence:
        return stream(ask, VARIANTS[name](chunks(word(ask))), end=end)

    for change in (lambda e: e, wire.byte_by_byte):
        assert finding_of("chat.stream", lambda ask, c=change: c(answer(ask))).verdict == "works"
        usage = finding_of("stream.usage", lambda ask, c=change: c(answer(ask)), says())
        assert usage.verdict == "works", usage


def test_unicode_cut_between_packets_is_not_a_fault() -> None:
    def answer(ask: Ask) -> Evidence:
        evidence = says()(ask)
        return wire.byte_by_byte(evidence)

    assert finding_of("unicode", answer).verdict == "works"


@pytest.mark.parametrize("finish", ["stop", "tool_calls"])
def test_a_forced_call_may_finish_with_either_reason(finish: str) -> None:
    answer = calls(("get_time", '{"zone": "UTC"}'), finish=finish)
    assert finding_of("tool.named", answer).verdict == "works"
    assert (
        finding_of("tool.required", calls(("look_up", '{"key":"a"}'), finish=finish)).verdict
        == "works"
    )


@pytest.mark.parametrize(
    "ids", ["call_{}", "{}", "toolu_01A{}", "chatcmpl-tool-{}", "functions.f:{}"]
)
def test_ids_of_calls_may_have_any_form(ids: str) -> None:
    def two(ask: Ask) -> Evidence:
        assert ask.body is not None
        quoted_parts = ask.body["messages"][-1]["content"].split('"')
        keys = (f'{{"key":"{quoted_parts[place]}"}}' for place in (3, 7))
        return calls(*(("look_up", key) for key in keys), ids=ids)(ask)

    assert finding_of("tool.parallel", two).verdict == "works"
    assert finding_of("tool.parallel.stream", two).verdict == "works"


def test_whole_calls_in_one_chunk_are_not_a_fault() -> None:
    """As Gemini sends them."""

    def answer(ask: Ask) -> Evidence:
        assert ask.body is not None
        quoted_parts = ask.body["messages"][-1]["content"].split('"')
        two_calls = [
            call("look_up", f'{{"key":"{quoted_parts[3 + 4 * i]}"}}', f"c{i}", i) for i in range(2)
        ]
        return stream(ask, [chunk({"role": "assistant", "tool_calls": two_calls}, "tool_calls")])

    assert finding_of("tool.parallel.stream", answer).verdict == "works"


def test_a_model_may_make_one_call_instead_of_two() -> None:
    one = calls(("look_up", '{"key":"a"}'))
    assert finding_of("tool.parallel", one).verdict == "unsure"
    assert finding_of("tool.parallel.stream", one).verdict == "unsure"


TEXT_CHECKS = ("chat.plain", "chat.stream", "stop", "unicode", "role.system", "turns", "parts.text",
               "logprobs", "json.object", "json.schema", "logit_bias", "tool.auto", "tool.strict",
               "tool.loop", "seed", "temperature", "top_p", "cancel")  # fmt: skip


@pytest.mark.parametrize("name", TEXT_CHECKS)
def test_a_budget_spent_on_thinking_accuses_nobody(name: str) -> None:
    """`length` with empty content, plain and streamed."""

    def answer(ask: Ask) -> Evidence:
        count = {"prompt_tokens": 20, "completion_tokens": 500, "total_tokens": 520,
                 "completion_tokens_details": {"reasoning_tokens": 500}}  # fmt: skip
        if (ask.body or {}).get("stream"):
            return stream(ask, chunks("", "length", count))
        body = message("", "length", usage=count, reasoning_content="hm")
        return plain(ask, body)

    assert not finding_of(name, answer, setting=REASONER).verdict.accuses


@pytest.mark.parametrize(("name", "param"), [
    ("stop", "stop"), ("logprobs", "logprobs"), ("temperature", "temperature"), ("top_p", "top_p"),
    ("logit_bias", "logit_bias"), ("n", "n"), ("max_tokens", "max_tokens"), ("seed", "seed"),
])  # fmt: skip
def test_openais_refusals_for_reasoning_models_count_as_clear_refusals(
    name: str, param: str
) -> None:
    text = f"Unsupported parameter: '{param}' is not supported with this model."
    finding = finding_of(
        name, lambda ask: wire.error(ask, 400, text, param=param, code="unsupported")
    )
    assert finding.verdict == "refused"


@pytest.mark.parametrize("name", [n for n in BY_ID if not n.startswith("error.")])
@pytest.mark.parametrize(("status", "text"), [
    (429, "Rate limit reached"), (402, "Insufficient credits"), (401, "Invalid key"),
    (403, "Not allowed"), (400, "Something else"),
])  # fmt: skip
def test_errors_about_the_account_or_without_a_reason_accuse_nobody(
    name: str, status: int, text: str
) -> None:
    assert not finding_of(name, lambda ask: wire.error(ask, status, text)).verdict.accuses


def test_a_fast_stream_is_not_called_buffered() -> None:
    """120 tokens one millisecond apart after a long wait cannot be told from a buffer's flush; one
    second apart they are clearly streamed."""
    text = "a" * 400
    for gap_s, verdict in ((0.01, "works"), (0.001, "unsure"), (0.0, "wrong")):
        finding = finding_of("stream.increments", lambda ask, g=gap_s: stream(
            ask, chunks(text, size=4), first_s=2.0, gap_s=g))  # fmt: skip
        assert finding.verdict == verdict
    quick = finding_of(
        "stream.increments", lambda ask: stream(ask, chunks(text), first_s=0.2, gap_s=0)
    )
    assert quick.verdict == "unsure"


@pytest.mark.parametrize("listed", ["m", "vendor/m", "M"])
def test_a_model_is_listed_with_or_without_its_vendor(listed: str) -> None:
    body = {"object": "list", "data": [{"id": "x"}, {"id": listed, "extra": None}]}
    assert finding_of("models.list", lambda ask: plain(ask, body)).verdict == "works"
    wild = {"data": [{"id": "vendor/*"}]}
    assert finding_of("models.list", lambda ask: plain(ask, wild)).verdict == "unsure"
