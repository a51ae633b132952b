"""Rows on their way: to this process's part file, and from a worker to its master."""

import csv
from pathlib import Path

import pytest

from recording.csv_sink import part_path
from recording.record import RequestRecord, decode, encode
from recording.recorder import Inbound, Parcel, Recorder
from tests.recording.rows import row


def read(path: Path) -> list[RequestRecord]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    return [decode(cells) for cells in lines[1:]]


def test_a_locust_event_becomes_a_row(tmp_path: Path) -> None:
    seen: list[RequestRecord] = []
    recorder = Recorder(ships=False, watch=seen.append)
    recorder.open("run", tmp_path, "local")
    recorder.on_request(context={"record": row()}, name="x", response_time=1.0)
    assert read(part_path(tmp_path, "local")) == seen == [row()]


@pytest.mark.parametrize("context", [None, {}, {"other": 1}])
def test_events_of_others_are_passed_over(tmp_path: Path, context: dict[str, int] | None) -> None:
    seen: list[RequestRecord] = []
    recorder = Recorder(ships=False, watch=seen.append)
    recorder.open("run", tmp_path, "local")
    recorder.on_request(context=context)
    assert not seen


def test_a_worker_ships_each_row_once_and_keeps_its_own_copy(tmp_path: Path) -> None:
    recorder = Recorder(ships=True, watch=lambda _: None)
    recorder.open("run", tmp_path, "worker-0")
    rows = [row(request_index=index) for index in range(3)]
    recorder.keep(rows[0])
    recorder.keep(rows[1])
    first = recorder.parcel()
    recorder.keep(rows[2])
    second = recorder.parcel()
    assert first == Parcel("run", [encode(rows[0]), encode(rows[1])])
    assert second.rows == [encode(rows[2])]
    assert recorder.parcel().rows == []
    assert read(part_path(tmp_path, "worker-0")) == rows


def test_the_master_writes_a_worker_its_own_copy(tmp_path: Path) -> None:
    seen: list[RequestRecord] = []
    inbound = Inbound("run", tmp_path, seen.append)
    for worker in ("worker-0", "worker-1", "worker-0"):
        inbound.accept(worker, Parcel("run", [encode(row(worker=worker))]))
    inbound.close()
    assert len(read(part_path(tmp_path, "worker-0", copy=True))) == 2
    assert len(read(part_path(tmp_path, "worker-1", copy=True))) == 1
    assert len(seen) == 3


def test_rows_of_another_run_are_refused_and_counted(tmp_path: Path) -> None:
    inbound = Inbound("run", tmp_path, lambda _: None)
    inbound.accept("worker-0", Parcel("older", [encode(row()), encode(row())]))
    inbound.accept("worker-0", Parcel("run", []))
    assert inbound.foreign == 2
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_begins_a_new_file_and_an_empty_outbox(tmp_path: Path) -> None:
    recorder = Recorder(ships=True, watch=lambda _: None)
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        recorder.open(name, folder, "w")
        recorder.keep(row(run_id=name))
    assert [each.run_id for each in read(part_path(tmp_path / "one", "w"))] == ["one"]
    assert recorder.parcel().rows == [encode(row(run_id="two"))]


def test_after_the_close_nothing_is_kept(tmp_path: Path) -> None:
    seen: list[RequestRecord] = []
    recorder = Recorder(ships=False, watch=seen.append)
    recorder.open("run", tmp_path, "local")
    recorder.close()
    recorder.close()
    recorder.keep(row())
    assert not seen


def test_a_run_holds_its_own_rows_alone(tmp_path: Path) -> None:
    """A row of the run before, that comes when the next is open, is nobody's."""
    seen: list[RequestRecord] = []
    recorder = Recorder(ships=True, watch=seen.append)
    recorder.open("run", tmp_path, "local")
    recorder.keep(row(run_id="before"))
    recorder.keep(row())
    assert read(part_path(tmp_path, "local")) == seen == [row()]
    assert recorder.parcel().rows == [encode(row())]


def test_a_parcel_of_this_run_with_rows_of_another_is_refused_row_by_row(tmp_path: Path) -> None:
    seen: list[RequestRecord] = []
    inbound = Inbound("run", tmp_path, seen.append)
    shipped = [encode(row()), encode(row(run_id="before", request_index=1))]
    inbound.accept("worker-0", Parcel("run", shipped))
    inbound.close()
    assert seen == [row()] and inbound.foreign == 1


def test_a_copy_that_cannot_even_begin_is_named(tmp_path: Path) -> None:
    """The disk is full before the copy's header is written: the error says which file it was."""
    copy = tmp_path / "requests-w@master.csv"
    copy.symlink_to("/dev/full")
    seen: list[RequestRecord] = []
    inbound = Inbound("run", tmp_path, seen.append)
    with pytest.raises(OSError) as failed:
        inbound.accept("w", Parcel("run", [encode(row())]))
    assert failed.value.filename == str(copy)
    assert len(seen) == 1, "it is counted all the same"
