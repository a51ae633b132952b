"""What a process had in flight can be read after its death, whenever it died."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recording.errors import InputError
from recording.in_flight_file import InFlight, Orphan, orphans
from recording.lost_rows import lost_rows
from tests.locust_run import ROOT

PLAN = [{"name": "w", "model": "m", "task_prefix": "p-", "first_number": 1, "mode": "rpm"}]


def opened(folder: Path, part: str = "local", attempt: int = 1) -> InFlight:
    return InFlight(folder, part, "run", "local", attempt)


def indices(folder: Path) -> list[tuple[str, int]]:
    return sorted((one.phase, one.index) for one in orphans(folder))


def test_a_request_that_was_sent_and_has_not_ended_is_in_the_file(tmp_path: Path) -> None:
    before = time.time()
    held = opened(tmp_path, attempt=3)
    for index in (0, 5, 7):
        held.sent("w", index)
    held.ended("w", 5)
    in_flight = sorted(orphans(tmp_path), key=lambda one: one.index)
    assert [(one.worker, one.attempt, one.phase, one.index) for one in in_flight] == [
        ("local", 3, "w", 0), ("local", 3, "w", 7),
    ]  # fmt: skip
    assert all(before <= one.sent_unix_s <= time.time() for one in in_flight)


@pytest.mark.parametrize("seed", range(5))
def test_the_file_holds_what_was_sent_and_not_ended_in_any_order(tmp_path: Path, seed: int) -> None:
    """Up to thousands at once, so that the file grows; an independent set is the oracle."""
    dice, held, truth = random.Random(seed), opened(tmp_path), set[int]()
    for index in range(6000):
        held.sent("w", index)
        truth.add(index)
        if dice.random() < 0.6:
            gone = dice.choice((index, dice.randrange(6000)))
            held.ended("w", gone)
            truth.discard(gone)
    assert indices(tmp_path) == [("w", index) for index in sorted(truth)]


def test_a_run_that_ends_in_good_order_leaves_no_file(tmp_path: Path) -> None:
    held = opened(tmp_path)
    for phase in ("a", "b", "c"):
        held.sent(phase, 0)
        assert len(list(tmp_path.iterdir())) == 1, "the phase before has gone"
        held.ended(phase, 0)
    held.close()
    assert not list(tmp_path.iterdir())


def test_a_request_that_never_ended_stays_through_the_next_phase_and_the_close(
    tmp_path: Path,
) -> None:
    held = opened(tmp_path)
    held.sent("a", 1)
    held.sent("b", 2)
    held.ended("b", 2)
    held.close()
    held.sent("c", 3)  # by a user that is slow to end: nothing is written any more
    assert indices(tmp_path) == [("a", 1)]


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    opened(tmp_path).sent("w", 1)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_attempts_never_share_a_file(tmp_path: Path) -> None:
    opened(tmp_path).sent("w", 1)
    opened(tmp_path).sent("w", 2)
    opened(tmp_path, "local.2", 2).sent("w", 1)
    assert indices(tmp_path) == [("w", 1), ("w", 1), ("w", 2)]


def test_kill_9_at_a_random_moment_leaves_what_was_in_flight(tmp_path: Path) -> None:
    """The process reports each request on a pipe before and after: the pipe is the oracle."""
    program = (
        "import sys, random; from pathlib import Path\n"
        "from recording.in_flight_file import InFlight\n"
        "held = InFlight(Path(sys.argv[1]), 'local', 'run', 'local', 1); out = sys.stdout\n"
        "for i in range(10**7):\n"
        "    print('sends', i, flush=True); held.sent('w', i); print('sent', i, flush=True)\n"
        "    if i > 40:\n"
        "        print('ends', i - 40, flush=True); held.ended('w', i - 40)\n"
        "        print('ended', i - 40, flush=True)\n"
    )
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.Random(number).uniform(0.0, 0.05))
            os.kill(process.pid, signal.SIGKILL)
            lines = process.stdout.read().decode().split("\n")[:-1]
        reported: dict[str, set[int]] = {name: set() for name in ("sends", "sent", "ends", "ended")}
        for line in lines:
            word, _, index = line.partition(" ")
            reported[word].add(int(index))
        surely = reported["sent"] - reported["ends"]
        perhaps = (reported["sends"] | {0}) - reported["ended"]
        in_file = {index for _, index in indices(folder)}
        assert surely <= in_file <= perhaps


@pytest.mark.parametrize("cut", range(0, 90, 7))
def test_a_truncated_file_is_read_up_to_the_cut(tmp_path: Path, cut: int) -> None:
    """A power failure may leave any first part of it."""
    held = opened(tmp_path)
    held.sent("w", 1)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    assert len(list(orphans(tmp_path))) <= 1


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"[]", "version"),
        (b'{"version": 9}', "version"),
        (b"{", "not JSON"),
        (b'{"version": 1, "worker": "\\u001b[2J", "attempt": 1, "phase": "w"}', "whose"),
        (b'{"version": 1, "worker": "w", "attempt": true, "phase": "w"}', "whose"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path, head: bytes, why: str) -> None:
    (tmp_path / "in-flight-x-1.bin").write_bytes(head + b"\n" + bytes(64))
    with pytest.raises(InputError, match=f"in-flight-x-1.bin .*{why}"):
        list(orphans(tmp_path))


def test_impossible_indices_are_damage(tmp_path: Path) -> None:
    opened(tmp_path).sent("w", 1)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().partition(b"\n")[0] + b"\n" + b"\xff" * 16)
    with pytest.raises(InputError, match="damaged"):
        list(orphans(tmp_path))


def test_a_file_that_cannot_be_made_does_not_stop_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = opened(tmp_path / "gone")
    held.sent("w", 1)
    held.sent("w", 2)
    held.ended("w", 1)
    held.close()
    assert caplog.text.count("what is in flight is not kept") == 1


def test_a_row_of_a_lost_request_has_everything_the_plan_knows() -> None:
    (row,) = lost_rows([Orphan("worker-1", 2, "w", 4, 1.5e9)], "run", PLAN)
    assert (row.task_id, row.worker, row.attempt, row.request_index) == ("p-5", "worker-1", 2, 4)
    assert (row.outcome, row.success, row.model_requested) == ("lost", False, "m")
    assert row.timestamp == "2017-07-14T02:40:00+00:00"
    assert "paid for" in (row.error_message or "")


def test_a_phase_that_is_not_in_the_plan_is_refused() -> None:
    with pytest.raises(InputError, match="not in the manifest"):
        lost_rows([Orphan("local", 1, "other", 0, 1.5e9)], "run", PLAN)
