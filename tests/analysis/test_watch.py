"""`analysis watch` on runs of several days: exit codes, routes and references apart, in Chinese."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from analysis.__main__ import main
from identity.alpha import LOOKS
from identity.reference import Reference
from recording.record import RequestRecord
from tests.analysis.runs import make, phase, record
from tests.identity.endpoint import Endpoint, asked, enrolled
from tests.locust_run import ROOT

HONEST, OTHER = Endpoint(), Endpoint(weights=2)
RELAY, SECOND = "https://relay.example/v1", "https://second.example:8443/v1"
MODEL = "m"


def reference(seed: int = 1, ended: str = "2026-11-20T09:00:00+00:00") -> Reference:
    made = enrolled(HONEST, Random(seed))
    return replace(made, model=MODEL, host="vendor.example", began=ended, ended=ended)


KNOWN = reference()


def looked(known: Reference, served: Endpoint, dice: Random) -> list[RequestRecord]:
    """The rows of an audit: of all looks, or of the first, where another model shows."""
    rows, before = list[RequestRecord](), 0
    for rounds, _ in LOOKS if served == HONEST else LOOKS[:1]:
        answers = asked(served, [cell.question for cell in known.cells], rounds - before, dice)
        scenario, before = f"look-{rounds}", rounds
        rows += [
            record(
                index, mode="identity", scenario=scenario, phase=f"identity/{scenario}/{MODEL}",
                model_requested=MODEL, completion_id=f"{scenario}-{index}", target=None,
                check_detail=json.dumps({"question": one.question, "word": one.word}),
            )
            for index, one in enumerate(answers)
        ]  # fmt: skip
    return rows


def audited(
    folder: Path,
    day: int,
    served: Endpoint,
    known: Reference = KNOWN,
    url: str = RELAY,
    share: float = 1.0,
) -> Path:
    """A run of that day of November; `share` of its rows are there."""
    dice = Random(f"{day}/{url}/{served.weights}")
    rows = looked(known, served, dice)
    rows = rows[: int(len(rows) * share)]
    names = dict.fromkeys(str(row.phase) for row in rows)
    plan = [
        phase(name, mode="identity", scenario=name.split("/")[1], model=MODEL, kind="steady",
              target=None, duration_s=None)
        for name in names
    ]  # fmt: skip
    run = make(folder / f"identity-{day}-{url[8:14]}-{served.weights}-{known.ended[:10]}", *rows,
               plan=plan)  # fmt: skip
    path = run / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    manifest |= {
        "mode": "identity", "started_at": f"2026-11-{day:02}T05:17:00+00:00",
        "enrolled": known.as_dict(), "gateway": {"base_url": url},
        "options": {"mode": "identity", "model": MODEL, "reference": "r.json"},
    }  # fmt: skip
    path.write_text(json.dumps(manifest), "utf-8")
    return run


def watch(runs: Sequence[Path], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis", "watch", *map(str, runs), *options],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_three_days_that_differ_alarm_and_the_day_before_does_not(tmp_path: Path) -> None:
    served = [HONEST, OTHER, OTHER, OTHER]
    runs = [audited(tmp_path, 20 + n, one) for n, one in enumerate(served)]
    found = watch([runs[2], runs[0], runs[3], runs[1]], "--lang", "en")  # in any order
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        "m over relay.example, against the reference of 2026-11-20 09:00 over vendor.example: "
        "differs",
        "  2026-11-20  no difference shown",
        "  2026-11-21  differs",
        "  2026-11-22  differs",
        "  2026-11-23  differs",
    ]
    assert re.fullmatch(
        r"weighbridge: m over .* differs on each of the last 3 days .*\n", found.stderr
    )
    assert main(["watch", *map(str, runs[:3]), "--lang", "en"]) == 0
    assert main(["watch", *map(str, runs[:3]), "--days", "2"]) == 1


def test_an_honest_gateway_and_one_whose_last_day_is_fine_do_not_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [audited(tmp_path, 20 + n, one) for n, one in enumerate((OTHER, OTHER, HONEST))]
    assert main(["watch", *map(str, runs), "--lang", "en"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "" and printed.out.count("differs\n") == 2


def test_days_that_cannot_be_judged_are_not_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of each run was never asked: exit code 1, and what to do."""
    runs = [audited(tmp_path, day, HONEST, share=0.5) for day in (20, 21, 22)]
    assert main(["watch", *map(str, runs), "--lang", "en"]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("  2026-11-2") == printed.out.count("  not enough") == 3
    assert "ask again" in printed.err


def test_two_routes_in_one_folder_are_judged_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The good day of one clears no bad days of the other."""
    bad = [audited(tmp_path, day, OTHER) for day in (20, 21, 22)]
    good = [audited(tmp_path, 22, HONEST, url=SECOND)]
    assert main(["watch", *map(str, [*bad, *good]), "--lang", "en"]) == 1
    printed = capsys.readouterr()
    assert "m over relay.example, " in printed.err and "second.example" not in printed.err
    assert "m over second.example:8443, against" in printed.out
    assert main(["watch", *map(str, good)]) == 0


def test_days_with_another_reference_are_not_mixed_and_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest run's reference counts: two days against it are no three, although the days before
    differed from an older one."""
    newer = reference(2, "2026-11-22T04:00:00+00:00")
    old = [audited(tmp_path, day, OTHER) for day in (19, 20, 21)]
    new = [audited(tmp_path, day, OTHER, newer) for day in (22, 23)]
    assert main(["watch", *map(str, [*old, *new]), "--lang", "en"]) == 1
    printed = capsys.readouterr()
    told = "compared with something else: against the reference of 2026-11-20 09:00 over vendor."
    assert "  not counted, " in printed.out and f"{told}example (3)\n" in printed.out
    assert "2026-11-21" not in printed.out and "too few have a verdict" in printed.err
    cleared = audited(tmp_path, 24, HONEST, newer)
    assert main(["watch", *map(str, [*old, *new, cleared])]) == 0


def test_in_chinese_no_english_sentence_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [audited(tmp_path, day, OTHER) for day in (20, 21, 22)]
    runs.append(audited(tmp_path, 19, HONEST, reference(2, "2026-11-10T04:00:00+00:00")))
    assert main(["watch", *map(str, runs), "--lang", "zh"]) == 1
    printed = capsys.readouterr()
    assert (
        "m，经 relay.example，对照 2026-11-20 09:00 经 vendor.example 的参照：有差异" in printed.out
    )
    assert "因比较对象不同而未计入" in printed.out and "每天都有差异" in printed.err
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", printed.out + printed.err)


@pytest.mark.parametrize("days", ["0", "-1"])
def test_what_cannot_be_watched_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], days: str
) -> None:
    run = make(tmp_path / "rpm", record(0))
    assert main(["watch", str(run), "--lang", "en"]) == 2
    assert "has no requests of mode identity: leave it out." in capsys.readouterr().err
    assert main(["watch", str(run), "--days", days, "--lang", "en"]) == 2
    assert "give 1 or more" in capsys.readouterr().err
