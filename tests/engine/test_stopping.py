"""The stop rule as a share's guard applies it, in a window and in a capacity trial."""

from random import Random

import pytest

from engine.messages import OfRun, Tripped
from engine.phase_share import PhaseShare, Run
from engine.stopping import Guard
from loadshapes.modes.capacity import NAME
from loadshapes.phase import Phase
from recording.event_text import clause
from recording.events import Refused, StopRule
from settings.options import Options
from tasks.job import Job, Origin
from tests.builders import changed, phase_of
from tests.recording.rows import row

TRIAL = phase_of(
    name="capacity/m/600/1", mode=NAME, scenario="chat", model="m", kind="arrivals",
    request="marker", users=1, count=600, duration_s=60.0, target=600, task_prefix="p-",
)  # fmt: skip


def halted_after(phase: Phase, outcomes: list[str], **known: object) -> int | None:
    """After how many answers the stop rule ended the phase; None if it did not."""
    messages: list[OfRun] = []
    options = Options(**known)  # type: ignore[arg-type]
    run = Run(options, Origin("run", "local", "secret"))
    share = PhaseShare(run, number=0, phase=phase, began=0.0, slot=0, slots=1)
    guard = Guard(share, run, messages.append)
    for number, outcome in enumerate(outcomes, 1):
        guard.watch(row(outcome=outcome))
        if share.halted.is_set():
            (tripped,) = messages
            assert isinstance(tripped, Tripped) and isinstance(tripped.event, StopRule)
            return number
    return None


def failing(seed: int, share: float, outcome: str = "server_error", count: int = 600) -> list[str]:
    dice = Random(seed)
    return [outcome if dice.random() < share else "ok" for _ in range(count)]


def test_random_failures_of_5_percent_do_not_end_a_phase() -> None:
    """They make 4 of 20 somewhere in nearly every 600."""
    assert [halted_after(TRIAL, failing(seed, 0.05)) for seed in range(100)] == [None] * 100
    window = changed(TRIAL, mode="rpm")
    assert [halted_after(window, failing(seed, 0.05)) for seed in range(100)] == [None] * 100


def test_a_trial_far_beyond_the_limit_is_still_cut_short() -> None:
    """Half of the requests are refused: known within 100 of them."""
    halts = [halted_after(TRIAL, failing(seed, 0.5, "rate_limited")) for seed in range(100)]
    assert all(number is not None and number <= 100 for number in halts)


def test_the_operators_window_of_the_stop_rule_is_used_and_off_turns_it_off() -> None:
    assert halted_after(TRIAL, ["server_error"] * 600, stop_rule="off") is None
    late = ["ok"] * 300 + ["server_error"] * 100
    assert halted_after(TRIAL, late, stop_window=300) == 360


def test_requests_cancelled_on_purpose_are_not_counted_by_the_stop_rule() -> None:
    """Nor are refusals that came before the cancellation:

    without the answers they look like many.
    """
    assert halted_after(TRIAL, ["abandoned"] * 600) is None
    rows = [row(outcome="server_error", cancel_after="500ms")] * 50
    messages: list[OfRun] = []
    share = PhaseShare(Run(Options(), Origin("r", "local", "")), 0, TRIAL, 0.0, 0, 1)
    guard = Guard(share, share.run, messages.append)
    for one in rows:
        guard.watch(one)
    assert not messages and not share.halted.is_set()


def test_first_requests_that_are_cancelled_do_not_hide_a_refusal_of_all() -> None:
    """0chunks may close before the refusal comes: the next five requests decide."""
    messages: list[OfRun] = []
    share = PhaseShare(Run(Options(), Origin("r", "local", "")), 0, TRIAL, 0.0, 0, 1)
    guard = Guard(share, share.run, messages.append)
    jobs = [Job(TRIAL, index, 0.0, None, lambda _: None) for index in range(8)]
    ends = ["abandoned", "abandoned", "auth", "auth", "abandoned", "auth", "auth", "auth"]
    for job in jobs:
        guard.sent(job)
    for job, end in zip(jobs, ends, strict=True):
        guard.meet(job, row(outcome=end, http_status=401 if end == "auth" else None))
    assert len(messages) == 1 and share.halted.is_set()


@pytest.mark.parametrize("refused", ["gateway", "reference"])
def test_five_refusals_alike_on_one_route_of_pairs_end_the_run(refused: str) -> None:
    """The other route answers every request, before it or after it."""
    messages: list[OfRun] = []
    pairs = changed(TRIAL, mode="rpm", pairs="seed")
    share = PhaseShare(Run(Options(), Origin("r", "local", "")), 0, pairs, 0.0, 0, 1)
    guard = Guard(share, share.run, messages.append)
    asked = 0
    for job in (Job(pairs, index, 0.0, None, lambda _: None) for index in range(20)):
        guard.sent(job)
        ends = job.arm == refused
        asked += ends
        guard.meet(job, row(outcome="auth", http_status=401) if ends else row())
        if share.halted.is_set():
            break
    (tripped,) = messages
    assert isinstance(tripped, Tripped) and isinstance(tripped.event, Refused)
    assert (asked, tripped.ends, tripped.event.arm) == (5, "run", refused)
    assert (" to the reference " in clause(tripped.event).en) == (refused == "reference")
