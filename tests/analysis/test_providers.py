"""Routers:

other prices of other providers are never called double charges; doubles within one are.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.numbers.charges import READ, within
from analysis.numbers.outliers import outliers
from analysis.numbers.providers import MOST, names
from analysis.page import markdown
from analysis.page.words import Words
from analysis.reading.load import load
from analysis.report import report
from analysis.report.run_checks import judge
from analysis.report.verdicts.charges import remarks
from analysis.report.view import View
from recording.record import RequestRecord
from tests.analysis.runs import make, probe, record

PRICE = 0.0000767


def run(
    dice: np.random.Generator, providers: list[tuple[str | None, float]], count: int, **known: Any
) -> list[RequestRecord]:
    """Equal requests, each at random to one of the providers (name, price factor)."""
    weights = dice.dirichlet(np.full(len(providers), 3.0))
    picked = dice.choice(len(providers), count, p=weights)
    return [
        record(i, api_cost=round(PRICE * providers[at][1], 9), provider=providers[at][0], **known)
        for i, at in enumerate(picked)
    ]


def routers() -> Iterator[tuple[str, list[tuple[str | None, float]], dict[str, Any]]]:
    """Runs as of routers:

    named, partly named, or unnamed behind a catalogue's model or a known host.
    """
    dice = np.random.default_rng(14)
    for _ in range(200):
        count = int(dice.integers(2, 4))
        ratios = [1.0, *dice.choice([2.0, 3.0, 1.7, 4.0, 1.5, 2.0], count - 1).tolist()]
        kind = str(dice.choice(["named", "partly", "model", "host", "itself"]))
        names: list[str | None] = ["Alpha", "Beta", "Gamma"][:count]
        if kind == "partly":
            names = [name if i == 0 else None for i, name in enumerate(names)]
        elif kind in ("model", "host"):
            names = [None] * count
        elif kind == "itself":
            names = ["OpenRouter"] * count
        known = {"model_requested": "vendor/m", "model_returned": "m"} if kind == "model" else {}
        yield kind, list(zip(names, ratios, strict=True)), known


@pytest.mark.slow
def test_no_router_run_gets_a_bad_verdict(tmp_path: Path) -> None:
    dice = np.random.default_rng(15)
    noted = 0
    for place, (kind, providers, known) in enumerate(routers()):
        rows = run(dice, providers, int(dice.integers(20, 300)), **known)
        host = "https://openrouter.ai/api/v1" if kind == "host" else "http://gateway.example/v1"
        folder = make(tmp_path / f"{place}", *rows, gateway={"base_url": host})
        router_remarks = remarks(View.of(load(folder), [], Words("en")))
        assert [one.level for one in router_remarks if one.level == "bad"] == [], (kind, providers)
        noted += bool(router_remarks)
    assert noted > 150  # what was seen is said, with the alternatives


@pytest.mark.parametrize("known", [{"provider": "Alpha"}, {"provider": None}])
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_double_charges_within_one_provider_or_a_plain_gateway_are_bad(
    tmp_path: Path, known: dict[str, Any], share: float
) -> None:
    dice = np.random.default_rng(16)
    rows = [record(i, api_cost=PRICE * (1 + int(dice.random() < share)), **known)
            for i in range(200)]  # fmt: skip
    (remark,) = remarks(report.look(load(make(tmp_path / "r", *rows))))
    assert remark.level == "bad" and "each a whole multiple" in remark.text
    assert ("Alpha" in remark.text) == bool(known["provider"])


def test_double_charges_of_one_provider_are_counted_beside_an_honest_dearer_one() -> None:
    dice = np.random.default_rng(17)
    rows = []
    for i in range(400):
        name, factor = ("Alpha", 1.0) if dice.random() < 0.5 else ("Beta", 2.0)
        if name == "Beta" and dice.random() < 0.1:
            factor = 4.0
        rows.append(record(i, api_cost=PRICE * factor, provider=name))
    by_provider = within(pd.DataFrame([asdict(r) for r in rows])[list(READ)])
    assert by_provider["Alpha"].rows == 0
    assert by_provider["Beta"].rows == by_provider["Beta"].multiples == sum(
        row.api_cost == PRICE * 4 for row in rows
    )  # fmt: skip


def test_the_note_on_equal_usage_names_other_explanations(tmp_path: Path) -> None:
    dice = np.random.default_rng(18)
    named = run(dice, [("Alpha", 1.0), ("Beta", 2.0)], 200)
    (note,) = remarks(report.look(load(make(tmp_path / "named", *named))))
    assert note.level == "note" and "Providers with different prices answered" in note.text
    mute = run(dice, [(None, 1.0), (None, 2.0)], 200, model_requested="vendor/m")
    (note,) = remarks(report.look(load(make(tmp_path / "mute", *mute))))
    assert note.level == "note" and "answered by another provider with such a price" in note.text


def test_a_provider_column_with_a_value_per_request_is_ignored(tmp_path: Path) -> None:
    """For instance a pod's address in x-upstream: nothing can be compared by it."""
    many = pd.Series([f"10.0.{i}" for i in range(MOST + 1)])
    assert set(names(many)) == {""}
    dice = np.random.default_rng(19)
    rows = [record(i, api_cost=PRICE * (1 + int(dice.random() < 0.3)), provider=f"10.0.{i}")
            for i in range(300)]  # fmt: skip
    view = report.look(load(make(tmp_path / "r", *rows)))
    assert [one.level for one in remarks(view)] == ["note"]
    assert "| Provider |" not in markdown.render(report.compose(view))


def test_the_report_lists_costs_by_provider_only_where_there_are_two(tmp_path: Path) -> None:
    dice = np.random.default_rng(20)
    two = report.look(load(make(tmp_path / "2", *run(dice, [("Alpha", 1), ("Beta", 2)], 50))))
    text = markdown.render(report.compose(two))
    assert "| Provider |" in text and "| Alpha |" in text and "| Beta |" in text
    single = report.look(load(make(tmp_path / "1", *run(dice, [("Alpha", 1)], 50))))
    assert "| Provider |" not in markdown.render(report.compose(single))


def test_an_expensive_provider_is_no_cost_outlier() -> None:
    rows = [record(i, api_cost=PRICE * (10 if i % 5 == 0 else 1) * (1 + i % 7 / 10),
                   completion_tokens=60 + i % 7 * 6, prompt_tokens=120 + i % 7 * 12,
                   provider="Beta" if i % 5 == 0 else "Alpha") for i in range(200)]  # fmt: skip
    frame = pd.DataFrame([asdict(row) for row in rows])
    assert outliers(frame) == []
    assert outliers(frame.assign(provider=None)) != []


@pytest.mark.parametrize(
    ("plain", "stream", "grave"),
    [("Alpha", "Alpha", True), (None, None, True), ("Alpha", "Beta", False),
     ("Alpha", None, False), ("OpenRouter", "OpenRouter", False)],
)  # fmt: skip
def test_a_stream_that_differs_is_a_note_where_another_provider_may_have_served_it(
    tmp_path: Path, plain: str | None, stream: str | None, grave: bool
) -> None:
    """For prompt tokens and costs alike; with one known provider, or without providers, it is
    bad.
    """
    name: Any = {"model_returned": "m", "prompt_tokens": 9}
    rows = [
        probe("smoke", "m", phase="smoke/m", scenario="chat", provider=plain, api_cost=0.0001,
              **name),
        probe("smoke", "m", phase="smoke/stream/m", stream=True, scenario="stream", ttft_s=1.0,
              provider=stream, api_cost=0.01, **(name | {"prompt_tokens": 2009})),
    ]  # fmt: skip
    view = report.look(load(make(tmp_path / "r", *rows)))
    grave_by_flag = {one.flag: one.grave for one in view.differences}
    assert grave_by_flag["usage_stream_differs"] is grave
    assert all(one is grave for one in grave_by_flag.values())
    text = markdown.render(report.compose(view))
    assert ("two providers answered" in text) is not grave
    assert any(check.verdict == "failed" for check in judge(view, ())) is grave
