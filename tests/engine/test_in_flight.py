"""What a lost generator may have sent is told from what it never began."""

from pathlib import Path

import pytest

from engine.in_flight import by_its_files, in_hand
from engine.index_set import Indices
from engine.phase_share import PhaseShare, Run
from loadshapes.phase import Phase
from recording.csv_sink import CsvSink, part_path
from recording.in_flight_file import InFlight
from settings.options import Options
from tests.builders import changed
from tests.engine.pool import BASE, ORIGIN
from tests.recording.rows import row

WINDOW = changed(BASE, count=600, duration_s=60.0)  # ten a second


def of(*known: int) -> Indices:
    seen = Indices()
    for index in known:
        seen.add(index)
    return seen


def share(phase: Phase, slot: int = 0, slots: int = 1) -> PhaseShare:
    return PhaseShare(Run(Options(), ORIGIN), 0, phase, 0.0, slot, slots)


@pytest.mark.parametrize(("slot", "slots"), [(0, 1), (1, 2), (2, 3)])
def test_of_a_window_what_was_due_by_then_is_unknown_and_the_rest_was_never_sent(
    slot: int, slots: int
) -> None:
    mine = list(range(slot, 600, slots))
    back = mine[: len(mine) // 4]
    asked = share(WINDOW, slot, slots)
    found = list(in_hand(WINDOW, asked, of(*back), 30.0, 30.0))
    assert found == [i for i in mine if i not in back and i <= 300]
    (unsent,) = asked.unsent
    assert list(unsent.indices) == [i for i in mine if i > 300]


def test_a_burst_was_released_at_once() -> None:
    """All that did not come back may have been paid for."""
    burst = changed(BASE, kind="burst", count=50, users=50, duration_s=None)
    asked = share(burst)
    assert list(in_hand(burst, asked, of(*range(48)), 5.0, 5.0)) == [48, 49]
    assert not asked.unsent


def test_an_uncounted_phase_had_one_request_a_user_at_least() -> None:
    held = changed(BASE, kind="steady", count=None, users=4, duration_s=9.0)
    assert list(in_hand(held, share(held), of(), 99.0, 9.0)) == [0, 1, 2, 3]
    assert list(in_hand(held, share(held, 1, 2), of(), 99.0, 9.0)) == [1, 3]


@pytest.mark.parametrize("own", [0, 20, 90, 100])
def test_of_an_uncounted_phase_it_may_have_sent_as_many_as_the_busiest(own: int) -> None:
    """The other sent 100 in the whole phase, so this one perhaps 125; `own` have come back."""
    held = changed(BASE, kind="steady", count=None, users=4, duration_s=10.0)
    back = of(*range(0, 200, 2), *range(1, 2 * own, 2))
    found = list(in_hand(held, share(held, 1, 2), back, 99.0, 60.0))
    assert found == list(range(2 * own + 1, 2 * (125 + 2), 2))


def test_what_was_sent_for_half_the_phase_is_half_as_many() -> None:
    held = changed(BASE, kind="steady", count=None, users=2, duration_s=10.0)
    back = of(*range(0, 200, 2))
    assert len(list(in_hand(held, share(held, 1, 2), back, 5.0, 10.0))) == 63 + 1


PART = "worker-1"


def files(folder: Path, phase: Phase, finished: list[int], flying: list[int]) -> None:
    """What the worker left: rows of what it finished, slots of what it had in flight."""
    sink = CsvSink(part_path(folder, PART))
    for index in finished:
        sink.add(row(phase=phase.name, request_index=index))
    sink.close()
    under_way = InFlight(folder, PART, "run", PART, 1)
    for index in [*finished, *flying]:
        under_way.sent(phase.name, index)
    for index in finished:
        under_way.ended(phase.name, index)


def test_its_own_files_say_just_what_was_in_flight(tmp_path: Path) -> None:
    files(tmp_path, WINDOW, [1, 3, 7], [5, 9, 11])
    asked = share(WINDOW, 1, 2)
    assert by_its_files(WINDOW, asked, tmp_path, PART) == [5, 9, 11]
    (unsent,) = asked.unsent
    assert list(unsent.indices) == list(range(13, 600, 2))


def test_of_an_uncounted_phase_nothing_is_left_unsent(tmp_path: Path) -> None:
    held = changed(BASE, kind="steady", count=None, users=4, duration_s=9.0)
    files(tmp_path, held, [0, 1], [2, 3])
    asked = share(held)
    assert by_its_files(held, asked, tmp_path, PART) == [2, 3]
    assert not asked.unsent


@pytest.mark.parametrize("damage", ["none", "other phase", "in flight", "rows"])
def test_files_that_are_not_here_or_do_not_tell_say_nothing(tmp_path: Path, damage: str) -> None:
    """Then what it may have sent is worked out from what it had shipped."""
    if damage != "none":
        files(tmp_path, WINDOW, [1], [3])
    if damage == "in flight":
        next(tmp_path.glob("in-flight-*")).write_bytes(b"{}\n")
    if damage == "rows":
        part_path(tmp_path, PART).write_bytes(b"a,b\n1,2\n")
    phase = changed(WINDOW, name="other") if damage == "other phase" else WINDOW
    assert by_its_files(phase, share(phase), tmp_path, PART) is None


def test_what_an_earlier_attempt_has_finished_was_not_in_hand() -> None:
    resumed = changed(BASE, kind="burst", count=6, users=6, duration_s=None, skip=(0, 1, 2))
    assert list(in_hand(resumed, share(resumed), of(4), 5.0, 5.0)) == [3, 5]
