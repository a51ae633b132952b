"""The upper bound that a dry run of mode billing states, against tokenizers and a server's log."""

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
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": 5, "n": 3}
    upper = bound.of_body(body)
    for name in ("o200k_base", "cl100k_base"):
        assert len(bpe_openai.get_encoding(name).encode(text)) + 7 <= upper.prompt_tokens
    assert upper.output_tokens == 15


@pytest.mark.parametrize(
    ("change", "output"),
    [
        ({}, 16),
        ({"n": 2}, 32),
        ({"max_completion_tokens": 40}, 40),
        ({"max_tokens": None}, None),
    ],
)
def test_the_output_bound_is_max_tokens_times_the_replies(
    change: dict[str, int | None], output: int | None
) -> None:
    body = {"messages": [], "max_tokens": 16} | change
    assert bound.of_body(body).output_tokens == output


def test_a_picture_counts_its_tiles_and_an_unknown_one_the_largest_number() -> None:
    from tasks.probes.vision import data_url

    assert bound.tiles(data_url("")) == 2
    assert bound.tiles("https://x/y.png") == bound.tiles("data:image/webp;base64,AAAA") == 8
    unknown = {
        "messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]
    }
    assert bound.of_body(unknown).prompt_tokens > 2_833 + 8 * 5_667


def test_the_dry_run_states_an_upper_bound() -> None:
    prices = Prices({"*": Price(input=1.0, output=4.0, decimals=6)}, "CNY")
    estimated = estimate(plan(OPTIONS), OPTIONS, prices)
    assert estimated.startswith("66 requests, at most ") and " CNY by the price table" in estimated
    assert "about" not in estimated.partition(" output tokens")[0]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gpt-5.4-nano", "o3-thinker"])
def test_the_tokens_a_server_counts_stay_within_the_bound(tmp_path: Path, model: str) -> None:
    """Case by case and in sum: Han text, pictures, tools, two replies, reasoning."""
    (tmp_path / "p.toml").write_text(
        "any_model = true\n[latency]\nfixed_s = 0.0\n[prices]\ninput = 1.0\noutput = 4.0\n"
        "[reply]\ntokens = 5000\n[tokens]\nper_image = 5667\nper_tool_prompt = 340\n"
        + ("[reasoning]\ntokens = 300\n" if model == "o3-thinker" else "")
    )
    gateway = Simulator(tmp_path / "log.csv", "--profile", tmp_path / "p.toml")
    try:
        completed = run(
            "-H", gateway.url, "--mode", "billing", "--model", model, results=tmp_path / "r"
        )  # fmt: skip
        logged = gateway.rows()
    finally:
        gateway.stop()
    assert completed.code == 0, completed.text
    options = Options(mode="billing", model=model)
    cases = {row.task_id: row.scenario for row in completed.rows()}
    for phase in plan(options).phases:
        most = bound.of_phase(phase, options)
        mine = [row for row in logged if cases[row["task_id"]] == phase.scenario]
        assert sum(int(row["prompt_tokens"] or 0) for row in mine) <= most.prompt_tokens
        assert sum(int(row["completion_tokens"] or 0) for row in mine) <= (most.output_tokens or 0)
    stated = re.search(r"at most ([\d,]+) prompt tokens.*at most ([\d,]+) output", completed.text)
    assert stated is not None, "the run says the same before it begins"
    prompt, output = (int(number.replace(",", "")) for number in stated.groups())
    assert sum(int(row["prompt_tokens"] or 0) for row in logged) <= prompt
    assert sum(int(row["completion_tokens"] or 0) for row in logged) <= output
