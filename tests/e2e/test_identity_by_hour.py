"""A relay that hands requests to another model at some hours is shown by `analysis timeline`."""

import json
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.e2e.mixing_proxy import relaying
from tests.e2e.test_identity import HONEST, MODEL
from tests.locust_run import environment, run
from tests.simulated import Simulator

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
HOURS = range(6, 12)
LOAD = ("--mode", "rpm", "--target", 1200, "--duration", 4, "--identity-share", 0.5)


@pytest.mark.slow
@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("busy", [range(8, 10), range(0)])
def test_the_hours_of_another_model_are_named(tmp_path: Path, busy: range) -> None:
    """A run an hour, each on its own clock; by the logs, every request of the busy hours and no
    other went elsewhere. A relay that hands on nothing is not accused."""
    simulators = []
    for weights in (1, 7):
        profile = tmp_path / f"{weights}.toml"
        profile.write_text(HONEST.replace("weights = 1", f"weights = {weights}"))
        simulators.append(Simulator(tmp_path / f"{weights}.csv", "--profile", profile))
    claimed, other = simulators
    now, folders = HOURS[0], list[str]()
    try:
        with relaying(claimed.url, other.url, lambda: now in busy) as relay:
            for now in HOURS:  # noqa: B007  (the relay reads it)
                env = environment(
                    LD_PRELOAD=str(LIBRARY), FAKETIME=f"@2026-11-26 {now:02}:10:00", TZ="UTC",
                    FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_NO_CACHE="1",
                )  # fmt: skip
                done = run("-H", relay, *LOAD, "--model", MODEL, "--no-content", env=env,
                           results=tmp_path / f"{now}")  # fmt: skip
                assert done.code == 0 and done.folder is not None, done.text
                folders.append(str(done.folder))
        logged = [len(each.rows()) for each in simulators]
    finally:
        for each in simulators:
            each.stop()
    assert logged == [80 * (len(HOURS) - len(busy)), 80 * len(busy)]
    output = tmp_path / "timeline"
    assert main(["timeline", *folders, "--output", str(output), "--lang", "en"]) == 0
    (group,) = json.loads((output / "timeline.json").read_text("utf-8"))["groups"]
    found = {one["by"]: one["differing"] for one in group["identity"]}
    page = (output / "timeline.md").read_text("utf-8")
    assert {*found["hour"]} >= {f"{hour:02}:00-{hour + 1:02}:00" for hour in busy}
    assert bool(found["hour"]) == bool(busy) and found["day"] == []
    said = "differ from those of all other times" if busy else "no change with the hour shown"
    assert said in page
