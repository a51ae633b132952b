"""The JSON schemas hold for what is really written, and refuse what is not a run."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from analysis.export import article_jsonl
from analysis.reading import import_jsonl
from analysis.reading.load import load
from analysis.report import report
from loadshapes import modes
from recording.manifest import manifest
from recording.manifest_content import PlannedPhase
from settings.options import Options, as_dict
from tests.analysis.runs import dropped, everything, failed, make, phase, record
from tests.locust_run import ROOT


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "schema" / f"{name}.json").read_text())
    return found


def check(name: str, content: Any) -> None:
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(schema(name), format_checker=checker).validate(content)


def real(mode: str = "full") -> dict[str, Any]:
    """The manifest of a run, as a session writes it, read back from JSON."""
    asked = replace(Options(), mode=mode, model="m" if mode == "interactive" else "")
    plan = modes.plan(asked)
    made = manifest(
        "r",
        options=as_dict(asked),
        plan=plan.as_dicts(),
        gateway={"base_url": "http://gw/v1", "simulated": False},
        currency=None,
        workers=1,
    )
    found: dict[str, Any] = json.loads(json.dumps(made))
    return found


def summary(folder: Path) -> Any:
    """summary.json of a run, read back from the file."""
    report.write(report.look(load(folder)))
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["manifest", "summary"])
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("mode", ["full", "interactive"])
def test_a_manifest_is_valid(mode: str) -> None:
    """Phases of every kind, those without a count or a duration too."""
    check("manifest", real(mode))


@pytest.mark.parametrize("mode", ["full", "interactive"])
def test_a_phase_has_the_fields_that_manifests_hold(mode: str) -> None:
    """Each of them, and no other; only an imported one has a wall clock."""
    for planned in real(mode)["plan"]:
        assert set(planned) == set(PlannedPhase.__annotations__) - {"wall_s"}


def test_the_manifest_of_an_imported_run_is_valid(tmp_path: Path) -> None:
    run = load(make(tmp_path / "r", record(0), failed(1)))
    article_jsonl.write(run, tmp_path / "r.jsonl")
    imported = import_jsonl.read([tmp_path / "r.jsonl"], tmp_path / "results")
    check("manifest", json.loads((imported / "manifest.json").read_text(encoding="utf-8")))


def test_a_summary_is_valid(tmp_path: Path) -> None:
    """Of every mode, of failures alone, and of a run that sent nothing."""
    check("summary", summary(everything(tmp_path / "whole")))
    check("summary", summary(make(tmp_path / "bad", failed(0), dropped(1), record(2))))
    check("summary", summary(make(tmp_path / "none", plan=[phase(count=5)], events=[])))


def test_fields_of_a_newer_version_are_allowed() -> None:
    """Readers are told to ignore them; so do the schemas."""
    made = real()
    made["new"] = 1
    made["plan"][0]["new"] = {"a": [1]}
    made["options"]["new"] = None
    check("manifest", made)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["run_id"], ""),
        (["schema_version"], 99),
        (["plan", 0, "kind"], "sideways"),
        (["gateway", "simulated"], "no"),
        (["options", "duration"], "60"),
        (["started_at"], None),
    ],
)
def test_what_is_wrong_is_refused(path: list[Any], value: Any) -> None:
    made: Any = real()
    place = made
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check("manifest", made)


def test_every_field_that_the_schema_describes_is_written(tmp_path: Path) -> None:
    """It promises nothing that a summary's phases do not hold."""
    described = schema("summary")["properties"]["phases"]["items"]["properties"]
    found = summary(everything(tmp_path / "r"))["phases"][0]
    assert set(described) <= set(found)


def test_a_verdict_of_the_summary_is_its_level_and_its_text(tmp_path: Path) -> None:
    """What the page alone needs of one stays there: the file's fields change by version only."""
    found = summary(make(tmp_path / "r", failed(0), dropped(1), record(2)))["verdicts"]
    assert found and all(set(verdict) == {"level", "text"} for verdict in found)
