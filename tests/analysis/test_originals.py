"""Replies given before or meant for another request are reported; healthy gateways are not."""

from pathlib import Path
from typing import Any

import pytest

from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.summary import Summary
from recording.record import RequestRecord
from settings.options import Options
from tasks.builders import build
from tests.analysis.runs import make, record
from tests.tasks.sending import phase


def remark_levels(folder: Path, rows: list[RequestRecord], **made: Any) -> list[tuple[str, str]]:
    remarks = Summary.of(look(load(make(folder, *rows, **made)))).verdicts
    words = ("given before", "another request", "prompt cache")
    return [(v.level, v.text) for v in remarks if any(word in v.text for word in words)]


def reply(index: int, name: int, text: str, created: int = 5, **known: Any) -> RequestRecord:
    right = text == f"ok-{index}"
    return record(index, completion_id=f"c{name}", completion_created=created, content=text,
                  marker_ok=right, **known)  # fmt: skip


def test_replayed_replies_are_bad_and_a_note_where_prompts_are_the_same(tmp_path: Path) -> None:
    """Five of ten requests get the reply of the first."""
    rows = [
        reply(i, 0 if i % 2 == 0 else i, "ok-0" if i % 2 == 0 else f"ok-{i}") for i in range(10)
    ]
    levels = remark_levels(tmp_path / "r", rows)
    assert [level for level, _ in levels] == ["bad", "bad"]  # they are another request's, too
    assert "4 replies had been given before" in levels[0][1]
    same_prompts = remark_levels(tmp_path / "s", rows, options={"same_prompts": True})
    assert same_prompts[-1][0] == "note"


@pytest.mark.parametrize("rows", [
    [reply(i, i, f"ok-{i}") for i in range(20)],
    [reply(i, 0, "Hello.") for i in range(20)],  # a lazy server: one id for all
    [reply(i, 0, f"ok-{i}") for i in range(20)],
    [reply(i, i % 5, "Hello.", created=i) for i in range(20)],  # ids come again, at other times
    [reply(i, i % 5, f"ok-{i}") for i in range(20)],  # ids come again, with other texts
    [reply(i, i, "ok-1") for i in (1, 10, 12, 19)],  # cut by its budget
    [reply(i, i, "ok-777") for i in range(20)],  # of nobody in this run
])  # fmt: skip
def test_repeated_ids_and_short_replies_are_no_replay(
    tmp_path: Path, rows: list[RequestRecord]
) -> None:
    assert remark_levels(tmp_path / "r", rows) == []


def test_one_reply_meant_for_another_request_is_a_note(tmp_path: Path) -> None:
    rows = [reply(i, i, f"ok-{i}" if i != 7 else "ok-3") for i in range(20)]
    ((level, text),) = remark_levels(tmp_path / "r", rows)
    assert level == "note" and "req-7" in text


def test_the_share_of_prompt_tokens_from_a_cache_is_a_note(tmp_path: Path) -> None:
    """But not in mode cache, which asks for it."""
    rows = [record(i, prompt_tokens=100, cached_tokens=25) for i in range(4)]
    ((level, text),) = remark_levels(tmp_path / "r", rows)
    assert level == "note" and "25% of the prompt tokens of gpt-5.4-nano" in text
    assert (
        remark_levels(tmp_path / "s", [record(0, mode="cache", prompt_tokens=9, cached_tokens=8)])
        == []
    )


@pytest.mark.parametrize("kind", ["marker", "padded"])
def test_every_request_of_every_run_has_a_prompt_with_its_own_beginning(kind: str) -> None:
    """Within the first 17 characters, and all of one length; --same-prompts keeps the seed's
    prompts.
    """
    block = phase(request=kind)
    prompts = [
        str(build(block, index, Options(run_id=run)).content)
        for run in ("a", "b") for index in range(100, 150)
    ]  # fmt: skip
    assert len({prompt[:17] for prompt in prompts}) == 100
    assert len({len(prompt) for prompt in prompts}) == 1
    assert all(prompt[0] == "[" and prompt[1:16].isdigit() for prompt in prompts)
    same = [build(block, 3, Options(run_id=run, same_prompts=True)).content for run in ("a", "b")]
    assert same[0] == same[1] and str(same[0]).startswith(("Reply exactly: ok-3", "You are"))
