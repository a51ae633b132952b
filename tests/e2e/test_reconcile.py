"""Reconciliation judged by the simulator's own account, unchanged and as a cheat would print it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.locust_run import LocustRun, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
FAULTS = ("truncated_stream=0.25", "error_500=0.15", "stream_error=0.15", "reset=0.1")


def print_bill(path: Path, rows: list[dict[str, str]]) -> list[str]:
    """Writes the bill of these rows of the log; returns the names of its columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(
            file, ["request_id", "task_id", "model", "billed"], extrasaction="ignore"
        )
        out.writeheader()
        out.writerows(rows)
    return ["--bill", str(path)]


def findings(folder: Path) -> dict[str, int]:
    content = json.loads((folder / "reconcile.json").read_text("utf-8"))
    return {name: count for name, count in content["findings"].items() if count}


@pytest.fixture
def streams(simulator: Start, tmp_path: Path) -> tuple[LocustRun, list[dict[str, str]]]:
    """A window of streams of which many fail, and the gateway's own account of it."""
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    gateway = simulator("--profile", "fast", "--seed", 7, *faults)
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 1200, "--duration", 3,
        "--stream", "--stop-rule", "off", results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0 and len(result.rows()) == len(gateway.rows()) == 60, result.text
    return result, gateway.rows()


@pytest.mark.long
def test_the_gateways_account_agrees_except_for_unstated_charges(
    streams: tuple[LocustRun, list[dict[str, str]]], tmp_path: Path
) -> None:
    """Streams have no task_id and join by request id. Cut-off ones are charged but not stated."""
    result, rows = streams
    assert result.folder is not None
    billed = {row["request_id"]: float(row["billed"] or 0) for row in rows}
    held = {row.gateway_request_id: row for row in result.rows()}
    unsaid = [name for name, row in held.items() if row.api_cost is None and billed.get(name or "")]
    cut = [row for row in rows if row["fault"] in ("truncated_stream", "stream_error")]
    assert sorted(map(str, unsaid)) == sorted(row["request_id"] for row in cut) and cut
    bill = print_bill(tmp_path / "bill.csv", rows)
    assert main(["reconcile", str(result.folder), *bill]) == 1
    assert findings(result.folder) == {"failure_charged": len(cut)}


def test_a_doctored_account_is_detected(
    streams: tuple[LocustRun, list[dict[str, str]]], tmp_path: Path
) -> None:
    """One charge is raised, one left out, one printed twice, and failures are not charged."""
    result, rows = streams
    assert result.folder is not None
    good = [row for row in rows if row["fault"] == ""]
    raised, lost, twice, *rest = good
    doctored = [{**raised, "billed": "0.5"}, twice, twice, *rest]
    other = {**rest[0], "request_id": "chatcmpl-elsewhere"}
    assert (
        main(["reconcile", str(result.folder), *print_bill(tmp_path / "b.csv", [*doctored, other])])
        == 1
    )
    assert findings(result.folder) == {"differs": 1, "missing": 1, "doubled": 1}
    text = (result.folder / "reconcile.md").read_text("utf-8")
    assert "1 row of the bill" in text and "SIMULATED" not in text
    honest = print_bill(tmp_path / "honest.csv", good)
    assert main(["reconcile", str(result.folder), *honest]) == 0
