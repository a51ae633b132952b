"""What a lost generator may have sent, as distinct from what it never began."""

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


def indices_of(*known: int) -> Indices:
    indices = Indices()
    for index in known:
        indices.add(index)
    return indices


def share(phase: Phase, slot: int = 0, slots: int = 1) -> PhaseShare:
    return PhaseShare(Run(Options(), ORIGIN), 0, phase, 0.0, slot, slots)


@pytest.mark.parametrize(("slot", "slots"), [(0, 1), (1, 2), (2, 3)])
def test_a_lost_generators_requests_due_by_then_may_be_sent_and_later_ones_are_not(
    slot: int, slots: int
) -> None:
    mine = list(range(slot, 600, slots))
    finished = mine[: len(mine) // 4]
    part = share(WINDOW, slot, slots)
    maybe_sent = list(in_hand(WINDOW, part, indices_of(*finished), 30.0, 30.0))
    assert maybe_sent == [i for i in mine if i not in finished and i <= 300]
    (unsent,) = part.unsent
    assert list(unsent.indices) == [i for i in mine if i > 300]


def test_every_unfinished_request_of_a_burst_may_have_been_sent() -> None:
    """It was released at once."""
    burst = changed(BASE, kind="burst", count=50, users=50, duration_s=None)
    part = share(burst)
    assert list(in_hand(burst, part, indices_of(*range(48)), 5.0, 5.0)) == [48, 49]
    assert not part.unsent


def test_an_uncounted_phase_has_sent_at_least_one_request_per_user() -> None:
    held = changed(BASE, kind="steady", count=None, users=4, duration_s=9.0)
    assert list(in_hand(held, share(held), indices_of(), 99.0, 9.0)) == [0, 1, 2, 3]
    assert list(in_hand(held, share(held, 1, 2), indices_of(), 99.0, 9.0)) == [1, 3]


@pytest.mark.parametrize("own", [0, 20, 90, 100])
def test_a_lost_generator_may_have_sent_as_many_as_the_busiest_one(own: int) -> None:
    """In an uncounted phase: the other sent 100, so this one perhaps 125; `own` are finished."""
    held = changed(BASE, kind="steady", count=None, users=4, duration_s=10.0)
    finished = indices_of(*range(0, 200, 2), *range(1, 2 * own, 2))
    maybe_sent = list(in_hand(held, share(held, 1, 2), finished, 99.0, 60.0))
    assert maybe_sent == list(range(2 * own + 1, 2 * (125 + 2), 2))


def test_a_generator_lost_halfway_may_have_sent_half_as_many() -> None:
    held = changed(BASE, kind="steady", count=None, users=2, duration_s=10.0)
    finished = indices_of(*range(0, 200, 2))
    assert len(list(in_hand(held, share(held, 1, 2), finished, 5.0, 10.0))) == 63 + 1


PART = "worker-1"


def files(folder: Path, phase: Phase, finished: list[int], flying: list[int]) -> None:
    """What the worker left behind: rows of what it finished, slots of what it had in flight."""
    sink = CsvSink(part_path(folder, PART))
    for index in finished:
        sink.add(row(phase=phase.name, request_index=index))
    sink.close()
    under_way = InFlight(folder, PART, "run", PART, 1)
    for index in [*finished, *flying]:
        under_way.sent(phase.name, index)
    for index in finished:
        under_way.ended(phase.name, index)


def test_a_lost_generators_own_files_give_exactly_what_was_in_flight(tmp_path: Path) -> None:
    files(tmp_path, WINDOW, [1, 3, 7], [5, 9, 11])
    part = share(WINDOW, 1, 2)
    assert by_its_files(WINDOW, part, tmp_path, PART) == [5, 9, 11]
    (unsent,) = part.unsent
    assert list(unsent.indices) == list(range(13, 600, 2))


def test_an_uncounted_phase_leaves_nothing_unsent(tmp_path: Path) -> None:
    held = changed(BASE, kind="steady", count=None, users=4, duration_s=9.0)
    files(tmp_path, held, [0, 1], [2, 3])
    part = share(held)
    assert by_its_files(held, part, tmp_path, PART) == [2, 3]
    assert not part.unsent


@pytest.mark.parametrize("damage", ["none", "other phase", "in flight", "rows"])
def test_missing_or_damaged_files_are_not_used(tmp_path: Path, damage: str) -> None:
    """What it may have sent is then computed from the rows it had shipped."""
    if damage != "none":
        files(tmp_path, WINDOW, [1], [3])
    if damage == "in flight":
        next(tmp_path.glob("in-flight-*")).write_bytes(b"{}\n")
    if damage == "rows":
        part_path(tmp_path, PART).write_bytes(b"a,b\n1,2\n")
    phase = changed(WINDOW, name="other") if damage == "other phase" else WINDOW
    assert by_its_files(phase, share(phase), tmp_path, PART) is None


def test_requests_finished_by_an_earlier_attempt_were_not_in_flight() -> None:
    resumed = changed(BASE, kind="burst", count=6, users=6, duration_s=None, skip=(0, 1, 2))
    assert list(in_hand(resumed, share(resumed), indices_of(4), 5.0, 5.0)) == [3, 5]
