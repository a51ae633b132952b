"""A run that goes on: what may be said anew, and what would make it another run."""

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


def test_what_is_not_given_stays_what_it_was() -> None:
    assert going_on(BEFORE, NOTHING) == replace(BEFORE, resume="there/r")


@pytest.mark.parametrize(
    "anew",
    [
        {"fail_on": "success_rate<1"}, {"junit": "new.xml"}, {"output": "o.jsonl"},
        {"lang": "zh"}, {"budget": 9.0}, {"budget_tokens": 5}, {"resume_windows": True},
    ],
)  # fmt: skip
def test_what_changes_no_request_is_taken_as_it_is_given_now(anew: dict[str, Any]) -> None:
    assert going_on(BEFORE, replace(NOTHING, **anew)) == replace(BEFORE, resume="there/r", **anew)
    assert set(anew) <= set(ANEW)


def test_what_would_send_other_requests_is_refused_by_name() -> None:
    with pytest.raises(OperatorError, match="leave out --model, --max-tokens, or") as caught:
        going_on(BEFORE, replace(NOTHING, model="other", max_tokens=7))
    assert str(caught.value).endswith(".")


def test_an_option_that_is_repeated_is_no_contradiction() -> None:
    repeated = replace(NOTHING, mode="rpm", model="m", target="60")
    assert going_on(BEFORE, repeated).model == "m"


def test_the_folder_says_where_the_run_is() -> None:
    elsewhere = replace(NOTHING, results="elsewhere", run_id="x")
    assert going_on(BEFORE, elsewhere).results == "there"
    assert set(ITS_PLACE) == {"results", "run_id"}


def test_a_dry_run_that_would_send_is_refused() -> None:
    with pytest.raises(OperatorError, match="cannot be combined with --resume"):
        going_on(BEFORE, replace(NOTHING, dry_run=True))


def test_an_option_that_an_older_version_did_not_have_is_as_that_version_behaved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = as_dict(replace(BEFORE, warmup=3.0))
    del kept["repeat"], kept["connections"], kept["lang"]
    monkeypatch.setattr(resume, "BEFORE", {"connections": "cold", "warmup": 9.0})
    found = recalled(kept, NOTHING)
    assert (found.repeat, found.connections, found.lang) == (3, "cold", "en")
    assert found.warmup == 3.0, "what was kept goes before"


def test_an_option_that_is_no_more_is_left_out_and_named() -> None:
    kept = as_dict(BEFORE) | {"old_way": 3}
    assert recalled(kept, NOTHING) == BEFORE
    assert unknown(kept) == ["--old-way 3"]


@pytest.mark.parametrize(
    "wrong", [{"mode": 3}, {"duration": "60"}, {"repeat": 2.5}, {"lang": None}]
)
def test_an_option_of_another_type_is_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(OperatorError, match=f"--{name}: restore the file"):
        recalled(as_dict(BEFORE) | wrong, NOTHING)


def test_what_runs_before_an_option_did_names_options_and_their_types() -> None:
    assert set(resume.BEFORE) <= set(Options.__dataclass_fields__)
    recalled({"mode": "smoke"}, NOTHING)


def test_a_phase_of_another_versions_manifest_is_read() -> None:
    made = phase_of(
        name="w", mode="rpm", scenario="chat", model="m", kind="burst", request="marker", users=5,
        count=5, max_tokens=16,
    )  # fmt: skip
    kept = made.as_dict() | {"gone": 1}
    del kept["at_most"], kept["watched"], kept["skip"]
    assert Phase.of(kept) == made


def test_an_option_of_another_mode_that_0_1_passed_over_is_left_out() -> None:
    """It would be refused today, and the run could not go on."""
    kept = as_dict(replace(BEFORE, speed=2.0, repeat=9))
    assert without_unread(recalled(kept, NOTHING)) == BEFORE
    assert without_unread(recalled(kept | {"mode": "cache"}, NOTHING)).repeat == 9


def test_users_by_hand_cannot_go_on() -> None:
    """Nobody is there to say how many, and until when: the run would never end."""
    for given in (NOTHING, replace(NOTHING, resume_windows=True)):
        with pytest.raises(OperatorError, match="has no plan to resume"):
            going_on(replace(BEFORE, mode="interactive"), given)
