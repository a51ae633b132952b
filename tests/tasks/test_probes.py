"""The probes: what they ask, and how they judge the answer."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from loadshapes.modes import plan
from recording.errors import OperatorError
from settings.options import Options
from tasks import builders, probes
from tasks.builders import BUILDERS, rehearse
from tasks.probes import cache, tools, vision
from tasks.prompts import marker, padded
from tasks.reply import Message
from tests.tasks.sending import OPTIONS, phase


def call(name: Any = "get_weather", arguments: Any = '{"city": "Shanghai"}') -> Message:
    function = {"name": name, "arguments": arguments}
    return Message(tool_calls=[{"id": "c", "type": "function", "function": function}])


ALL = ("tool_calls", "function", "arguments_json", "arguments_right")


@pytest.mark.parametrize(
    ("said", "right"),
    [
        pytest.param(call(), ALL, id="right"),
        pytest.param(call(arguments=' {"city":"Shanghai"} '), ALL, id="spaces"),
        pytest.param(call("get_time"), ("tool_calls", "arguments_json"), id="wrong function"),
        pytest.param(call(arguments="{city: x}"), ALL[:2], id="bad JSON"),
        pytest.param(call(arguments=""), ALL[:2], id="no arguments"),
        pytest.param(call(arguments={"city": "Shanghai"}), ALL[:2], id="arguments not text"),
        pytest.param(call(arguments='["Shanghai"]'), ALL[:2], id="arguments no object"),
        pytest.param(call(arguments='{"city": "Beijing"}'), ALL[:3], id="wrong argument"),
        pytest.param(call(arguments='{"city": 7}'), ALL[:3], id="type against the schema"),
        pytest.param(call(arguments="{}"), ALL[:3], id="missing against the schema"),
        pytest.param(call(arguments='{"city": "Shanghai", "x": 1}'), ALL[:3], id="additional"),
        pytest.param(call(arguments="[" * 100_000), ALL[:2], id="too deep"),
        pytest.param(Message(content="It is sunny."), (), id="no call"),
        pytest.param(call(None), ("tool_calls", "arguments_json"), id="no name"),
        pytest.param(call(["a"]), ("tool_calls", "arguments_json"), id="name is a list"),
        pytest.param(Message(tool_calls=[7]), ("tool_calls",), id="call is a number"),  # type: ignore[list-item]
        pytest.param(Message(tool_calls=[{}]), ("tool_calls",), id="call is hollow"),
    ],
)
def test_a_tool_call_is_judged_step_by_step(said: Message, right: tuple[str, ...]) -> None:
    judged = tools.case("", "", "").judge(said)
    assert json.loads(judged.detail) == {step: step in right for step in ALL}
    assert judged.check == ("pass" if right == ALL else "fail")


@pytest.fixture
def business(tmp_path: Path) -> Options:
    """A business schema of the operator's own."""
    schema = {
        "type": "object",
        "properties": {"sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"},
                       "count": {"type": "integer", "minimum": 1}},
        "required": ["sku", "count"],
    }  # fmt: skip
    file = tmp_path / "tools.json"
    order = {"name": "order", "parameters": schema}
    file.write_text(json.dumps([{"type": "function", "function": order}]))
    return replace(OPTIONS, tools=str(file), tools_prompt="Order three.", tool_choice="order")


def test_the_operators_tools_prompt_and_choice_are_sent(business: Options) -> None:
    request = tools.build(phase(), 0, business)
    assert request.content == "Order three."
    assert request.extra["tools"][0]["function"]["name"] == "order"
    assert request.extra["tool_choice"] == {"type": "function", "function": {"name": "order"}}


@pytest.mark.parametrize(
    ("arguments", "check"),
    [
        ('{"sku": "AB-1", "count": 3}', "pass"),
        ('{"sku": "ab-1", "count": 3}', "fail"),
        ('{"sku": "AB-1", "count": 0}', "fail"),
        ('{"sku": "AB-1"}', "fail"),
    ],
)
def test_without_an_expectation_any_valid_call_passes(
    business: Options, arguments: str, check: str
) -> None:
    judge = tools.build(phase(), 0, business).judge
    assert judge is not None
    assert judge(call("order", arguments)).check == check


@pytest.mark.parametrize(
    ("changes", "content", "says"),
    [
        ({"tools": "missing.json"}, None, "cannot be read as JSON"),
        ({"tools": "t.json"}, "{", "cannot be read as JSON"),
        ({"tools": "t.json"}, "{}", "must hold a JSON list"),
        ({"tools": "t.json"}, "[]", "must hold a JSON list"),
        ({"tools": "t.json"}, "[{}]", "has no function with a name"),
        ({"tools": "t.json"}, '[{"function": {"name": "f"}}]', "--tools needs --tools-prompt"),
        (
            {"tools": "t.json", "tools_prompt": "p"},
            '[{"function": {"name": "f", "parameters": {"type": "strange"}}}]',
            "are not a JSON schema",
        ),
        ({"tools_expect": "missing.json"}, None, "cannot be read as JSON"),
        ({"tools_expect": "t.json"}, "[]", "--tools-expect t.json must hold"),
        ({"tools_expect": "t.json"}, '{"function": "f"}', "--tools-expect t.json must hold"),
    ],
)
def test_an_error_in_the_operators_tools_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str],
    content: str | None, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    tools.case.cache_clear()
    if content is not None:
        (tmp_path / "t.json").write_text(content)
    options = replace(OPTIONS, mode="tools", model="m", **changes)
    with pytest.raises(OperatorError, match=says):
        rehearse(plan(options), options)


# ---- vision


def test_the_picture_is_a_png_that_shows_and_carries_its_text() -> None:
    picture = Image.open(io.BytesIO(vision.picture("HELLO 42")))
    assert (picture.format, picture.info["Description"]) == ("PNG", "HELLO 42")
    dark = sum(picture.convert("L").histogram()[:128])
    assert 0.01 < dark / (picture.width * picture.height) < 0.5
    assert picture.width > picture.height


@pytest.mark.parametrize(
    ("expected", "said", "share"),
    [
        ("WEIGHBRIDGE 4711", "WEIGHBRIDGE 4711", 1.0),
        ("WEIGHBRIDGE 4711", "The text is: weighbridge\n4711.", 1.0),
        ("WEIGHBRIDGE 4711", "WEIGHBRIDGE", 11 / 15),
        ("WEIGHBRIDGE 4711", "4711", 4 / 15),
        ("WEIGHBRIDGE 4711", "", 0.0),
        ("WEIGHBRIDGE 4711", "I cannot see it", 0.0),
        ("abcdef", "abXdef", 0.5),  # "ab" alone is chance
        ("ab", "xaby", 1.0),
        ("汉字 测试", "图中写着汉字测试", 1.0),
        ("", "anything", 0.0),
    ],
)
def test_the_share_of_text_read_is_that_worked_by_hand(
    expected: str, said: str, share: float
) -> None:
    assert vision.text_share(expected, said) == pytest.approx(share)


def test_the_picture_is_sent_as_a_data_url_and_judged_by_its_text() -> None:
    request = vision.build(phase(), 0, OPTIONS)
    assert isinstance(request.content, list)
    kind, data = request.content[1]["image_url"]["url"].split(",", 1)
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert request.judge is not None
    assert request.judge(Message(content=vision.TEXT)).check == "pass"
    assert request.judge(Message(content="no text", reasoning=vision.TEXT)).check == "fail"
    assert request.judge(Message()).check == "fail"


def test_an_own_image_is_sent_unchanged_and_judged_only_if_its_text_is_given(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.jpg"
    path.write_bytes(b"\xff\xd8 some bytes")
    request = vision.build(phase(), 0, replace(OPTIONS, image=str(path)))
    assert isinstance(request.content, list)
    assert request.content[1]["image_url"]["url"] == (
        "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8 some bytes").decode()
    )
    assert request.judge is None
    assert vision.build(phase(), 0, replace(OPTIONS, image=str(path), image_text="x")).judge


@pytest.mark.parametrize("name", ["missing.png", "notes.txt"])
def test_an_image_that_cannot_be_sent_is_one_sentence(name: str) -> None:
    with pytest.raises(OperatorError, match="--image"):
        vision.build(phase(), 0, replace(OPTIONS, image=name))


# ---- cache


def prefix(options: Options, block: str = "cache/m", index: int = 0) -> str:
    content = cache.build(phase(name=block), index, options).content
    assert isinstance(content, str)
    return content


def test_the_cache_prefix_is_the_same_in_every_request_of_a_phase() -> None:
    assert len({prefix(OPTIONS, index=i) for i in range(3)}) == 1


def test_the_cache_prefix_begins_differently_in_every_run_and_phase() -> None:
    texts = [
        prefix(OPTIONS),
        prefix(OPTIONS, block="cache/other"),
        prefix(replace(OPTIONS, run_id="another")),
    ]
    assert len({text[:20] for text in texts}) == 3


def test_without_a_nonce_the_cache_prefix_is_the_same_everywhere() -> None:
    bare = replace(OPTIONS, cache_nonce="none")
    assert prefix(bare) == prefix(replace(bare, run_id="another"), block="cache/other")


def test_an_own_cache_prefix_is_sent_in_full(tmp_path: Path) -> None:
    path = tmp_path / "prefix.txt"
    path.write_text("Ein längerer Text.", encoding="utf-8")
    options = replace(OPTIONS, prefix_file=str(path), cache_nonce="none")
    assert prefix(options).startswith("Ein längerer Text.\n\n")


@pytest.mark.parametrize("content", [None, b"\xff\xfe not utf-8"])
def test_a_prefix_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "prefix.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OperatorError, match="--prefix-file"):
        prefix(replace(OPTIONS, prefix_file=str(path)))


def content_of(scenario: str, name: str, index: int = 0, **options: Any) -> str:
    block = phase(name=name, scenario=scenario)
    return prefix_of(cache.build(block, index, replace(OPTIONS, **options)).content)


def prefix_of(content: Any) -> str:
    return content if isinstance(content, str) else str(content[0]["text"])


def test_the_two_requests_of_a_pair_share_a_prefix_with_no_other() -> None:
    texts = [content_of("pairs", "cache/pairs/m", index) for index in range(6)]
    assert texts[0::2] == texts[1::2] and len(set(texts)) == 3


@pytest.mark.parametrize("nonce", ["fresh", "none", "mine"])
def test_requests_of_gaps_share_a_prefix_and_plain_ones_share_none(nonce: str) -> None:
    gaps = {content_of("gap", f"cache/gap-{rest}/m", cache_nonce=nonce) for rest in (0, 1, 60)}
    plain = {content_of("plain", "cache/plain/m", index, cache_nonce=nonce) for index in range(3)}
    pairs = {content_of("pairs", "cache/pairs/m", index, cache_nonce=nonce) for index in range(4)}
    assert (len(gaps), len(plain), len(pairs)) == (1, 3, 2)
    assert len(gaps | plain | pairs | {content_of("cache", "cache/m", cache_nonce=nonce)}) == 7


def test_the_nonce_has_the_same_length_in_every_prefix() -> None:
    """Otherwise two prefixes would differ in tokens, and in cost."""
    assert (
        len({len(content_of("pairs", "cache/pairs/m", index)) for index in range(0, 200, 2)}) == 1
    )


@pytest.mark.parametrize("scenario", ["cache", "pairs", "gap"])
def test_cache_control_marks_only_the_prefix(scenario: str) -> None:
    request = cache.build(phase(scenario=scenario), 0, replace(OPTIONS, cache_control="ephemeral"))
    assert isinstance(request.content, list)
    marked, question = request.content
    assert marked["cache_control"] == {"type": "ephemeral"} and marked["text"].startswith("[")
    assert question == {"type": "text", "text": "Reply exactly: cached-ok"}


def test_a_plain_prompt_is_never_marked() -> None:
    request = cache.build(phase(scenario="plain"), 0, replace(OPTIONS, cache_control="ephemeral"))
    assert isinstance(request.content, str)


# ---- the seed's prompts


def test_prompts_of_the_seed_are_unchanged() -> None:
    assert marker(phase(), 7, OPTIONS).content == "Reply exactly: ok-7"
    words = " ".join(["NONELINEAR_TPM_EVAL_STATIC_TEXT"] * 666)
    assert padded(phase(), 7, OPTIONS).content == (
        "You are testing throughput. Read the following static text and reply exactly "
        f"with TPM-OK-7.\n\n{words}"
    )
    assert padded(phase(), 7, OPTIONS).marker == "TPM-OK-7"


@pytest.mark.parametrize("name", BUILDERS)
def test_every_builder_makes_a_body_that_is_json(name: str) -> None:
    first_wave = phase(name="compat/m/1")  # whose requests go by their phase's name
    request = BUILDERS[name](first_wave, 0, OPTIONS)
    assert json.loads(json.dumps({"content": request.content, **request.extra}))


def test_two_builders_of_the_same_request_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twin.py").write_text("BUILDERS = {'vision': None}\n", encoding="utf-8")
    monkeypatch.setattr(probes, "__path__", [*probes.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match="twin.py: 'vision' is built elsewhere already"):
        builders.discovered()
