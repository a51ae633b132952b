"""Mode identity through a relay of a few lines that hands a share of requests to another model."""

from pathlib import Path

import pytest

from identity.looks import Verdict
from tests.e2e.mixing_proxy import mixing
from tests.e2e.test_identity import HONEST, MODEL, asked, enrol, found
from tests.locust_run import run
from tests.simulated import Simulator


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("enrolled")
    done, _ = asked(folder / "run", HONEST, "--enrol", "--no-content")
    assert done.folder is not None and enrol(done.folder, folder / "r.json").returncode == 0
    return folder / "r.json"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "verdicts"),
    [
        (0.0, {Verdict.NOT_SHOWN}),
        (0.05, {Verdict.NOT_SHOWN, Verdict.DIFFERS}),
        (0.2, {Verdict.DIFFERS}),
        (0.35, {Verdict.DIFFERS}),
        (1.0, {Verdict.DIFFERS}),
    ],
)
def test_the_share_that_another_model_answers_is_what_its_own_log_says(
    tmp_path: Path, reference: Path, share: float, verdicts: set[Verdict]
) -> None:
    """Families that no profile knows together; the verdict goes by how many the other answered."""
    ours, theirs = tmp_path / "ours.toml", tmp_path / "theirs.toml"
    ours.write_text(HONEST)
    theirs.write_text(HONEST.replace("weights = 1", "weights = 7"))
    claimed = Simulator(tmp_path / "claimed.csv", "--profile", ours, "--seed", 5)
    other = Simulator(tmp_path / "other.csv", "--profile", theirs, "--seed", 6)
    try:
        with mixing(claimed.url, other.url, share) as relay:
            options = ("--mode", "identity", "--model", MODEL, "--reference", reference)
            result = run("-H", relay, *options, results=tmp_path / "r")
        one, elsewhere = found(result), len(other.rows())
        assert len(claimed.rows()) + elsewhere == len(result.rows())
    finally:
        claimed.stop()
        other.stop()
    assert one.audit is not None and one.audit.verdict in verdicts
    assert abs(elsewhere / len(result.rows()) - share) < 0.08
    if share == 1.0:
        assert one.audited.requests == 96, "at the first look"
