"""Mode identity through a relay of a few lines that hands a share of requests to another model."""

from pathlib import Path

import pytest

from identity.looks import Verdict
from tests.e2e.mixing_proxy import Turn, mixing, relaying
from tests.e2e.test_identity import HONEST, MODEL, asked, enrol, found
from tests.locust_run import CANARY, environment, run
from tests.simulated import Simulator


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("enrolled")
    result, _ = asked(folder / "run", HONEST, "--enrol", "--no-content")
    assert result.folder is not None and enrol(result.folder, folder / "r.json").returncode == 0
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


BEFORE_LOOKS = 24 + 2 + 16 + 180 + 600 + 60 + 192
"""Requests of both routes before the looks: repeated texts, settings, choosing, log-probabilities
and seeds."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("after", "substituted", "verdict"),
    [
        (BEFORE_LOOKS - 900, False, Verdict.NOT_SHOWN),
        (BEFORE_LOOKS + 150, False, Verdict.NOT_SHOWN),
        (BEFORE_LOOKS + 960, False, Verdict.NOT_SHOWN),
        (BEFORE_LOOKS + 100, True, Verdict.DIFFERS),
    ],
)
def test_an_upstream_of_both_routes_that_changes_its_model_is_not_held_against_the_gateway(
    tmp_path: Path, after: int, substituted: bool, verdict: Verdict
) -> None:
    """It changes while questions are chosen, early and half-way in the looks. A gateway that has
    answers from elsewhere all the time is found all the same."""
    simulators = []
    for weights in (1, 2, 3):
        profile = tmp_path / f"{weights}.toml"
        profile.write_text(HONEST.replace("weights = 1", f"weights = {weights}"))
        simulators.append(Simulator(tmp_path / f"{weights}.csv", "--profile", profile))
    early, late, other = simulators
    turn = Turn(after)
    try:
        with (
            relaying(early.url, late.url, turn) as vendor,
            relaying(early.url, late.url, turn) as gateway,
        ):
            result = run(
                "-H", other.url if substituted else gateway, "--mode", "identity", "--model",
                MODEL, "--against", "vendor", "--no-content", "--seed", after,
                env=environment(VENDOR_BASE_URL=vendor, VENDOR_API_KEY=CANARY),
                results=tmp_path / "r",
            )  # fmt: skip
        one, logged = found(result), sum(len(each.rows()) for each in simulators)
        assert substituted or late.rows()
    finally:
        for each in simulators:
            each.stop()
    assert one.audit is not None and one.audit.verdict is verdict
    assert bool(one.differing) == (verdict is Verdict.DIFFERS)
    assert logged == len(result.rows())
