"""The path of a row: to this process's part file, and from a worker to its master."""

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


def test_a_request_event_of_locust_becomes_a_row(tmp_path: Path) -> None:
    watched: list[RequestRecord] = []
    recorder = Recorder(ships=False, watch=watched.append)
    recorder.open("run", tmp_path, "local")
    recorder.on_request(context={"record": row()}, name="x", response_time=1.0)
    assert read(part_path(tmp_path, "local")) == watched == [row()]


@pytest.mark.parametrize("context", [None, {}, {"other": 1}])
def test_request_events_without_a_record_are_ignored(
    tmp_path: Path, context: dict[str, int] | None
) -> None:
    watched: list[RequestRecord] = []
    recorder = Recorder(ships=False, watch=watched.append)
    recorder.open("run", tmp_path, "local")
    recorder.on_request(context=context)
    assert not watched


def test_a_worker_sends_each_row_once_and_keeps_its_own_copy(tmp_path: Path) -> None:
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


def test_the_master_writes_a_copy_file_for_each_worker(tmp_path: Path) -> None:
    watched: list[RequestRecord] = []
    inbound = Inbound("run", tmp_path, watched.append)
    for worker in ("worker-0", "worker-1", "worker-0"):
        inbound.accept(worker, Parcel("run", [encode(row(worker=worker))]))
    inbound.close()
    assert len(read(part_path(tmp_path, "worker-0", copy=True))) == 2
    assert len(read(part_path(tmp_path, "worker-1", copy=True))) == 1
    assert len(watched) == 3


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


def test_rows_after_the_close_are_not_kept(tmp_path: Path) -> None:
    watched: list[RequestRecord] = []
    recorder = Recorder(ships=False, watch=watched.append)
    recorder.open("run", tmp_path, "local")
    recorder.close()
    recorder.close()
    recorder.keep(row())
    assert not watched


def test_a_row_of_the_previous_run_is_not_kept(tmp_path: Path) -> None:
    """It may arrive when the next run is already open."""
    watched: list[RequestRecord] = []
    recorder = Recorder(ships=True, watch=watched.append)
    recorder.open("run", tmp_path, "local")
    recorder.keep(row(run_id="before"))
    recorder.keep(row())
    assert read(part_path(tmp_path, "local")) == watched == [row()]
    assert recorder.parcel().rows == [encode(row())]


def test_rows_of_another_run_in_a_parcel_of_this_one_are_refused_row_by_row(tmp_path: Path) -> None:
    watched: list[RequestRecord] = []
    inbound = Inbound("run", tmp_path, watched.append)
    shipped = [encode(row()), encode(row(run_id="before", request_index=1))]
    inbound.accept("worker-0", Parcel("run", shipped))
    inbound.close()
    assert watched == [row()] and inbound.foreign == 1


def test_a_copy_file_that_cannot_be_begun_is_named_in_the_error(tmp_path: Path) -> None:
    """The disk is full before the header is written."""
    copy = tmp_path / "requests-w@master.csv"
    copy.symlink_to("/dev/full")
    watched: list[RequestRecord] = []
    inbound = Inbound("run", tmp_path, watched.append)
    with pytest.raises(OSError) as failed:
        inbound.accept("w", Parcel("run", [encode(row())]))
    assert failed.value.filename == str(copy)
    assert len(watched) == 1, "it is counted all the same"
