"""Part files are private, appended to, and keep whole rows whatever happens to the process."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recording.csv_sink import CsvSink, part_path
from recording.record import COLUMNS, RequestRecord, decode
from tests.recording.rows import HOSTILE, row

ROOT = Path(__file__).resolve().parent.parent.parent


def read(path: Path) -> list[RequestRecord]:
    csv.field_size_limit(10**7)
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        assert tuple(next(lines)) == COLUMNS
        return [decode(cells) for cells in lines]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests-local.csv"


def test_a_part_file_is_readable_by_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        CsvSink(path).close()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_file_begins_with_the_header(path: Path) -> None:
    CsvSink(path).close()
    assert path.read_bytes() == ",".join(COLUMNS).encode() + b"\r\n"


def test_each_row_is_readable_as_soon_as_it_is_added(path: Path) -> None:
    sink = CsvSink(path)
    for index in range(5):
        sink.add(row(request_index=index, content=HOSTILE[index]))
        assert [each.request_index for each in read(path)] == list(range(index + 1))
    sink.close()


def test_an_existing_file_is_appended_to_with_one_header(path: Path) -> None:
    for index in range(3):
        sink = CsvSink(path)
        sink.add(row(request_index=index))
        sink.close()
    assert [each.request_index for each in read(path)] == [0, 1, 2]
    assert path.read_text("utf-8").count("schema_version") == 1


def test_hostile_texts_stay_within_their_rows(path: Path) -> None:
    sink = CsvSink(path)
    for index, text in enumerate(HOSTILE):
        sink.add(row(request_index=index, content=text, error_message=text, task_id=text))
    sink.close()
    assert [each.request_index for each in read(path)] == list(range(len(HOSTILE)))


def test_adding_a_row_after_the_close_is_an_error(path: Path) -> None:
    sink = CsvSink(path)
    sink.close()
    with pytest.raises(ValueError):
        sink.add(row())


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        CsvSink(tmp_path / "missing" / "requests.csv")


def test_a_full_disk_is_an_os_error_and_not_a_silent_loss() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError):
        CsvSink(full).add(row())


WRITER = """
import os, sys
from pathlib import Path
from recording.csv_sink import CsvSink
from tests.recording.rows import row
sink = CsvSink(Path(sys.argv[1]))
for index in range(10**9):
    sink.add(row(request_index=index, content="x" * (index % 5000)))
    print(index, flush=True)
"""


@pytest.mark.parametrize("kept", [1, 7, 250])
def test_kill_9_loses_no_row_that_was_added(path: Path, kept: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        added = [int(child.stdout.readline()) for _ in range(kept)]
    finally:
        child.send_signal(signal.SIGKILL)
    added += [int(line) for line in child.stdout.read().splitlines()]
    child.wait(10)
    child.stdout.close()
    whole = path.read_bytes()
    whole = whole[: whole.rindex(b"\r\n") + 2]  # the row it was killed in may be torn
    path.write_bytes(whole)
    written = [each.request_index for each in read(path)]
    assert written[: len(added)] == added


def test_part_files_are_named_by_worker_and_the_masters_copies_differently(tmp_path: Path) -> None:
    assert part_path(tmp_path, "worker-1").name == "requests-worker-1.csv"
    assert part_path(tmp_path, "worker-1", copy=True).name == "requests-worker-1@master.csv"


def test_rows_are_never_appended_to_a_file_with_another_versions_header(tmp_path: Path) -> None:
    path = tmp_path / "requests-local.csv"
    path.write_bytes(b"schema_version,run_id\r\n1,r\r\n")
    with pytest.raises(FileExistsError, match="columns of another version"):
        CsvSink(path)
    assert path.read_bytes() == b"schema_version,run_id\r\n1,r\r\n"
