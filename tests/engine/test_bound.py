"""What a dry run of mode billing says is an upper bound: by tokenizers, and by a server's log."""

import re
from pathlib import Path

import bpe_openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import bound
from engine.estimate import estimate
from loadshapes.modes import plan
from rules.prices import Price, Prices
from settings.options import Options
from tests.locust_run import run
from tests.simulated import Simulator

OPTIONS = Options(mode="billing", model="gpt-5.4-nano", run_id="r", task_id_prefix="r")


@given(st.text(max_size=300))
def test_no_text_makes_more_tokens_than_it_has_bytes(text: str) -> None:
    """By two tokenizers that are not ours; Han text and emoji above all."""
    asked = {"messages": [{"role": "user", "content": text}], "max_tokens": 5, "n": 3}
    found = bound.of_body(asked)
    for name in ("o200k_base", "cl100k_base"):
        assert len(bpe_openai.get_encoding(name).encode(text)) + 7 <= found.prompt_tokens
    assert found.output_tokens == 15


@pytest.mark.parametrize(
    ("change", "output"),
    [
        ({}, 16),
        ({"n": 2}, 32),
        ({"max_completion_tokens": 40}, 40),
        ({"max_tokens": None}, None),
    ],
)
def test_every_reply_has_its_budget(change: dict[str, int | None], output: int | None) -> None:
    asked = {"messages": [], "max_tokens": 16} | change
    assert bound.of_body(asked).output_tokens == output


def test_a_picture_is_as_dear_as_its_tiles_and_an_unknown_one_as_the_largest() -> None:
    from tasks.probes.vision import data_url

    assert bound.tiles(data_url("")) == 2
    assert bound.tiles("https://x/y.png") == bound.tiles("data:image/webp;base64,AAAA") == 8
    asked = {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]}
    assert bound.of_body(asked).prompt_tokens > 2_833 + 8 * 5_667


def test_the_dry_run_says_at_most() -> None:
    prices = Prices({"*": Price(input=1.0, output=4.0, decimals=6)}, "CNY")
    said = estimate(plan(OPTIONS), OPTIONS, prices)
    assert said.startswith("66 requests, at most ") and " CNY by the price table" in said
    assert "about" not in said.partition(" output tokens")[0]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gpt-5.4-nano", "o3-thinker"])
def test_the_log_of_a_server_stays_within_it(tmp_path: Path, model: str) -> None:
    """Case by case and in all: Han text, pictures, tools, two replies, reasoning."""
    (tmp_path / "p.toml").write_text(
        "any_model = true\n[latency]\nfixed_s = 0.0\n[prices]\ninput = 1.0\noutput = 4.0\n"
        "[reply]\ntokens = 5000\n[tokens]\nper_image = 5667\nper_tool_prompt = 340\n"
        + ("[reasoning]\ntokens = 300\n" if model == "o3-thinker" else "")
    )
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    try:
        done = run(
            "-H", gateway.url, "--mode", "billing", "--model", model, results=tmp_path / "r"
        )  # fmt: skip
        logged = gateway.rows()
    finally:
        gateway.stop()
    assert done.code == 0, done.text
    options = Options(mode="billing", model=model)
    cases = {row.task_id: row.scenario for row in done.rows()}
    for phase in plan(options).phases:
        most = bound.of_phase(phase, options)
        mine = [row for row in logged if cases[row["task_id"]] == phase.scenario]
        assert sum(int(row["prompt_tokens"] or 0) for row in mine) <= most.prompt_tokens
        assert sum(int(row["completion_tokens"] or 0) for row in mine) <= (most.output_tokens or 0)
    said = re.search(r"at most ([\d,]+) prompt tokens.*at most ([\d,]+) output", done.text)
    assert said is not None, "the run says the same before it begins"
    prompt, output = (int(number.replace(",", "")) for number in said.groups())
    assert sum(int(row["prompt_tokens"] or 0) for row in logged) <= prompt
    assert sum(int(row["completion_tokens"] or 0) for row in logged) <= output
