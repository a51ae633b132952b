"""Programs: what they yield, and what a resumed one still sends."""

from collections.abc import Sequence
from dataclasses import replace

from loadshapes import modes
from loadshapes.finding import Finding
from loadshapes.phase import Phase
from loadshapes.program import Past, Program, in_order, left_of, probed, resumed
from recording.record import RequestRecord
from settings.options import Options
from tests.builders import changed, phase_of
from tests.recording.rows import row

WINDOW = phase_of(
    name="w", mode="rpm", scenario="chat", model="m", kind="arrivals", request="marker",
    users=5, count=10, duration_s=1.0, task_prefix="t-",
)  # fmt: skip
STEP = changed(WINDOW, name="s", kind="burst", users=10, duration_s=None)


def ran(program: Program, rows: Sequence[RequestRecord] = ()) -> list[Phase]:
    """The phases that a program yields when each finds `rows`."""
    phases = []
    try:
        phase = next(program)
        while True:
            phases.append(phase)
            phase = program.send(Finding(phase, rows if phase.watched else ()))
    except StopIteration:
        return phases


def probes(model: str = "m") -> list[RequestRecord]:
    return [
        row(request_index=0, model_requested=model, prompt_tokens=280, total_tokens=290),
        row(request_index=1, model_requested=model, prompt_tokens=2030, total_tokens=2040),
    ]


def token_plan(**options: object) -> tuple[Phase, ...]:
    asked = Options(mode="tpm", model="m", target="50000", task_id_prefix="p", **options)  # type: ignore[arg-type]
    return modes.plan(asked).phases


def test_a_window_is_paced_by_its_calibration() -> None:
    calibration, window = ran(in_order(token_plan()), probes())
    assert calibration.watched and window.pace is not None
    assert window.pace.tokens_per_word == 10


def test_a_window_whose_calibration_failed_is_sent_unpaced() -> None:
    failed = [replace(one, success=False) for one in probes()]
    _, window = ran(in_order(token_plan()), failed)
    assert window.paced and window.pace is None


def test_under_a_budget_one_request_of_each_kind_goes_before_several_at_once() -> None:
    other = changed(STEP, name="s2", model="n")
    found = ran(probed(in_order([WINDOW, STEP, other])))
    assert [(p.name, p.count) for p in found] == [
        ("probe/m/marker", 1), ("w", 10), ("s", 10), ("probe/n/marker", 1), ("s2", 10),
    ]  # fmt: skip
    assert all(not phase.faults() for phase in found)


def test_a_single_user_needs_no_probe() -> None:
    alone = changed(WINDOW, kind="steady", users=1, duration_s=None)
    assert ran(probed(in_order([alone, STEP]))) == [alone, STEP]


class TestLeftOf:
    def test_a_burst_sends_what_it_has_not_sent(self) -> None:
        rest = left_of(STEP, Past({"s": {0, 3}}))
        assert rest is not None
        assert list(rest.indices(0, 1)) == [1, 2, 4, 5, 6, 7, 8, 9]

    def test_what_is_finished_or_was_ended_is_not_sent(self) -> None:
        assert left_of(STEP, Past({"s": set(range(10))})) is None
        assert left_of(STEP, Past(ended={"s"})) is None

    def test_an_interrupted_window_is_left_or_begun_anew_under_another_name(self) -> None:
        past = Past({"w": {0}})
        assert left_of(WINDOW, past) is None
        again = left_of(WINDOW, replace(past, windows=True))
        assert again is not None
        assert (again.name, again.task_id(0), again.count) == ("w/again", "t-again-0", 10)

    def test_what_began_anew_is_known_by_its_own_name(self) -> None:
        """It is finished, or was cut off in its turn: then the next begins under a third name."""
        past = Past({"w": {0}, "w/again": set(range(10))}, windows=True)
        assert left_of(WINDOW, past) is None
        for number, name in enumerate(["w/again", "w/again-2", "w/again-3"]):
            begun = dict.fromkeys(["w", "w/again", "w/again-2"][: number + 1], {0})
            again = left_of(WINDOW, Past(begun, windows=True))
            assert again is not None and again.name == name
        assert again is not None and again.task_id(4) == "t-again-3-4"

    def test_a_window_that_came_to_its_own_end_is_finished_though_some_was_never_sent(self) -> None:
        """Its grace was over; and of an uncounted one nobody knows how many there were to be."""
        held = changed(WINDOW, kind="steady", count=None)
        for phase in (WINDOW, held):
            over = Past({"w": {0, 1}}, over={"w"}, windows=True)
            assert left_of(phase, over) is None
            assert left_of(phase, replace(over, over=frozenset())) is not None

    def test_a_burst_that_lost_a_worker_sends_the_rest_though_it_came_to_its_end(self) -> None:
        rest = left_of(STEP, Past({"s": {0, 1}}, over={"s"}))
        assert rest is not None and list(rest.indices(0, 1)) == list(range(2, 10))


def test_a_resumed_window_is_paced_by_the_rows_of_its_finished_calibration() -> None:
    """No probe is paid for twice."""
    phases = token_plan()
    past = Past({phases[0].name: {0, 1}}, records=lambda name: probes())
    (window,) = ran(resumed(in_order(phases), past))
    assert window.pace is not None and window.pace.tokens_per_word == 10


def test_a_half_finished_calibration_is_completed_and_read_as_a_whole() -> None:
    phases = token_plan()
    past = Past({phases[0].name: {0}}, records=lambda name: probes()[:1])
    calibration, window = ran(resumed(in_order(phases), past), probes()[1:])
    assert list(calibration.indices(0, 1)) == [1]
    assert window.pace is not None and window.pace.tokens_per_word == 10


def test_no_probe_of_a_budget_goes_twice() -> None:
    """What an earlier attempt saw of a kind is known; a probe that failed is not sent again."""
    assert [p.name for p in ran(probed(in_order([STEP]), {("m", "marker")}))] == ["s"]
    assert [p.name for p in ran(probed(in_order([STEP]), (), {"probe/m/marker"}))] == ["s"]


def test_rows_of_an_interrupted_window_are_not_joined_to_those_of_its_second_turn() -> None:
    """They would count as twice as many requests as were planned."""
    watched = changed(WINDOW, watched=True)
    told: list[Finding] = []

    def program() -> Program:
        told.append((yield watched))

    cut = Past({"w": {0}}, windows=True, records=lambda name: [row(request_index=0)])
    ran(resumed(program(), cut), [row(request_index=i) for i in range(10)])
    assert len(told[0].records) == 10 and not told[0].cut
    left = replace(cut, windows=False)
    ran(resumed(program(), left))
    assert told[1].cut


GAPS = tuple(
    changed(STEP, name=f"gap-{s}", kind="steady", users=1, count=1, pause_after_s=float(pause))
    for s, pause in ((0, 30), (30, 60), (60, 0))
)


def begins(past: Past) -> list[tuple[str, float | None]]:
    """When a resumed run of the gaps begins each phase at the soonest."""
    return [(p.name, p.not_before_unix_s) for p in ran(resumed(in_order(GAPS), past))]


def test_a_pause_that_was_cut_off_ends_when_it_would_have_ended() -> None:
    """A later phase waits as the conductor has it wait: it is told of no other time."""
    uses = {"gap-0": 1000.0}
    assert begins(Past({"gap-0": {0}}, last_use=uses.get)) == [("gap-30", 1030.0), ("gap-60", None)]


def test_a_request_of_which_nobody_knows_the_end_begins_the_pause_anew() -> None:
    uses = {"gap-0": 1000.0, "gap-30": 1031.0}
    found = begins(Past({"gap-0": {0}}, last_use=uses.get))
    assert found == [("gap-30", 1061.0), ("gap-60", None)]


def test_a_run_that_was_not_begun_waits_for_nothing() -> None:
    assert begins(Past()) == [("gap-0", None), ("gap-30", None), ("gap-60", None)]


def test_what_goes_on_until_it_is_refused_is_not_begun_anew() -> None:
    """What was sent of it may count against the limit still, though nothing of it was answered."""
    fill = changed(WINDOW, kind="steady", count=None, ends_on="rate_limited")
    assert left_of(fill, Past({"w": {0}}, windows=True)) is None
    assert left_of(fill, Past(windows=True, last_use={"w": 1000.0}.get)) is None
    assert left_of(fill, Past(windows=True)) == fill
