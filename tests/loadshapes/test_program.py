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
    all_options = Options(mode="tpm", model="m", target="50000", task_id_prefix="p", **options)  # type: ignore[arg-type]
    return modes.plan(all_options).phases


def test_a_window_is_paced_by_its_calibration() -> None:
    calibration, window = ran(in_order(token_plan()), probes())
    assert calibration.watched and window.pace is not None
    assert window.pace.tokens_per_word == 10


def test_a_window_whose_calibration_failed_is_not_paced() -> None:
    failed = [replace(one, success=False) for one in probes()]
    _, window = ran(in_order(token_plan()), failed)
    assert window.paced and window.pace is None


def test_under_a_budget_one_request_of_each_kind_is_sent_first() -> None:
    other_step = changed(STEP, name="s2", model="n")
    phases = ran(probed(in_order([WINDOW, STEP, other_step])))
    assert [(p.name, p.count) for p in phases] == [
        ("probe/m/marker", 1), ("w", 10), ("s", 10), ("probe/n/marker", 1), ("s2", 10),
    ]  # fmt: skip
    assert all(not phase.faults() for phase in phases)


def test_a_phase_of_one_user_gets_no_probe() -> None:
    alone = changed(WINDOW, kind="steady", users=1, duration_s=None)
    assert ran(probed(in_order([alone, STEP]))) == [alone, STEP]


class TestLeftOf:
    def test_a_resumed_burst_sends_its_unsent_requests(self) -> None:
        rest_of_plan = left_of(STEP, Past({"s": {0, 3}}))
        assert rest_of_plan is not None
        assert list(rest_of_plan.indices(0, 1)) == [1, 2, 4, 5, 6, 7, 8, 9]

    def test_a_finished_or_ended_phase_is_not_sent_again(self) -> None:
        assert left_of(STEP, Past({"s": set(range(10))})) is None
        assert left_of(STEP, Past(ended={"s"})) is None

    def test_an_interrupted_window_is_skipped_or_begun_again_under_another_name(self) -> None:
        past = Past({"w": {0}})
        assert left_of(WINDOW, past) is None
        again = left_of(WINDOW, replace(past, windows=True))
        assert again is not None
        assert (again.name, again.task_id(0), again.count) == ("w/again", "t-again-0", 10)

    def test_a_window_begun_again_is_known_by_its_new_name(self) -> None:
        """It is finished, or was cut off in its turn: then the next one has a third name."""
        past = Past({"w": {0}, "w/again": set(range(10))}, windows=True)
        assert left_of(WINDOW, past) is None
        for number, name in enumerate(["w/again", "w/again-2", "w/again-3"]):
            begun = dict.fromkeys(["w", "w/again", "w/again-2"][: number + 1], {0})
            again = left_of(WINDOW, Past(begun, windows=True))
            assert again is not None and again.name == name
        assert again is not None and again.task_id(4) == "t-again-3-4"

    def test_a_window_that_reached_its_end_is_finished_though_some_requests_were_not_sent(
        self,
    ) -> None:
        """Its grace was over; and nobody knows how many an uncounted one was to have."""
        held = changed(WINDOW, kind="steady", count=None)
        for phase in (WINDOW, held):
            over = Past({"w": {0, 1}}, over={"w"}, windows=True)
            assert left_of(phase, over) is None
            assert left_of(phase, replace(over, over=frozenset())) is not None

    def test_a_burst_that_lost_a_worker_sends_the_rest_though_it_reached_its_end(self) -> None:
        rest_of_plan = left_of(STEP, Past({"s": {0, 1}}, over={"s"}))
        assert rest_of_plan is not None and list(rest_of_plan.indices(0, 1)) == list(range(2, 10))


def test_a_resumed_window_is_paced_by_the_rows_of_its_finished_calibration() -> None:
    """No probe is paid for twice."""
    phases = token_plan()
    past = Past({phases[0].name: {0, 1}}, records=lambda name: probes())
    (window,) = ran(resumed(in_order(phases), past))
    assert window.pace is not None and window.pace.tokens_per_word == 10


def test_an_interrupted_calibration_is_completed_and_read_as_one() -> None:
    phases = token_plan()
    past = Past({phases[0].name: {0}}, records=lambda name: probes()[:1])
    calibration, window = ran(resumed(in_order(phases), past), probes()[1:])
    assert list(calibration.indices(0, 1)) == [1]
    assert window.pace is not None and window.pace.tokens_per_word == 10


def test_a_budgets_probe_that_succeeded_is_not_sent_again() -> None:
    """Costs seen by an earlier attempt are known; a probe that failed is sent no more, either."""
    assert [p.name for p in ran(probed(in_order([STEP]), {("m", "marker")}))] == ["s"]
    assert [p.name for p in ran(probed(in_order([STEP]), (), {"probe/m/marker"}))] == ["s"]


def test_rows_of_an_interrupted_window_are_kept_apart_from_those_of_its_second_turn() -> None:
    """Together they would look like twice as many requests as were planned."""
    watched = changed(WINDOW, watched=True)
    findings: list[Finding] = []

    def program() -> Program:
        findings.append((yield watched))

    cut = Past({"w": {0}}, windows=True, records=lambda name: [row(request_index=0)])
    ran(resumed(program(), cut), [row(request_index=i) for i in range(10)])
    assert len(findings[0].records) == 10 and not findings[0].cut
    left = replace(cut, windows=False)
    ran(resumed(program(), left))
    assert findings[1].cut


GAPS = tuple(
    changed(STEP, name=f"gap-{s}", kind="steady", users=1, count=1, pause_after_s=float(pause))
    for s, pause in ((0, 30), (30, 60), (60, 0))
)


def begins(past: Past) -> list[tuple[str, float | None]]:
    """The earliest beginning of each phase of the gaps in a resumed run."""
    return [(p.name, p.not_before_unix_s) for p in ran(resumed(in_order(GAPS), past))]


def test_an_interrupted_pause_ends_when_it_would_have_ended() -> None:
    """A later phase waits as the conductor has it wait: it is told of no other time."""
    uses = {"gap-0": 1000.0}
    assert begins(Past({"gap-0": {0}}, last_use=uses.get)) == [("gap-30", 1030.0), ("gap-60", None)]


def test_a_request_with_an_unknown_end_restarts_the_pause() -> None:
    uses = {"gap-0": 1000.0, "gap-30": 1031.0}
    earliest = begins(Past({"gap-0": {0}}, last_use=uses.get))
    assert earliest == [("gap-30", 1061.0), ("gap-60", None)]


def test_a_run_that_has_not_begun_has_no_pauses_to_keep() -> None:
    assert begins(Past()) == [("gap-0", None), ("gap-30", None), ("gap-60", None)]


def test_a_phase_that_ends_on_a_refusal_is_not_begun_again() -> None:
    """What was sent of it may still count against the limit, even where nothing was answered."""
    fill = changed(WINDOW, kind="steady", count=None, ends_on="rate_limited")
    assert left_of(fill, Past({"w": {0}}, windows=True)) is None
    assert left_of(fill, Past(windows=True, last_use={"w": 1000.0}.get)) is None
    assert left_of(fill, Past(windows=True)) == fill
