"""Files that people have:

each format becomes the requests it stands for, and what is lost is counted. The samples are
literal; field names are as in the tools' own documentation.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadshapes.own_traffic.file import read, translated
from loadshapes.own_traffic.trace_slice import Slice, lasting
from loadshapes.own_traffic.traffic import Traffic, parse
from recording.errors import OperatorError
from recording.row_notes import clause
from tasks.prompts import body
from tests.loadshapes.test_traffic import nth
from tests.tasks.sending import OPTIONS, phase


def own(**changes: Any) -> Any:
    return phase(request="traffic", traffic="digest", **{"max_tokens": None, **changes})


def bodies(translation: Traffic) -> list[dict[str, Any]]:
    """What is sent for each line, less what every body of ours has."""
    bodies_sent = []
    for index in range(len(translation.lines)):
        sent = body(own(), index, nth(translation, index), OPTIONS)
        bodies_sent.append(
            {k: v for k, v in sent.items() if k not in ("model", "stream", "task_id")}
        )
    return bodies_sent


def notes_of(translation: Traffic) -> dict[str, tuple[int, list[str]]]:
    return {note["kind"]: (note["count"], note["names"]) for note in translation.notes}


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def lines_of(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


SYSTEM = {"role": "system", "content": "Be brief."}
BATCH = lines_of(
    {"custom_id": "a-1", "method": "POST", "url": "/v1/chat/completions",
     "body": {"model": "gpt-4o-mini", "messages": [SYSTEM, user("one")], "max_tokens": 9}},
    {"custom_id": "a-2", "method": "POST", "url": "/v1/embeddings", "body": {"input": "x"}},
    {"custom_id": "a-3", "method": "POST", "url": "/v1/chat/completions",
     "body": {"model": "gpt-4o-mini", "messages": [user("two")], "temperature": 0.5}},
)  # fmt: skip
WIRE = lines_of(
    {"model": "m", "messages": [user("one")], "stream": True,
     "stream_options": {"include_usage": True}, "n": 1, "max_tokens": 7, "top_k": 20,
     "chat_template_kwargs": {"enable_thinking": False}, "stop": None},
    {"model": "m", "messages": [user("two")], "stream": False},
)  # fmt: skip
SHAREGPT = [
    {"id": "s1", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "A"}]},
    {"id": "s2", "conversations": [{"from": "system", "value": "Be brief."},
                                   {"from": "human", "value": "b"}, {"from": "gpt", "value": "B"},
                                   {"from": "human", "value": "c"}, {"from": "gpt", "value": "C"}]},
    {"id": "s3", "conversations": [{"from": "gpt", "value": "alone"}]},
    {"conversations": [{"role": "user", "content": "d"}, {"role": "assistant", "content": "D"}]},
]  # fmt: skip
TUNING = lines_of(
    {"messages": [SYSTEM, user("What is flint?"),
                  {"role": "assistant", "content": "Flint.", "weight": 1}]},
    {"messages": [user("a"), {"role": "assistant", "content": "b", "weight": 0}, user("c"),
                  {"role": "assistant", "content": "d"}]},
)  # fmt: skip
VLLM = lines_of({"prompt": "one", "output_tokens": 12}, {"prompt": "two"})
MOONCAKE = lines_of(
    {"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1, 2]},
    {"timestamp": 3000, "input_length": 100, "output_length": 0, "hash_ids": [0]},
    {"timestamp": 27482, "input_length": 7322, "output_length": 490, "hash_ids": [0, 14]},
)
AZURE = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16 18:15:46.6805900,374,44\n"
    "2023-11-16 18:15:50.9951690,396,109\n"
    "2023-11-16 18:15:51.2225670,879,55\n"
)
BURST = (
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "5,ChatGPT,472,18,490,Conversation log\n"
    "45,ChatGPT,1087,230,1317,Conversation log\n"
    "118,ChatGPT,417,0,417,Conversation log\n"
)
BURST_3 = (
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "5.5,s-1,2.31,ChatGPT,472,18,490,Conversation log\n"
)


def test_a_batch_of_openai_is_sent_body_by_body() -> None:
    """custom_id stays with the row; rows for another endpoint are left out."""
    translation = translated(BATCH, trace=False)
    assert bodies(translation) == [
        {"messages": [SYSTEM, user("one")], "max_tokens": 9},
        {"messages": [user("two")], "temperature": 0.5},
    ]
    assert [nth(translation, i).place for i in (0, 1)] == [
        {"line": 1, "custom_id": "a-1"},
        {"line": 3, "custom_id": "a-3"},
    ]
    assert notes_of(translation) == {
        "shape": (2, ["OpenAI Batch"]),
        "ours": (2, ["model"]),
        "other_urls": (1, []),
    }


def test_logged_bodies_are_sent_without_the_fields_that_are_ours() -> None:
    """Those are noted; the gateway's own fields stay in the body."""
    translation = translated(WIRE, trace=False)
    assert bodies(translation) == [
        {
            "messages": [user("one")],
            "max_tokens": 7,
            "top_k": 20,
            "chat_template_kwargs": {"enable_thinking": False},
        },
        {"messages": [user("two")]},
    ]
    assert notes_of(translation) == {
        "shape": (2, ["bodies as sent"]),
        "ours": (2, ["model", "stream", "stream_options", "n"]),
        "vendor": (1, ["top_k", "chat_template_kwargs"]),
    }
    with pytest.raises(ValueError, match="line 1: n must be 1"):
        translated(lines_of({"model": "m", "messages": [user("x")], "n": 2}), trace=False)


@pytest.mark.parametrize("array", (False, True))
def test_a_sharegpt_conversation_is_sent_without_its_recorded_answers(array: bool) -> None:
    """As a conversation in a closed loop, its first turn alone elsewhere."""
    text = json.dumps(SHAREGPT, indent=2) if array else lines_of(*SHAREGPT)
    translation = translated(text, trace=False, closed=True)
    assert [one.turns and [t["content"] for t in one.turns] for one in translation.lines] == [
        (), ["b", "c"], (),
    ]  # fmt: skip
    assert translation.lines[1].messages == (SYSTEM,)
    assert [one.name for one in translation.lines] == [{"id": "s1"}, {"id": "s2"}, {}]
    assert [one.number for one in translation.lines] == [1, 2, 4]
    flat = translated(text, trace=False, closed=False)
    assert [one["messages"] for one in bodies(flat)] == [
        [user("a")], [SYSTEM, user("b")], [user("d")],
    ]  # fmt: skip
    assert notes_of(flat) == {
        "shape": (3, ["ShareGPT"]),
        "answers": (3, []),
        "silent": (1, []),
        "first_turns": (1, []),
    }


def test_fine_tuning_examples_are_sent_without_answer_and_weight() -> None:
    translation = translated(TUNING, trace=False)
    assert bodies(translation) == [
        {"messages": [SYSTEM, user("What is flint?")]},
        {"messages": [user("a"), {"role": "assistant", "content": "b"}, user("c")]},
    ]
    assert notes_of(translation) == {
        "shape": (2, ["fine-tuning"]),
        "answers": (2, []),
        "unused": (2, ["weight"]),
    }


def test_a_prefilled_assistant_message_is_sent() -> None:
    """In a request with settings, or one that marks it as such."""
    rows = (
        {"messages": [user("a"), {"role": "assistant", "content": "{", "prefix": True}]},
        {"messages": [user("a"), {"role": "assistant", "content": "{"}], "max_tokens": 5},
    )
    translation = translated(lines_of(*rows), trace=False)
    assert [len(one["messages"]) for one in bodies(translation)] == [2, 2]
    assert notes_of(translation) == {"prefills": (1, [])}
    assert translation.text == lines_of(*rows)


def test_vllms_custom_data_set_is_sent() -> None:
    translation = translated(VLLM, trace=False)
    assert bodies(translation) == [
        {"messages": [user("one")], "max_tokens": 12},
        {"messages": [user("two")]},
    ]


def test_an_array_of_texts_is_one_prompt_each() -> None:
    translation = translated('["Say one.", "Say two."]', trace=False)
    assert [one["messages"] for one in bodies(translation)] == [
        [user("Say one.")],
        [user("Say two.")],
    ]
    with pytest.raises(ValueError, match="^item 2: it must be a JSON object"):
        translated('[{"prompt": "a"}, "b"]', trace=False)


def test_our_own_lines_may_be_an_array() -> None:
    rows = [{"messages": [user("a")]}, {"turns": ["b", "c"]}]
    translation = translated(json.dumps(rows, indent=1), trace=False)
    assert [len(one.turns) for one in translation.lines] == [0, 2]
    assert translation.notes == ()
    with pytest.raises(ValueError, match="^item 2: messages must be"):
        translated(json.dumps([rows[0], {"messages": []}]), trace=False)


def sized(translation: Traffic) -> list[tuple[float, int | None, int | None]]:
    return [
        (at, one.prompt_tokens, one.max_tokens)
        for at, one in zip(translation.offsets_s, translation.lines, strict=True)
    ]


def test_a_mooncake_trace_has_times_in_milliseconds() -> None:
    """Rows of zero tokens and hash_ids are noted."""
    translation = translated(MOONCAKE, trace=True)
    assert sized(translation) == [(0.0, 6758, 500), (27.482, 7322, 490)]
    assert notes_of(translation) == {
        "shape": (2, ["Mooncake (times in milliseconds)"]),
        "hashes": (3, []),
        "zero": (1, []),
    }


def test_a_bailian_trace_has_times_in_seconds() -> None:
    row = {"chat_id": 1, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 32,
           "output_length": 8, "type": "text", "turn": 1, "hash_ids": [3]}  # fmt: skip
    assert sized(translated(lines_of(row), trace=True)) == [(61.114, 32, 8)]


def test_azures_trace_is_read_with_its_times_and_sizes() -> None:
    translation = translated(AZURE, trace=True)
    assert sized(translation) == [(0.0, 374, 44), (4.314579, 396, 109), (4.541977, 879, 55)]
    assert notes_of(translation) == {"shape": (3, ["Azure's LLM trace"])}


def test_burstgpt_is_read_in_both_versions() -> None:
    """Seconds from the trace's start; a failed row has no response."""
    translation = translated(BURST, trace=True)
    assert sized(translation) == [(5.0, 472, 18), (45.0, 1087, 230)]
    assert {one.model for one in translation.lines} == {"ChatGPT"}
    assert notes_of(translation) == {"shape": (2, ["BurstGPT"]), "zero": (1, [])}
    assert sized(translated(BURST_3, trace=True)) == [(5.5, 472, 18)]


@pytest.mark.parametrize("mark", (",", ";", "\t"))
def test_a_csv_trace_may_have_any_usual_separator(mark: str) -> None:
    rows = (("time", "input tokens", "Output_Tokens", "status", "user"),
            ("1767225600.25", "10", "5", "200", "u1"), ("1767225601.5", "20", "", "200", "u2"),
            ("1767225602", "30", "6", "error", "u3"))  # fmt: skip
    translation = translated("\r\n".join(mark.join(row) for row in rows), trace=True)
    assert sized(translation) == [(0.0, 10, 5), (1.25, 20, None)]
    assert notes_of(translation)["failed"] == (1, [])
    assert notes_of(translation)["unused"] == (2, ["status", "user"])


def test_a_csv_of_prompts_is_sent() -> None:
    text = 'prompt,output_tokens,lang\n"Say ""hi"",\nplease",7,en\nBye,,de\n'
    translation = translated(text, trace=False)
    assert bodies(translation) == [
        {"messages": [user('Say "hi",\nplease')], "max_tokens": 7},
        {"messages": [user("Bye")]},
    ]
    assert notes_of(translation)["unused"] == (2, ["lang"])


def test_a_log_of_bodies_with_epoch_times_is_a_trace() -> None:
    rows = [
        {"timestamp": 1767225600.25, "request": {"model": "m", "messages": [user("a")]}, "ip": "x"},
        {"timestamp": 1767225601.5, "request": {"model": "m", "messages": [user("b")]}, "ip": "y"},
    ]
    translation = translated(lines_of(*rows), trace=True)
    assert translation.offsets_s == (0.0, 1.25)
    assert [one.model for one in translation.lines] == ["m", "m"]
    assert notes_of(translation)["unused"] == (2, ["ip"])


def test_formats_may_be_mixed_in_one_file() -> None:
    translation = translated(VLLM + BATCH + lines_of({"messages": [user("own")]}), trace=False)
    assert [one["messages"][-1]["content"] for one in bodies(translation)] == [
        "one", "two", "one", "two", "own",
    ]  # fmt: skip
    assert notes_of(translation)["shape"] == (5, ["plain prompts", "OpenAI Batch"])


SAMPLES = {
    "batch": (BATCH, False), "wire": (WIRE, False), "sharegpt": (lines_of(*SHAREGPT), False),
    "sharegpt array": (json.dumps(SHAREGPT), False), "tuning": (TUNING, False),
    "vllm": (VLLM, False), "mooncake": (MOONCAKE, True), "azure": (AZURE, True),
    "burst": (BURST, True), "burst 3": (BURST_3, True),
}  # fmt: skip


@pytest.mark.parametrize(("text", "trace"), SAMPLES.values(), ids=SAMPLES.keys())
@pytest.mark.parametrize("dress", ("plain", "bom", "crlf", "gzip", "gzip of two"))
def test_a_file_is_read_the_same_however_it_is_packed(
    tmp_path: Path, text: str, trace: bool, dress: str
) -> None:
    """Byte order mark, CRLF, gzip, two gzip members; and what is sent to workers is the same."""
    raw = text.encode()
    half = raw.index(b"\n") + 1 if b"\n" in raw else len(raw)
    path = tmp_path / "file"
    path.write_bytes(
        {
            "plain": raw,
            "bom": b"\xef\xbb\xbf" + raw,
            "crlf": raw.replace(b"\n", b"\r\n"),
            "gzip": gzip.compress(raw),
            "gzip of two": gzip.compress(raw[:half]) + gzip.compress(raw[half:]),
        }[dress]
    )
    translation = read(str(path), "trace" if trace else "prompts", trace)
    plain = translated(text, trace)
    assert (translation.lines, translation.offsets_s, translation.notes) == (
        plain.lines,
        plain.offsets_s,
        plain.notes,
    )
    travelled = parse(translation.text, trace)
    assert (travelled.lines, travelled.offsets_s) == (translation.lines, translation.offsets_s)
    assert travelled.digest == translation.digest


UNKNOWN: dict[str, tuple[bytes, str]] = {
    "no shape": (b'{"foo": 1, "bar": 2}\n{"foo": 2}\n', "in no known format (keys of the first: "),
    "nearly sharegpt": (
        b'{"id": 1, "dialogue": [{"from": "human", "value": "hi"}]}\n',
        "it looks most like ShareGPT, so rename dialogue to conversations; or write",
    ),
    "nearly a request": (
        b'{"chat": [{"role": "user", "content": "hi"}]}\n',
        "it looks most like a chat request, so rename chat to messages; or write",
    ),
    "nearly mooncake": (
        b'{"timestamp": 1, "output_length": 5}\n',
        "it looks most like Mooncake (times in milliseconds), which needs input_length",
    ),
    "a trace": (
        MOONCAKE.encode(),
        "it is Mooncake (times in milliseconds), which has no prompts: give it as --trace",
    ),
    "a batch's output": (
        b'{"custom_id": "a", "response": {}}\n',
        "line 1: it is an answer of a batch: give the batch's input file",
    ),
    "parquet": (b"PAR1" + bytes(40), "it is a Parquet file: write it as JSONL"),
    "zip": (b"PK\x03\x04" + bytes(40), "it is a ZIP archive"),
    "utf-16": ("{}".encode("utf-16"), "it is UTF-16 text"),
    "prose": (b"hello\nworld\n", "neither JSON lines, nor a JSON array, nor CSV"),
    "csv of nothing": (b"a,b\n1,2\n", "in no known format (keys of the first: a, b)"),
    "cut gzip": (gzip.compress(VLLM.encode())[:-9], "its gzip is cut off"),
    "numbers": (b"[1, 2]\n", "line 1: it must be a JSON object"),
    "all left out": (
        lines_of(SHAREGPT[2]).encode(),
        "nothing is left to send: conversations without a user turn, left out: 1",
    ),
}


@pytest.mark.parametrize(("raw", "why"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_unusable_file_is_one_sentence(tmp_path: Path, raw: bytes, why: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(raw)
    with pytest.raises(OperatorError) as caught:
        read(str(path), "prompts", trace=False)
    sentence = str(caught.value)
    assert why in sentence and sentence.endswith(".")
    assert sentence.count("line ") <= 1 and "\n" not in sentence


def test_a_faulty_line_of_a_known_format_is_named() -> None:
    rows = MOONCAKE + '{"timestamp": 1, "input_length": "many", "output_length": 3}\n{"x": 1}\n'
    with pytest.raises(
        ValueError, match="^line 4: input_length must be a number.*; line 5: it is in"
    ):
        translated(rows, trace=True)
    with pytest.raises(ValueError, match="^line 5: Request tokens must be"):
        translated(BURST + "9,GPT-4,-1,5,4,API log\n", trace=True)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadshapes.own_traffic.formats.containers.LARGEST_MIB", 1)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(8 * 2**20)))
    with pytest.raises(OperatorError, match="unpacks to more than 1 MiB"):
        read(str(path), "prompts", trace=False)


@given(
    st.text(max_size=60) | st.sampled_from([text for text, _ in SAMPLES.values()]), st.booleans()
)
def test_any_text_is_one_sentence_or_can_be_sent(text: str, trace: bool) -> None:
    try:
        translation = translated(text, trace)
    except ValueError as error:
        assert str(error)
        return
    for one in bodies(translation):
        json.dumps(one, allow_nan=False)


# ---- slices of a trace


def test_a_slice_of_a_trace_starts_at_zero() -> None:
    rows = lines_of(*({"at_s": 819_000 + n, "prompt_tokens": 5 + n} for n in range(4)))
    translation = translated(rows, True, part=Slice.of("819001", "819003"))
    assert sized(translation) == [(0.0, 6, None), (1.0, 7, None)]
    assert notes_of(translation) == {"outside": (2, [])}
    assert [one.number for one in translation.lines] == [2, 3]


@pytest.mark.parametrize(
    ("begin", "end", "left"),
    [
        ("", "", [0.0, 4.314579, 4.541977]),
        ("4", "", [0.314579, 0.541977]),
        ("2023-11-16 18:15:50", "", [0.995169, 1.222567]),
        ("2023-11-16T18:15:50Z", "2023-11-16T18:15:51Z", [0.995169]),
        ("", "4s", [0.0]),
    ],
)
def test_a_bound_of_a_slice_is_in_seconds_or_a_time(
    begin: str, end: str, left: list[float]
) -> None:
    translation = translated(AZURE, True, part=Slice.of(begin, end))
    assert list(translation.offsets_s) == pytest.approx(left, abs=1e-5)


@pytest.mark.parametrize(
    ("begin", "end", "why"),
    [
        ("yesterday", "", "--trace-from takes seconds"),
        ("-1", "", "must not be below 0"),
        ("9", "5", "is not before --trace-to"),
        ("1h", "", "none of its 3 rows lies between"),
    ],
)
def test_an_impossible_slice_is_one_sentence(begin: str, end: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        translated(AZURE, True, part=Slice.of(begin, end))
    with pytest.raises(ValueError, match="the trace's times are none"):
        translated(BURST, True, part=Slice.of("2023-01-01", ""))


def test_long_times_are_written_in_hours_and_days() -> None:
    assert [lasting(s) for s in (45, 300, 3 * 3600, 819_003)] == [
        "45 s", "5.0 minutes", "3.0 hours", "9.5 days",
    ]  # fmt: skip


def test_every_note_is_written_in_both_languages() -> None:
    translation = translated(BATCH + TUNING + lines_of(*SHAREGPT), trace=False, closed=False)
    for note in translation.notes:
        english, chinese = clause(note), clause(note, 1)
        assert english.isascii() and not chinese.isascii()
        assert "{" not in english + chinese
