"""Mode compat before anything is sent: its bound, and what cannot be run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadshapes import modes
from recording.errors import OperatorError
from settings.options import Options

BASE = Options(mode="compat", model="gpt-5.4-nano", run_id="r", task_id_prefix="p")
PRICES = """
currency = "CNY"
[models."gpt-*"]
input = 1.0
output = 8.0
"""
REQUIRED = '[[require]]\nmodels = ["gpt-*"]\nfeatures = ["stop"]\n'


def outlook(**more: Any) -> str:
    return modes.plan(replace(BASE, **more)).outlook


def test_the_bound_is_told_for_each_model(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES, encoding="utf-8")
    told = outlook(prices=str(prices), model="gpt-5.4-nano,text-embedding-3-small")
    nano, embeds = told.split("; text-")
    assert nano.startswith("gpt-5.4-nano: 96 requests and at most 30,")
    assert nano.count("tokens and ") == 3 and " CNY" in nano
    assert "embedding-3-small: 9 requests" in embeds or "requests" in embeds


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"model": ""}, "--model is missing"),
        ({"checks": "stops"}, "names no check of ours, 'stops'"),
        ({"no_content": True}, "leave it out"),
        ({"require": "nowhere.toml"}, "cannot be read"),
        ({"prices": "nowhere.toml"}, "cannot be read"),
    ],
)
def test_what_cannot_be_run_is_told_before(more: dict[str, Any], said: str) -> None:
    with pytest.raises(OperatorError, match=said):
        modes.plan(replace(BASE, **more))


def test_a_list_that_fits_no_model_of_the_run_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "compat.toml"
    path.write_text(REQUIRED, encoding="utf-8")
    modes.plan(replace(BASE, require=str(path)))
    with pytest.raises(OperatorError, match="requires nothing of claude"):
        modes.plan(replace(BASE, model="claude", require=str(path)))
