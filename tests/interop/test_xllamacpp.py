"""llama.cpp's own server, with a tiny model of random weights: real inference, real cache.

The oracle is the server's own counters (/metrics), and the tokenizer, in which a token is a byte.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.servers import free_port, installed, needs_linux, serving
from tests.locust_run import run

VERSION = "2026.10.11549"
pytestmark = needs_linux


@pytest.fixture
def llama(tmp_path: Path) -> Iterator[str]:
    """The server's root URL."""
    packages = (f"xllamacpp=={VERSION}", "gguf==0.19.0")
    python = installed("xllamacpp", VERSION, *packages) / "python"
    port = free_port()
    script = str(Path(__file__).with_name("tiny_model.py"))
    command = [str(python), script, str(tmp_path / "tiny.gguf"), str(port)]
    with serving(command, port, tmp_path / "llama.log") as root:
        yield root


def counted(root: str) -> dict[str, float]:
    """The server's own counters: prompt tokens processed, tokens generated."""
    with urllib.request.urlopen(f"{root}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    return {n: float(v) for n, v in re.findall(r"^llamacpp:(\w+_total) ([\d.e+]+)$", text, re.M)}


@pytest.mark.long
def test_cached_tokens_are_those_of_the_server(llama: str, tmp_path: Path) -> None:
    """The same long prefix three times: run 1 is cold, and our sums equal the server's counters."""
    result = run(
        "-H", f"{llama}/v1", "--mode", "cache", "--model", "tiny", "--repeat", 3,
        "--prefix-tokens", 300, "--max-tokens", 4, results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    rows = result.rows()
    assert [row.outcome for row in rows] == ["ok"] * 3
    cached = [row.cached_tokens for row in rows]
    prompts = [row.prompt_tokens or 0 for row in rows]
    assert cached[0] == 0 and all((c or 0) > 0.9 * p for c, p in zip(cached[1:], prompts[1:],
                                                                     strict=True))  # fmt: skip
    truth = counted(llama)
    worked = sum(prompts) - sum(c or 0 for c in cached)
    assert truth["prompt_tokens_total"] == worked
    assert truth["tokens_predicted_total"] == sum(row.completion_tokens or 0 for row in rows)


def test_streams_of_bytes_count_as_the_server_counts(llama: str, tmp_path: Path) -> None:
    """Random bytes, mostly not UTF-8, arrive in pieces: every stream is complete and adds up."""
    result = run(
        "-H", f"{llama}/v1", "--mode", "ladder", "--model", "tiny", "--steps", "1,8",
        "--step-pause", 0, "--stream", "--same-prompts", "--max-tokens", 24,
        results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    rows = result.rows()
    assert len(rows) == 9
    assert {(row.outcome, row.cost_source, row.api_cost) for row in rows} == {
        ("ok", "unknown", None)
    }
    assert {row.finish_reason for row in rows} <= {"length", "stop"}
    assert all(row.prompt_tokens == len(f"Reply exactly: ok-{row.request_index}") + 2
               for row in rows)  # fmt: skip
    assert all(row.ttft_s and row.chunks and row.chunks <= (row.completion_tokens or 0)
               for row in rows)  # fmt: skip
    truth = counted(llama)
    assert truth["tokens_predicted_total"] == sum(row.completion_tokens or 0 for row in rows)


@pytest.mark.golden
def test_no_prompt_of_a_load_hits_its_cache(llama: str, tmp_path: Path) -> None:
    """A real prompt cache finds at most the template's first tokens, unless the prompts are to be
    the same; what we report as cached is what the server did not have to process."""
    shares, before = list[float](), 0.0
    for name, more in (("fresh", ()), ("same", ("--same-prompts",))):
        result = run(
            "-H", f"{llama}/v1", "--mode", "ladder", "--model", "tiny", "--steps", "1,2,3,4",
            "--step-pause", 0, "--max-tokens", 4, *more, results=tmp_path / name,
        )  # fmt: skip
        assert result.code == 0, result.text
        rows = result.rows()
        prompts = sum(row.prompt_tokens or 0 for row in rows)
        cached = sum(row.cached_tokens or 0 for row in rows)
        worked = counted(llama)["prompt_tokens_total"]
        assert len(rows) == 10 and worked - before == prompts - cached
        before = worked
        shares.append(cached / prompts)
    print(shares)
    assert shares[0] < 0.2 < 0.5 < shares[1]


FROZEN = {
    "stream.usage": "works", "max_tokens": "works", "max_completion_tokens": "works",
    "seed": "works", "temperature": "works", "top_p": "works", "logprobs": "works",
    "tool.none": "works", "cache.prompt": "works", "cache.key": "works",
    "fields.accepted": "works", "error.field": "works",
    "n": "refused", "file.pdf": "refused",  # n: between 1 and 1
    "image.data": "broken",  # HTTP 500: image input is not supported
    "models.list": "wrong",  # it lists the file's name, and answers to any
    "error.model": "wrong",  # a model that does not exist is accepted
    "error.value": "ignored",  # temperature 5
}  # fmt: skip
"""What the server does whatever its weights are; seen alike in every run."""
BY_WEIGHTS = ("unicode", "json.object", "json.schema", "json.schema.deep", "json.schema.stream")
"""Random weights write bytes that are no text, and grammars that they cannot follow."""


@pytest.mark.golden
def test_the_compatibility_table_of_the_server_is_unchanged(llama: str, tmp_path: Path) -> None:
    """A frozen table. What only a capable model could show is unsure, not an accusation."""
    result = run("-H", f"{llama}/v1", "--mode", "compat", "--model", "tiny", "--auth", "none",
               results=tmp_path / "results")  # fmt: skip
    assert result.code == 0 and result.folder is not None, result.text
    cells = json.loads((result.folder / "compat.json").read_text(encoding="utf-8"))["cells"]
    verdict_of = {cell["check"]: cell["verdict"] for cell in cells}
    assert {check: verdict_of[check] for check in FROZEN} == FROZEN
    others = {v for check, v in verdict_of.items() if check not in (*FROZEN, *BY_WEIGHTS)}
    assert others <= {"unsure", "not tried", "works"}, verdict_of
