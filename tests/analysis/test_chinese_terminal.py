"""The terminal's output under `--lang zh`."""

import re
import unicodedata
from pathlib import Path

import pytest

from analysis.__main__ import main
from engine.progress import Progress
from loadshapes.modes import plan
from recording.tally import Tally
from settings.options import Options
from tests.locust_run import run

SENTENCE = re.compile(r"[a-z]+(?: [a-z]+){2,}")


def wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def test_a_chinese_run_prints_no_english_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No three English words in a row, and columns aligned although a Chinese character is two
    wide.
    """
    arguments = ("--mode", "smoke", "--model", "m,other", "--lang", "zh", "--loglevel", "WARNING")
    completed = run("--simulator", "--simulator-profile", "fast", *arguments, results=tmp_path)
    assert completed.code == 0 and completed.folder is not None, completed.text
    assert "运行 smoke-" in completed.text and "（SIMULATED 模拟运行）" in completed.text
    assert not SENTENCE.search(completed.text), completed.text
    written = (completed.folder / "report.md").read_text("utf-8")
    assert not SENTENCE.search(written), written
    capsys.readouterr()
    assert main(["summary", str(completed.folder), "--lang", "zh"]) == 0
    printed = capsys.readouterr().out.splitlines()
    place = next(index for index, line in enumerate(printed) if line.startswith("阶段"))
    assert len({wide(line) for line in printed[place:]}) == 1, printed


@pytest.mark.parametrize(("lang", "said"), [
    ("en", "rpm/m/600 running, 1/10 answered, 0 failed, "),
    ("zh", "rpm/m/600 进行中，已应答 1/10，失败 0，"),
])  # fmt: skip
def test_progress_is_printed_in_the_language_of_the_run(lang: str, said: str) -> None:
    options = Options(mode="rpm", model="m", target="600", duration=1.0, run_id="r")
    phase = plan(options).phases[0]
    tally = Tally(done=1, succeeded=1)
    progress = Progress({phase.name: tally}, "CNY", lang)
    assert progress.line(phase).startswith(said)


@pytest.mark.parametrize(("resumed", "cost"), [
    (False, "cost so far 0.500000 CNY"),
    (True, "cost since the run was resumed 0.500000 CNY"),
])  # fmt: skip
def test_a_resumed_run_says_since_when_its_cost_counts(resumed: bool, cost: str) -> None:
    phase = plan(Options(mode="smoke", model="m", run_id="r")).phases[0]
    tally = Tally(done=1, succeeded=1, cost=0.5)
    progress = Progress({phase.name: tally}, "CNY", resumed=resumed)
    assert f"RPM, {cost}" in progress.line(phase, ended=True)
