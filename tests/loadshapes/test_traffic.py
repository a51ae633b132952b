"""Own traffic: every faulty line is named, and what a line contains is what is sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadshapes.own_traffic.file import read
from loadshapes.own_traffic.traffic import Traffic, parse
from recording.errors import OperatorError
from simulator.tokens import encode
from tasks.conversation import begin, padding, request
from tasks.prompts import Request, body
from tasks.reply import Message
from tests.tasks.sending import OPTIONS, phase

USER = {"role": "user", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def jsonl(*rows: Any) -> str:
    return "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)


def own(**changes: Any) -> Any:
    return phase(request="traffic", traffic="digest", **{"max_tokens": None, **changes})


def nth(traffic: Traffic, index: int) -> Request:
    """Request `index` of a phase that sends a file's lines in turn."""
    return request(traffic.lines[index % len(traffic.lines)], own(), index)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{\n", "not JSON"),
        ("[]\n", "must be a JSON object"),
        ('{"messages": [{"role": "user", "content": "x"}], "top_p": NaN}\n', "not JSON"),
        ('{"messages": [{"role": "user", "content": "\\ud800"}]}\n', "surrogate"),
        ("[" * 100_000 + "\n", "nested too deep"),
        ({}, "neither messages nor turns"),
        ({"messages": []}, "at least one message"),
        ({"messages": "hi"}, "at least one message"),
        ({"messages": ["hi"]}, r"messages\[0\] must be an object"),
        ({"messages": [{"role": "robot", "content": "x"}]}, r"messages\[0\].role"),
        ({"messages": [{"role": "user"}]}, r"messages\[0\].content"),
        ({"messages": [{"role": "assistant"}]}, "says nothing"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "with a type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, r"\.text must be"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            "image_url.url",
        ),
        ({"messages": [USER], "max_token": 5}, "'max_token' is not a key"),
        ({"messages": [USER], "model": "m"}, "the model is --model's"),
        ({"messages": [USER], "stream": True}, "--stream's"),
        ({"messages": [USER], "max_tokens": 0}, "max_tokens must be"),
        ({"messages": [USER], "max_tokens": True}, "max_tokens must be"),
        ({"messages": [USER], "max_completion_tokens": 1.5}, "max_completion_tokens must be"),
        ({"messages": [USER], "tools": []}, "tools must be"),
        ({"messages": [USER], "extra_body": 1}, "extra_body must be"),
        ({"messages": [USER], "extra_body": {"model": "x"}}, "model has no place"),
        ({"messages": [USER], "at_s": 1}, "'at_s' is not a key"),
        ({"turns": []}, "at least one turn"),
        ({"turns": [1]}, r"turns\[0\] must be an object"),
        ({"turns": [{"role": "assistant", "content": "x"}]}, "must be the user's"),
        ({"turns": ["x"], "tools": [{"type": "function"}]}, "cannot answer tool calls"),
    ],
)
def test_a_faulty_line_of_prompts_is_named_by_its_number(row: Any, why: str) -> None:
    """In the file: blank lines count."""
    with pytest.raises(ValueError, match=f"^line 3: .*{why}"):
        parse(jsonl({"messages": [USER]}, "\n", row), trace=False)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"messages": [USER]}, "needs one of at_s"),
        ({"at_s": 1}, "needs one of messages and prompt_tokens"),
        ({"at_s": 1, "messages": [USER], "prompt_tokens": 5}, "needs one of messages"),
        ({"at_s": 1, "prompt_tokens": 0}, "prompt_tokens must be"),
        ({"at_s": 1, "prompt_tokens": 10**8}, "at most"),
        ({"at_s": 1, "prompt_tokens": 5, "model": ""}, "model must be"),
        ({"at_s": 1, "turns": ["x"]}, "turns is for --prompts"),
    ],
)
def test_a_faulty_line_of_a_trace_is_named_by_its_number(row: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"^line 1: .*{why}"):
        parse(jsonl(row), trace=True)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "image_url", "url", "user"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
keys = st.sampled_from(
    ["messages", "turns", "at_s", "timestamp", "max_tokens", "tools", "model", "prompt_tokens",
     "extra_body", "stream"]
)  # fmt: skip
rows = st.dictionaries(keys, anything | st.just([USER]), max_size=5).map(json.dumps)


@given(st.lists(rows | st.text(max_size=30), max_size=4), st.booleans())
def test_any_file_is_refused_with_a_line_or_can_be_sent(lines: list[str], trace: bool) -> None:
    """A ValueError with a place, or lines whose bodies are JSON."""
    try:
        parsed = parse("\n".join(lines), trace)
    except ValueError as error:
        places = ("line ", "it is empty", "some rows say", "more than a year")
        assert type(error) is ValueError
        assert str(error).startswith(places)
        return
    for index in range(len(parsed.lines)):
        json.dumps(body(own(), index, nth(parsed, index), OPTIONS), allow_nan=False)


def test_faulty_lines_are_all_named_up_to_a_limit() -> None:
    with pytest.raises(ValueError, match="^line 1: .*; line 8: .*; and 2 more lines$"):
        parse(jsonl(*[{}] * 10), trace=False)


def test_the_body_has_every_field_of_the_line() -> None:
    """extra_body is merged; model, stream and task_id are the run's."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    messages = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    other_fields = {"tool_choice": "auto", "max_tokens": 9, "response_format": {"type": "text"}}
    extra = {"extra_body": {"thinking": {"type": "off"}}}
    row = {"messages": messages, "tools": tools, **other_fields, **extra}
    parsed = parse(jsonl(row), trace=False)
    assert body(own(), 3, nth(parsed, 3), OPTIONS) == {
        "model": "m",
        "messages": messages,
        "max_tokens": 9,
        "stream": False,
        "task_id": "pre-req-3",
        "tools": tools,
        "tool_choice": "auto",
        "response_format": {"type": "text"},
        "thinking": {"type": "off"},
    }


@pytest.mark.parametrize(
    ("line", "option", "sent"),
    [
        ({}, None, {}),
        ({}, 16, {"max_tokens": 16}),
        ({"max_tokens": 9}, 16, {"max_tokens": 9}),
        ({"max_completion_tokens": 9}, 16, {"max_completion_tokens": 9}),
    ],
)
def test_max_tokens_of_the_line_comes_before_that_of_the_run(
    line: dict[str, int], option: int | None, sent: dict[str, int]
) -> None:
    parsed = parse(jsonl({"messages": [USER], **line}), trace=False)
    sent_body = body(own(max_tokens=option), 0, nth(parsed, 0), OPTIONS)
    assert {name: sent_body[name] for name in sent_body if name.startswith("max_")} == sent


def test_request_i_is_line_i_mod_n() -> None:
    parsed = parse(jsonl(*[{"turns": [name]} for name in "abc"]), trace=False)
    contents = [nth(parsed, index).content for index in range(7)]
    assert "".join(map(str, contents)) == "abcabca"


def test_a_trace_is_sorted_by_time() -> None:
    """Lines and times together; equal times keep their order; the moves are counted."""
    times = [2.0, 0.5, 0.5, 1.0]
    parsed = parse(
        jsonl(*[{"at_s": t, "prompt_tokens": 10 + n} for n, t in enumerate(times)]), True
    )
    assert parsed.offsets_s == (0.5, 0.5, 1.0, 2.0)
    assert [one.number for one in parsed.lines] == [2, 3, 4, 1]
    assert parsed.moved == 1


@pytest.mark.parametrize("size", [100, 1000, 5000])
def test_a_generated_prompt_has_about_the_tokens_asked_for(size: int) -> None:
    """Counted by a tokenizer that is not ours."""
    assert abs(len(encode(padding(size, "run-req-7"))) - size) <= 0.05 * size


def test_generated_prompts_all_begin_differently() -> None:
    """Otherwise a gateway's prompt cache would answer what the trace says was new."""
    assert len({padding(50, f"run-req-{n}")[:12] for n in range(100)}) == 100


def test_a_turn_of_a_conversation_follows_the_actual_reply() -> None:
    parsed = parse(
        jsonl({"messages": [{"role": "system", "content": "s"}], "turns": ["a", "b"]}), False
    )
    talk = begin(parsed.lines[0], own())
    first = talk.turn()
    assert [m["content"] for m in first.messages or ()] == ["s", "a"]
    assert first.heard is not None
    first.heard(Message(content="what was said"))
    assert not talk.over
    second = talk.turn()
    assert (second.messages or [])[2] == {"role": "assistant", "content": "what was said"}
    assert [m["content"] for m in second.messages or ()] == ["s", "a", "what was said", "b"]
    assert talk.over


@pytest.mark.parametrize("reply", [None, Message(), Message(content="x", tool_calls=[CALL])])
def test_a_conversation_ends_after_a_turn_without_a_usable_answer(reply: Message | None) -> None:
    """A request that failed, or a tool call, which cannot be answered."""
    parsed = parse(jsonl({"turns": ["a", "b"]}), trace=False)
    talk = begin(parsed.lines[0], own())
    turn = talk.turn()
    if reply is not None and turn.heard is not None:
        turn.heard(reply)
    assert talk.over


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b'{"messages": [{"role": "user", "content": "x"}]}\n\xff\n', "line 2 is not UTF-8"),
        (jsonl({"messages": [{**USER, "content": "x" * 2**24}]}).encode(), "at most 16 MiB"),
        (None, "cannot be read"),
    ],
    ids=["empty", "blank", "latin", "large", "absent"],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "own.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OperatorError, match=why):
        read(str(path), "prompts", trace=False)


def test_a_byte_order_mark_and_crlf_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + jsonl({"messages": [USER]}).replace("\n", "\r\n").encode())
    assert len(read(str(path), "prompts", trace=False).lines) == 1
