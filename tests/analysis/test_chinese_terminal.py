"""What the terminal says of a run, in Chinese: `--lang zh`."""

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


def test_a_chinese_run_says_nothing_in_english(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its verdicts, table and report have no three English words in a row, and its columns stand
    under one another though a Chinese character is two wide."""
    asked = ("--mode", "smoke", "--model", "m,other", "--lang", "zh", "--loglevel", "WARNING")
    done = run("--simulator", "--simulator-profile", "fast", *asked, results=tmp_path)
    assert done.code == 0 and done.folder is not None, done.text
    assert "运行 smoke-" in done.text and "（SIMULATED 模拟运行）" in done.text
    assert not SENTENCE.search(done.text), done.text
    written = (done.folder / "report.md").read_text("utf-8")
    assert not SENTENCE.search(written), written
    capsys.readouterr()
    assert main(["summary", str(done.folder), "--lang", "zh"]) == 0
    told = capsys.readouterr().out.splitlines()
    place = next(index for index, line in enumerate(told) if line.startswith("阶段"))
    assert len({wide(line) for line in told[place:]}) == 1, told


@pytest.mark.parametrize(("lang", "said"), [
    ("en", "rpm/m/600 running, 1/10 answered, 0 failed, "),
    ("zh", "rpm/m/600 进行中，已应答 1/10，失败 0，"),
])  # fmt: skip
def test_progress_speaks_the_language_of_the_run(lang: str, said: str) -> None:
    options = Options(mode="rpm", model="m", target="600", duration=1.0, run_id="r")
    phase = plan(options).phases[0]
    tally = Tally(done=1, succeeded=1)
    progress = Progress({phase.name: tally}, "CNY", lang)
    assert progress.line(phase).startswith(said)
