"""compat.json and compat.toml: their content, what is refused, what changed."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compat.attribution import Cause
from compat.cells import SCHEMA, Cell, CellsError, as_json, from_json, worst
from compat.changes import changes
from compat.needs import as_toml, needs
from compat.own_in_traffic import own_of
from compat.registry import BY_ID, CHECKS
from compat.required import judge, load, parse, unmatched
from compat.verdict import SYMBOLS, Verdict
from recording.errors import OperatorError
from tests.compat.test_healthy import CHAT

CELLS = [
    Cell("stop", "m-1", Verdict.WORKS, sent=2),
    Cell("n", "m-1", Verdict.REFUSED, evidence="HTTP 400: 'n'", request_id="r", cost=0.1,
         status=400, sent=4, cause=Cause.MODEL),
    Cell("n", "m-1", Verdict.REFUSED, arm="direct"),
    Cell("tool.loop", "m-1", Verdict.UNSURE),
]  # fmt: skip


def test_cells_come_back_as_they_were_and_fit_the_schema() -> None:
    content = json.loads(json.dumps(as_json(CELLS)))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(content, SCHEMA)
    assert from_json(content) == CELLS
    content["cells"][0]["of a later version"] = 1
    assert from_json(content) == CELLS
    assert worst(CELLS) is Verdict.REFUSED


@pytest.mark.parametrize("content", [
    None, {}, {"cells": 1}, {"cells": [1]}, {"cells": [{"check": "n"}]},
    {"cells": [{"check": "n", "model": "m", "verdict": "perfect"}]},
    {"cells": [{"check": "n", "model": "m", "verdict": "works", "cost": "1"}]},
])  # fmt: skip
def test_an_invalid_compat_json_is_refused_with_a_reason(content: Any) -> None:
    with pytest.raises(CellsError):
        from_json(content)


def test_every_check_has_words_in_both_languages() -> None:
    for check in CHECKS:
        for verdict in Verdict:
            words = check.in_code(verdict)
            if verdict is Verdict.WORKS:
                assert words is None
                continue
            assert words is not None and words.en and not words.zh.isascii(), (check.id, verdict)
        assert check.title.en and check.title.zh
        assert set(check.needs) <= set(BY_ID)
    assert set(SYMBOLS) == set(Verdict) and len(set(SYMBOLS.values())) == len(Verdict)


def test_changes_are_listed_and_only_an_observed_failure_is_a_regression() -> None:
    after = [Cell("stop", "m-1", Verdict.IGNORED), Cell("n", "m-1", Verdict.REFUSED),
             Cell("tool.loop", "m-1", Verdict.WORKS),
             Cell("seed", "m-1", Verdict.WORKS)]  # fmt: skip
    by_cell = {(c.cell.check, c.cell.arm): c for c in changes(CELLS, after)}
    assert set(by_cell) == {("stop", ""), ("tool.loop", ""), ("seed", ""), ("n", "direct")}
    assert [c.regression for c in by_cell.values()] == [True, False, False, False]
    assert not by_cell["stop", ""].doubtful and by_cell["tool.loop", ""].doubtful
    assert not changes(CELLS, CELLS)


FILE = """
[[require]]
models = ["m-*"]
features = ["stop", "tool.loop", "seed"]
allow = { "n" = ["refused"] }
[[require]]
models = ["other"]
features = ["chat.plain"]
"""


def test_required_cells_and_what_is_allowed() -> None:
    """Unknown cells fail: those that are unsure, and those that the run lacks."""
    required = parse(tomllib.loads(FILE))
    passes = {cell.check: cell.passes for cell in judge(required, CELLS, ["m-1"])}
    assert passes == {"stop": True, "tool.loop": False, "seed": False, "n": True}
    assert unmatched(required, ["m-1"]) == ["other"]


@pytest.mark.parametrize(("text", "said"), [
    ("", "requires nothing"), ("x = 1", "unknown key 'x'"),
    ('[[require]]\nfeatures = ["stop"]', "no models"),
    ('[[require]]\nmodels = ["m"]', "no features"),
    ('[[require]]\nmodels = ["m"]\nfeatures = ["stops"]', "did you mean stop"),
    ('[[require]]\nmodels = ["m"]\nfeatures = ["stop"]\nallow = { xyz = ["refused"] }', "'xyz'"),
    ('[[require]]\nmodels = ["m"]\nfeatures = ["stop"]\nallow = { n = ["fine"] }', "may list"),
    ('[[require]]\nmodels = ["m"]\nfeatures = ["stop"]\nfeature = ["n"]', "unknown key 'feature'"),
    ('[[require]]\nmodels = ["m"]\nfeatures = ["stop"]\n[tools]\nfile = 1', "names no file"),
    ("[[require", "is not valid TOML"),
])  # fmt: skip
def test_a_compat_toml_with_a_mistake_is_refused_in_one_sentence(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "compat.toml"
    path.write_text(text)
    with pytest.raises(OperatorError, match="compat.toml") as caught:
        load(path)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(OperatorError, match="cannot be read"):
        load(tmp_path / "none.toml")


# ---- needs


@pytest.mark.parametrize("name", [c.id for c in CHECKS if c.surface == "chat"])
def test_a_checks_own_requests_need_the_check(name: str) -> None:
    """Each check that can be recognised in a body is recognised in its own bodies."""
    hidden = {"stream.increments", "models.list", "reasoning.apart", "cache.prompt", "cache.key",
              "error.key", "error.field", "error.value", "error.context", "cancel", "tool.loop",
              "tool.parallel", "tool.parallel.stream"}  # fmt: skip
    if name in hidden:
        return
    bodies = [ask.body for ask in BY_ID[name].asks(CHAT) if ask.body is not None]
    assert name in {feature for features in needs(bodies).values() for feature in features}


def test_an_applications_traffic_becomes_a_list_that_is_read_back() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {}}}}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call, {**call, "id": "d"}]}
    bodies: list[dict[str, Any]] = [
        {"model": 'g"5', "messages": [{"role": "user", "content": "hi"}], "stop": ["x"]},
        {"model": "a", "stream": True, "tools": [tool],
         "messages": [{"role": "user", "content": "hi"}, turn,
                      {"role": "tool", "tool_call_id": "c", "content": "1"}]},
        {"model": "text-embedding", "input": ["a", "b"], "dimensions": 8},
        {"model": "g", "input": "hi", "stream": True},
    ]  # fmt: skip
    by_model = needs(bodies)
    assert by_model['g"5'] == ["chat.plain", "stop", "error.model"]
    assert set(by_model["a"]) == {"chat.stream", "tool.auto", "tool.parallel.stream", "tool.loop",
                               "error.model", "own.tool.stream.f"}  # fmt: skip
    assert by_model["text-embedding"] == [
        "embeddings.plain", "embeddings.dimensions", "embeddings.batch",
    ]  # fmt: skip
    assert by_model["g"] == ["responses.plain", "responses.stream"]
    required = parse(tomllib.loads(as_toml(by_model, definitions=own_of(bodies))))
    assert set(required.of('g"5')) == set(by_model['g"5'])
    assert needs([{"messages": 3}, {"model": None, "tools": "x", "messages": [1]}])
