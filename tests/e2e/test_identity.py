"""Mode identity on a simulator whose weights, counts and shares are known."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.reading.load import load
from analysis.report.report import look
from analysis.report.sections import identity
from identity.counting import Kind
from identity.looks import Verdict
from tests.locust_run import ROOT, LocustRun, run
from tests.simulated import Simulator

PROFILE = """
any_model = true
[latency]
fixed_s = 0.0
[prices]
input = 1.4
output = 4.0
{more}
[answers]
weights = 1
"""
HONEST = PROFILE.format(more="")
MODEL = "gpt-4o"


def asked(
    folder: Path, profile: str, *options: object, faults: str = ""
) -> tuple[LocustRun, list[dict[str, str]]]:
    """A run of the mode against a simulator of a profile, and the simulator's own log."""
    folder.mkdir()
    (folder / "p.toml").write_text(profile)
    gateway = Simulator(folder / "log.csv", "--profile", folder / "p.toml",
                        *(("--fault", faults) if faults else ()))  # fmt: skip
    try:
        done = run("-H", gateway.url, "--mode", "identity", "--model", MODEL, *options,
                   results=folder / "r")  # fmt: skip
        return done, gateway.rows()
    finally:
        gateway.stop()


def enrol(folder: Path, output: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis", "enrol", folder, "--output", output],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the honest simulator, made with --no-content."""
    folder = tmp_path_factory.mktemp("enrolled")
    done, logged = asked(folder / "run", HONEST, "--enrol", "--no-content")
    assert done.code == 0 and done.folder is not None, done.text
    assert len(done.rows()) == len(logged) == 14 + 600 + 960
    assert not any(row.content for row in done.rows())
    made = enrol(done.folder, folder / "reference.json")
    assert made.returncode == 0, made.stderr
    return folder / "reference.json"


def found(done: LocustRun) -> identity.Identity:
    assert done.code == 0 and done.folder is not None, done.text
    view = look(load(done.folder))
    (one,) = identity.numbers(view, identity.reference_of(view))
    return one


@pytest.mark.slow
def test_the_reference_is_of_the_answers_that_did_not_choose_it(reference: Path) -> None:
    cells = json.loads(reference.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        assert sum(cell["first"].values()) + sum(cell["second"].values()) == 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "profile", "faults", "verdict"),
    [
        ("honest", HONEST, "", Verdict.NOT_SHOWN),
        ("busy", HONEST, "error_503=0.05", Verdict.NOT_SHOWN),
        ("response cache", HONEST, "response_cache=1.0", Verdict.NOT_SHOWN),
        ("part", HONEST + "other = 2\nshare = 0.15\n", "", Verdict.DIFFERS),
        ("other", HONEST.replace("weights = 1", "weights = 2"), "", Verdict.DIFFERS),
    ],
)  # fmt: skip
def test_who_answers(
    tmp_path: Path, reference: Path, name: str, profile: str, faults: str,
    verdict: Verdict,
) -> None:  # fmt: skip
    """Each request is in the gateway's own log; another model is found in the first look."""
    done, logged = asked(tmp_path / name, profile, "--reference", reference, faults=faults)
    one = found(done)
    assert one.audit is not None and one.audit.verdict is verdict
    assert len(done.rows()) == len(logged) == one.audited.requests + one.counted.requests
    assert one.audited.cost is not None and one.counted.cost is not None
    charged = sum(float(row["billed"] or 0) for row in logged)
    assert one.audited.cost + one.counted.cost == pytest.approx(charged)
    if name == "other":
        assert one.audited.requests == 96


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "kind", "verdict"),
    [
        ("[billing]\ninflate = 1.1", Kind.INFLATED, Verdict.DIFFERS),
        ("[tokens]\ncl100k = true", Kind.OTHER, Verdict.DIFFERS),
        ("[billing]\nhidden_prompt_tokens = 4170", Kind.CLAIMED, Verdict.NOT_SHOWN),
        ("[billing]\nhidden_prompt_tokens = 50\nhidden_prompt_spread = 3", Kind.VARIES,
         Verdict.NOT_ENOUGH),
    ],
)  # fmt: skip
def test_who_counts(tmp_path: Path, more: str, kind: Kind, verdict: Verdict) -> None:
    done, logged = asked(tmp_path / "run", PROFILE.format(more=more))
    one = found(done)
    assert (one.counting.kind, one.counting.verdict) == (kind, verdict)
    assert len(logged) == one.counted.requests == 14
    if "4170" in more:
        assert one.counting.unsent == 4170 - 1  # the simulator's chat format is a token shorter


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reference", "nowhere.json"), "cannot be read"),
        (("--max-tokens", "5"), "leave out --max-tokens"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = run("--simulator", "--mode", "identity", "--model", MODEL, *options, results=tmp_path)
    assert done.code == 2 and said in done.text and done.folder is None
