"""A line that stands for unsent requests counts as the rows would:

against a run that has the rows.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.export import article_jsonl, csv_parquet
from analysis.numbers.buckets import of_phase
from analysis.reading.columns import schema
from analysis.reading.load import RunError, load, rows
from analysis.reading.not_sent import Unfolded
from analysis.reading.rows import Memory
from analysis.reconcile.reconciliation import reconcile
from analysis.report.report import look
from loadshapes.phase import Phase
from recording.not_sent import EVENT, Unsent
from recording.record import RequestRecord
from tasks.job import Job, Origin
from tasks.row import planned_only
from tests.analysis.runs import failed, make, record
from tests.builders import changed, phase_of

WHY = "the run was stopped"
WINDOW = phase_of(
    name="rpm/gpt-5.4-nano/600", mode="rpm", scenario="chat", model="gpt-5.4-nano",
    kind="arrivals", request="marker", users=20, count=600, duration_s=60.0, target=600,
    max_tokens=16, task_prefix="nl-rpm-gpt-5.4-nano-target-600-req-",
)  # fmt: skip
KINDS = {
    "even": WINDOW,
    "poisson": changed(WINDOW, poisson="7/x"),
    "trace": changed(WINDOW, times_s=tuple(round((i / 600) ** 2 * 60, 3) for i in range(600))),
    "steady": changed(WINDOW, kind="steady", duration_s=None),
    "burst": changed(WINDOW, kind="burst", users=600, duration_s=None),
}


def unsent(phase: Phase, first: int, step: int = 1, run: str = "demo", **more: Any) -> Unsent:
    indices = range(first, phase.count or 0, step)
    dues = [phase.due_s(index) for index in (indices[0], indices[-1])]
    fields: dict[str, Any] = {
        "run_id": run, "worker": "local", "phase": phase.name, "model": phase.model,
        "first": first, "last": indices[-1], "step": step, "count": len(indices), "reason": WHY,
        "due_first_s": None if dues[0] is None else round(dues[0], 6),
        "due_last_s": None if dues[1] is None else round(dues[1], 6),
    }  # fmt: skip
    return Unsent(**(fields | more))


def event(line: Unsent) -> dict[str, Any]:
    return {"at": "2026-11-24T00:01:00+00:00", "event": EVENT, **line.as_dict()}


def dropped_rows(phase: Phase, line: Unsent) -> list[RequestRecord]:
    """The rows that the recorder wrote for them before it wrote such lines."""
    origin = Origin("demo", "local", "")
    unsent_rows = []
    for index in line.indices:
        row = planned_only(Job(phase, index, 0.0, phase.due_s(index), lambda _: None), origin, WHY)
        unsent_rows.append(replace(row, timestamp="2026-11-24T00:01:00+00:00"))
    return unsent_rows


def sent(phase: Phase, count: int) -> list[RequestRecord]:
    good = [record(i, phase=phase.name, max_tokens=16, duration_s=phase.duration_s)
            for i in range(count)]  # fmt: skip
    return [*good[:-1], failed(count - 1, phase=phase.name, duration_s=phase.duration_s)]


def both(tmp_path: Path, phase: Phase, **options: Any) -> tuple[Path, Path]:
    """The same run twice: 100 sent and a line for the rest; 100 sent and 500 dropped rows."""
    line, plan = unsent(phase, 100), [phase.as_dict()]
    end = {"at": "2026-11-24T00:01:01+00:00", "event": "run_end", "completed": False}
    folded = make(tmp_path / "folded", *sent(phase, 100), plan=plan, events=[event(line), end],
                  options=options)  # fmt: skip
    all_rows = [*sent(phase, 100), *dropped_rows(phase, line)]
    plain = make(tmp_path / "plain", *all_rows, plan=plan, events=[end], options=options)
    return folded, plain


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_unfolds_to_the_rows_that_the_recorder_wrote(tmp_path: Path, kind: str) -> None:
    folded, plain = (load(folder) for folder in both(tmp_path, KINDS[kind]))
    assert rows(folded.requests) == rows(plain.requests)
    places = [0, 99, 100, 101, 350, 599, 100, 5]
    names = ["task_id", "scheduled_offset_s", "outcome", "error_message", "content"]
    assert rows(folded.rows.at(places, names)) == rows(plain.rows.at(places, names))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("warmup", [0.0, 15.0])
def test_a_line_gives_every_number_that_the_rows_give(
    tmp_path: Path, kind: str, warmup: float
) -> None:
    folded, plain = (load(folder) for folder in both(tmp_path, KINDS[kind], warmup=warmup))
    summary_of_line, summary_of_rows = look(folded), look(plain)
    assert summary_of_line.phases == summary_of_rows.phases
    assert warmup or summary_of_line.phases[0].dropped == 500
    name = WINDOW.name
    assert of_phase(folded, name, 60.0) == of_phase(plain, name, 60.0)
    assert list(article_jsonl.lines(folded)) == list(article_jsonl.lines(plain))
    assert reconcile(folded, None, None, None).lines == reconcile(plain, None, None, None).lines


def test_an_export_has_one_row_per_planned_request(tmp_path: Path) -> None:
    folded, plain = both(tmp_path, WINDOW)
    for number, folder in enumerate((folded, plain)):
        csv_parquet.write(load(folder), tmp_path / f"{number}.csv")
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_a_row_outweighs_a_line_that_says_it_was_not_sent(tmp_path: Path) -> None:
    """A resumed run sent what an earlier attempt had not; two lines count once."""
    lines = [unsent(WINDOW, 100), unsent(WINDOW, 300), unsent(WINDOW, 301, 3)]
    folder = make(
        tmp_path / "r", *sent(WINDOW, 400), plan=[WINDOW.as_dict()], events=[*map(event, lines)]
    )
    run = load(folder)
    assert len(run.requests) == 600 and not run.remarks
    assert (run.requests["outcome"] == "dropped").sum() == 200


def test_the_lines_of_three_workers_are_together_all_unsent_requests(tmp_path: Path) -> None:
    lines = [unsent(WINDOW, 100 + slot, 3, worker=f"worker-{slot}") for slot in range(3)]
    run = load(make(tmp_path / "r", *sent(WINDOW, 100), plan=[WINDOW.as_dict()],
                    events=[*map(event, lines)]))  # fmt: skip
    frame = run.requests[run.requests["outcome"] == "dropped"]
    assert list(frame["request_index"]) == list(range(100, 600))
    assert set(frame["worker"]) == {"worker-0", "worker-1", "worker-2"}


def test_864000_unsent_requests_take_two_small_files(tmp_path: Path) -> None:
    long = changed(WINDOW, count=864_000, duration_s=43_200.0)
    folder = make(tmp_path / "r", *sent(long, 100), plan=[long.as_dict()],
                  events=[event(unsent(long, 100))])  # fmt: skip
    (phase,) = look(load(folder)).phases
    assert (phase.planned, phase.dropped, phase.success) == (864_000, 863_900, 99)
    assert phase.success_rate == 99 / 864_000
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": -1}, {"step": 0}, {"count": 10**9}, {"count": -1}, {"first": "0"}, {"last": 1e9},
        {"phase": None}, {"reason": 3}, {"last": 10**12, "count": 1}, {"first": True},
        {"due_last_s": "soon"}, {"attempt": None},
    ],
)  # fmt: skip
def test_a_damaged_line_is_refused_in_one_sentence(tmp_path: Path, wrong: dict[str, Any]) -> None:
    damaged = event(unsent(WINDOW, 100)) | wrong
    folder = make(tmp_path / "r", record(0), plan=[WINDOW.as_dict()], events=[damaged])
    with pytest.raises(RunError, match=r"events.jsonl(: an event not_sent is damaged|, line 1: )"):
        load(folder)


def test_a_line_for_no_requests_has_no_rows() -> None:
    assert (
        len(
            Unfolded(
                [{"event": "run_end"}], [WINDOW.as_dict()], Memory(schema().empty_table()), "x"
            )
        )
        == 0
    )


def test_export_recorded_leaves_out_unsent_rows_but_counts_them(tmp_path: Path) -> None:
    folded, plain = both(tmp_path, WINDOW)
    recorded = load(folded, 0)
    assert len(recorded.requests) == 100
    assert look(recorded).phases == look(load(plain)).phases
    assert main(["export", str(folded), "--recorded", "--output", str(tmp_path / "o.csv")]) == 0
    assert len((tmp_path / "o.csv").read_text("utf-8").splitlines()) == 101
