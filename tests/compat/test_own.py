"""The operator's own tools and schemas: reading them, judging replies, and known faults."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.cells import Cell
from compat.check import Ask, Check, Setting
from compat.checks.own import checks_of
from compat.evidence import Evidence
from compat.needs import as_toml, needs
from compat.own import Own
from compat.own import parse as parse_own
from compat.own_in_traffic import own_of
from compat.registry import BY_ID, CHECKS
from compat.required import judge, load, parse
from compat.trial import Trial
from compat.verdict import Verdict
from recording.errors import OperatorError
from tests.compat.sending import run_all
from tests.compat.test_truth import CHAT, REASONER, gateway, setting
from tests.compat.wire import call, chunk, chunks, message, plain, stream

BOOK: dict[str, Any] = {"type": "function", "function": {
    "name": "book_room", "description": "Book a room for a meeting.",
    "parameters": {"type": "object", "properties": {"room": {"type": "string"},
                                                    "seats": {"type": "integer"}},
                   "required": ["room", "seats"], "additionalProperties": False},
}}  # fmt: skip
STRICT = {"type": "function", "function": {**BOOK["function"], "name": "book", "strict": True}}
BILL = {"type": "json_schema", "json_schema": {"name": "bill", "strict": True, "schema": {
    "type": "object", "properties": {"net": {"type": "number"}, "unit": {"enum": ["kg", "t"]}},
    "required": ["net", "unit"], "additionalProperties": False,
}}}  # fmt: skip
LOOSE = {"type": "json_schema", "json_schema": {**BILL["json_schema"], "name": "loose",  # type: ignore[dict-item]
                                                "strict": False}}  # fmt: skip


def own(tools: Sequence[object] = (), schemas: Sequence[object] = (), **more: object) -> Own:
    tables = {"tools": tools, "schemas": schemas}
    content = {
        name: {"json": json.dumps([*entries]), **more}
        for name, entries in tables.items()
        if entries
    }
    return parse_own(content, "compat.toml")


ALL = own([BOOK, STRICT], [BILL, LOOSE])
CHECK = {check.id: check for check in checks_of(ALL)}


def finding_of(
    name: str, answer: Callable[[Ask], Evidence], control: Callable[[Ask], Evidence] | None = None
) -> Verdict:
    """The finding of a check whose requests get this answer and whose control gets the other."""
    trial = Trial(CHECK[name], Setting("m"))
    while asks := trial.asks():
        without = {"tools", "response_format"}.isdisjoint(asks[0].body or {})
        trial.add([(control if without and control else answer)(ask) for ask in asks])
    return trial.finding.verdict


def calls(arguments: str, name: str = "book_room", **more: Any) -> Callable[[Ask], Evidence]:
    def answer(ask: Ask) -> Evidence:
        tool_call = call(name, arguments, **more)
        if (ask.body or {}).get("stream"):
            return stream(ask, [chunk({"role": "assistant"}),
                                chunk({"tool_calls": [{"index": 0, **tool_call}]}),
                                chunk({}, "tool_calls")])  # fmt: skip
        return plain(ask, message(None, "tool_calls", [tool_call]))

    return answer


def says(text: str, prompt_tokens: int = 20, finish: str = "stop") -> Callable[[Ask], Evidence]:
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": 6,
             "total_tokens": prompt_tokens + 6}  # fmt: skip

    def answer(ask: Ask) -> Evidence:
        if (ask.body or {}).get("stream"):
            return stream(ask, chunks(text, finish, usage))
        return plain(ask, message(text, finish, usage=usage))

    return answer


GOOD = '{"room": "blue", "seats": 2}'


@pytest.mark.parametrize("prefix", ["own.tool.", "own.tool.stream."])
@pytest.mark.parametrize(("arguments", "loose", "strict"), [
    (GOOD, "works", "works"),
    ('{"room": "blue", "seats": "two"}', "unsure", "ignored"),  # the model's, unless promised
    ('{"room": "blue"', "wrong", "wrong"),
    ("", "wrong", "wrong"),
    (json.dumps(GOOD), "wrong", "wrong"),
])  # fmt: skip
def test_the_arguments_of_a_call_are_judged_by_the_schema(
    prefix: str, arguments: str, loose: str, strict: str
) -> None:
    assert finding_of(f"{prefix}book_room", calls(arguments)) == loose
    assert finding_of(f"{prefix}book", calls(arguments, "book")) == strict


@pytest.mark.parametrize("name", ["own.tool.book_room", "own.tool.stream.book_room"])
def test_a_missing_call_is_a_fault_only_where_the_tool_did_not_arrive(name: str) -> None:
    """A model may answer in words, but a prompt no longer than without the tool is a fault."""
    assert finding_of(name, says("Which room?", 70), says("x", 20)) == "unsure"
    assert finding_of(name, says("Which room?", 21), says("x", 20)) == "ignored"
    assert finding_of(name, says("Which room?", 70, "length"), says("x", 20)) == "unsure"
    assert finding_of(name, calls(GOOD, "cancel_room")) == "wrong"
    assert finding_of(name, calls(GOOD, identity="")) == "wrong"


OBJECT = '{"net": 1.5, "unit": "kg"}'


@pytest.mark.parametrize("stream_", ["", "stream."])
@pytest.mark.parametrize(("text", "strict", "loose"), [
    (OBJECT, "works", "works"),
    ('{"net": 1.5, "unit": "lb"}', "wrong", "unsure"),
    (f"```json\n{OBJECT}\n```", "wrong", "wrong"),
    ("A cart of hay.", "ignored", "ignored"),
])  # fmt: skip
def test_a_reply_is_judged_by_the_schema(stream_: str, text: str, strict: str, loose: str) -> None:
    assert finding_of(f"own.schema.{stream_}bill", says(text)) == strict
    assert finding_of(f"own.schema.{stream_}loose", says(text)) == loose


def test_a_reply_that_is_not_a_stream_accuses_nobody() -> None:
    """chat.stream reports ignored streams."""
    body = message(None, "tool_calls", [call("book_room", GOOD)])
    assert finding_of("own.tool.stream.book_room", lambda ask: plain(ask, body)) == "unsure"
    assert finding_of(
        "own.schema.stream.bill", lambda ask: plain(ask, message(OBJECT))
    ) == "unsure"  # fmt: skip


# ---- the file


FILE = """
[[require]]
models = ["m"]
features = ["own.*"]
allow = { "own.tool.stream.*" = ["wrong"] }
[tools]
file = "tools.json"
prompts = { book_room = "Book the blue room." }
output_tokens = 99
[schemas]
file = "schemas.json"
"""


def _files(folder: Path, tools: object = (BOOK,), schemas: object = (BILL,)) -> Path:
    (folder / "tools.json").write_text(json.dumps(tools), encoding="utf-8")
    (folder / "schemas.json").write_text(json.dumps(schemas), encoding="utf-8")
    (folder / "compat.toml").write_text(FILE, encoding="utf-8")
    return folder / "compat.toml"


def test_each_tool_and_schema_is_two_checks_and_can_be_required(tmp_path: Path) -> None:
    required = load(_files(tmp_path))
    assert set(required.of("m")) == {
        "own.tool.book_room", "own.tool.stream.book_room",
        "own.schema.bill", "own.schema.stream.bill",
    }  # fmt: skip
    (plain_, streamed, *_) = checks_of(required.own)
    (ask,) = plain_.asks(Setting("m"))
    assert ask.output_tokens == 99 and ask.body is not None and ask.body["tools"] == [BOOK]
    assert ask.body["messages"][0]["content"].endswith(": Book the blue room.")
    assert "stream" not in ask.body and (streamed.asks(Setting("m"))[0].body or {})["stream"]
    cells = [Cell("own.tool.book_room", "m", Verdict.WORKS),
             Cell("own.tool.stream.book_room", "m", Verdict.WRONG)]  # fmt: skip
    passes = {judged.check: judged.passes for judged in judge(required, cells, ["m"])}
    assert passes == {"own.tool.book_room": True, "own.tool.stream.book_room": True,
                      "own.schema.bill": False, "own.schema.stream.bill": False}  # fmt: skip
    for cell in cells:  # words of their own, also without the file
        assert cell.verdict is Verdict.WORKS or cell.in_code is not None


def test_a_whole_body_is_a_file_of_tools_too(tmp_path: Path) -> None:
    assert load(_files(tmp_path, {"model": "m", "tools": [BOOK]})).own.tools[0].name == "book_room"


def test_what_an_earlier_version_stored_and_ignored_is_still_ignored() -> None:
    stored = tomllib.loads(FILE.replace("own.*", "stop").replace('allow = { "own', "#"))
    assert parse(stored).own == Own()


NAMED = {"type": "function", "function": {"name": "book room", "parameters": {}}}
AWAY = {"type": "json_schema", "json_schema": {"name": "x", "schema": {
    "type": "object", "properties": {"a": {"$ref": "https://a.example/a.json"}}}}}  # fmt: skip
LOST = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/$defs/none"}}}
BAD = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "objekt"}}}


@pytest.mark.parametrize(("tools", "schemas", "said"), [
    ([], [BILL], "is not a list"), ("x", [BILL], "is not a list"),
    ([NAMED], [BILL], "with a name of"), ([1], [BILL], "with a name of"),
    ([BOOK, BOOK], [BILL], "names book_room twice"),
    ([STRICT], [BILL], "prompts names 'book_room', which is not in the list"),
    ([BOOK], [AWAY], "refers to 'https://a.example/a.json'"),
    ([BOOK], [LOST], "refers to '#/$defs/none'"), ([BOOK], [BAD], "is not a JSON schema"),
    ([BOOK], [{"type": "json_object"}], "with a name of"),
])  # fmt: skip
def test_a_mistake_in_them_is_one_sentence(
    tmp_path: Path, tools: object, schemas: object, said: str
) -> None:
    with pytest.raises(OperatorError) as caught:
        load(_files(tmp_path, tools, schemas))
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("table", "said"), [
    ({"json": "[1"}, "is not JSON"), ({"json": "  "}, "names no file"), (3, "is not a table"),
    ({"json": "[]", "more": 1}, "unknown key 'more'"),
    ({"json": json.dumps([BOOK]), "output_tokens": 0}, "output_tokens"),
    ({"json": json.dumps([BOOK]), "output_tokens": True}, "output_tokens"),
    ({"json": json.dumps([BOOK]), "prompts": {"book_room": 1}}, "write prompts"),
])  # fmt: skip
def test_a_mistake_in_a_table_is_one_sentence(table: object, said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        parse_own({"tools": table}, "compat.toml")


# ---- from traffic


def body(stream_: bool = False, **more: object) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream_, **more}


def read_back(bodies: Sequence[Mapping[str, Any]]) -> Any:
    return parse(tomllib.loads(as_toml(needs(bodies), definitions=own_of(bodies))))


def test_tools_and_schemas_are_taken_from_traffic_as_they_are_used() -> None:
    other = {"type": "function", "function": {**BOOK["function"], "description": "Older words."}}
    bodies = [body(tools=[BOOK]), body(tools=[BOOK]), body(tools=[other]),
              body(True, response_format=BILL), body(tools=[{"type": "web_search"}])]  # fmt: skip
    required = read_back(bodies)
    assert [tool.body for tool in required.own.tools] == [BOOK]
    assert [schema.body for schema in required.own.schemas] == [BILL]
    names = {name for name in required.of("m") if name.startswith("own.")}
    assert names == {"own.tool.book_room", "own.schema.stream.bill"}
    text = as_toml(needs(bodies), definitions=own_of(bodies))
    assert "# tool book_room has 2 definitions: the most frequent one is here" in text
    assert "# a tool is left out: " in text


@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_definition_survives_the_round_trip_through_toml(
    about: str, properties: dict[str, str]
) -> None:
    described = {name: {"description": text} for name, text in properties.items()}
    tool = {"type": "function", "function": {
        "name": "f", "description": about,
        "parameters": {"type": "object", "properties": described},
    }}  # fmt: skip
    required = read_back([body(tools=[tool])])
    assert [own_tool.body for own_tool in required.own.tools] == [tool]


# ---- the truth


@pytest.mark.parametrize(("features", "expected"), [
    ({}, {}),
    ({"tool.auto": "ignored"}, {"own.tool.book_room": "ignored",
                                "own.tool.stream.book_room": "ignored"}),
    ({"tool.auto": "refused"}, {"own.tool.book_room": "refused",
                                "own.tool.stream.book_room": "refused"}),
    ({"tool.strict": "broken"}, {"own.tool.book": "broken", "own.tool.stream.book": "broken"}),
    ({"json.schema": "ignored"}, {"own.schema.bill": "ignored", "own.schema.loose": "ignored"}),
    ({"json.schema.stream": "wrong"}, {"own.schema.stream.bill": "wrong",
                                       "own.schema.stream.loose": "wrong"}),
])  # fmt: skip
def test_a_gateway_whose_features_are_known(
    tmp_path: Path, features: dict[str, str], expected: dict[str, str]
) -> None:
    checks: list[Check] = [BY_ID["chat.plain"], BY_ID["chat.stream"], *CHECK.values()]
    with gateway(tmp_path, features) as started:
        by_check = run_all(started.url, checks, setting("chat", CHAT))
    other = {name: str(f.verdict) for name, f in by_check.items() if f.verdict is not Verdict.WORKS}
    assert other == expected, {name: f.fact for name, f in by_check.items()}


@pytest.mark.slow
@pytest.mark.parametrize("model", [CHAT, REASONER])
def test_a_healthy_gateway_is_not_accused_in_ten_runs(tmp_path: Path, model: str) -> None:
    checks: list[Check] = [BY_ID["chat.plain"], BY_ID["chat.stream"], *CHECK.values()]
    with gateway(tmp_path, {}) as started:
        for seed in range(10):
            by_check = run_all(started.url, checks, setting("chat", model, seed))
            assert {f.verdict for f in by_check.values()} == {Verdict.WORKS}, (seed, by_check)


def test_ids_of_own_checks_differ_from_all_built_in_ids() -> None:
    assert not {*CHECK} & {check.id for check in CHECKS}
