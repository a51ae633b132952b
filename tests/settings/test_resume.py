"""A resumed run: which options may change, and which would make it another run."""

from dataclasses import replace
from typing import Any

import pytest

from loadshapes.phase import Phase
from recording.errors import OperatorError
from settings import resume
from settings.options import Options, as_dict
from settings.resume import ANEW, ITS_PLACE, going_on, recalled, unknown, without_unread
from tests.builders import phase_of

BEFORE = Options(
    mode="rpm", model="m", target="60", run_id="r", results="there", fail_on="cost>1",
    junit="old.xml", budget=2.0,
)  # fmt: skip
NOTHING = Options(resume="there/r")


def test_options_not_given_stay_as_they_were() -> None:
    assert going_on(BEFORE, NOTHING) == replace(BEFORE, resume="there/r")


@pytest.mark.parametrize(
    "anew",
    [
        {"fail_on": "success_rate<1"}, {"junit": "new.xml"}, {"output": "o.jsonl"},
        {"lang": "zh"}, {"budget": 9.0}, {"budget_tokens": 5}, {"resume_windows": True},
    ],
)  # fmt: skip
def test_options_that_change_no_request_may_be_given_anew(anew: dict[str, Any]) -> None:
    assert going_on(BEFORE, replace(NOTHING, **anew)) == replace(BEFORE, resume="there/r", **anew)
    assert set(anew) <= set(ANEW)


def test_options_that_would_change_requests_are_refused_by_name() -> None:
    with pytest.raises(OperatorError, match="leave out --model, --max-tokens, or") as caught:
        going_on(BEFORE, replace(NOTHING, model="other", max_tokens=7))
    assert str(caught.value).endswith(".")


def test_an_option_repeated_unchanged_is_accepted() -> None:
    repeated = replace(NOTHING, mode="rpm", model="m", target="60")
    assert going_on(BEFORE, repeated).model == "m"


def test_the_runs_folder_overrides_results_and_run_id() -> None:
    elsewhere = replace(NOTHING, results="elsewhere", run_id="x")
    assert going_on(BEFORE, elsewhere).results == "there"
    assert set(ITS_PLACE) == {"results", "run_id"}


def test_a_dry_run_cannot_be_combined_with_resume() -> None:
    with pytest.raises(OperatorError, match="cannot be combined with --resume"):
        going_on(BEFORE, replace(NOTHING, dry_run=True))


def test_an_option_newer_than_the_run_has_the_behaviour_of_the_runs_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest_options = as_dict(replace(BEFORE, warmup=3.0))
    del manifest_options["repeat"], manifest_options["connections"], manifest_options["lang"]
    monkeypatch.setattr(resume, "BEFORE", {"connections": "cold", "warmup": 9.0})
    options = recalled(manifest_options, NOTHING)
    assert (options.repeat, options.connections, options.lang) == (3, "cold", "en")
    assert options.warmup == 3.0, "what was kept goes before"


def test_an_option_that_no_longer_exists_is_left_out_and_named() -> None:
    manifest_options = as_dict(BEFORE) | {"old_way": 3}
    assert recalled(manifest_options, NOTHING) == BEFORE
    assert unknown(manifest_options) == ["--old-way 3"]


@pytest.mark.parametrize(
    "wrong", [{"mode": 3}, {"duration": "60"}, {"repeat": 2.5}, {"lang": None}]
)
def test_an_option_of_the_wrong_type_in_a_manifest_is_refused_by_name(
    wrong: dict[str, Any],
) -> None:
    (name,) = wrong
    with pytest.raises(OperatorError, match=f"--{name}: restore the file"):
        recalled(as_dict(BEFORE) | wrong, NOTHING)


def test_the_behaviour_before_an_option_existed_is_of_that_options_type() -> None:
    assert set(resume.BEFORE) <= set(Options.__dataclass_fields__)
    recalled({"mode": "smoke"}, NOTHING)


def test_a_phase_of_another_versions_manifest_is_read() -> None:
    planned = phase_of(
        name="w", mode="rpm", scenario="chat", model="m", kind="burst", request="marker", users=5,
        count=5, max_tokens=16,
    )  # fmt: skip
    manifest_phase = planned.as_dict() | {"gone": 1}
    del manifest_phase["at_most"], manifest_phase["watched"], manifest_phase["skip"]
    assert Phase.of(manifest_phase) == planned


def test_an_option_of_another_mode_that_0_1_ignored_is_left_out() -> None:
    """It would be refused today, and the run could not go on."""
    manifest_options = as_dict(replace(BEFORE, speed=2.0, repeat=9))
    assert without_unread(recalled(manifest_options, NOTHING)) == BEFORE
    assert without_unread(recalled(manifest_options | {"mode": "cache"}, NOTHING)).repeat == 9


def test_a_run_with_users_set_by_hand_cannot_be_resumed() -> None:
    """Nobody is there to say how many and until when, so it would never end."""
    for now in (NOTHING, replace(NOTHING, resume_windows=True)):
        with pytest.raises(OperatorError, match="has no plan to resume"):
            going_on(replace(BEFORE, mode="interactive"), now)
