"""The JSON schemas accept what is really written, and refuse what is not a run."""

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
    content: dict[str, Any] = json.loads((ROOT / "docs" / "schema" / f"{name}.json").read_text())
    return content


def check(name: str, content: Any) -> None:
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(schema(name), format_checker=checker).validate(content)


def real(mode: str = "full") -> dict[str, Any]:
    """The manifest of a run as a session writes it, read back from JSON."""
    options = replace(Options(), mode=mode, model="m" if mode == "interactive" else "")
    plan = modes.plan(options)
    written = manifest(
        "r",
        options=as_dict(options),
        plan=plan.as_dicts(),
        gateway={"base_url": "http://gw/v1", "simulated": False},
        currency=None,
        workers=1,
    )
    read_back: dict[str, Any] = json.loads(json.dumps(written))
    return read_back


def summary(folder: Path) -> Any:
    """summary.json of a run, read back from the file."""
    report.write(report.look(load(folder)))
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["manifest", "summary"])
def test_each_schema_is_a_valid_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("mode", ["full", "interactive"])
def test_the_manifest_of_each_mode_is_valid(mode: str) -> None:
    """With phases of every kind, also without a count or a duration."""
    check("manifest", real(mode))


@pytest.mark.parametrize("mode", ["full", "interactive"])
def test_a_phase_has_exactly_the_fields_of_the_schema(mode: str) -> None:
    """Only an imported one has a wall clock."""
    for planned in real(mode)["plan"]:
        assert set(planned) == set(PlannedPhase.__annotations__) - {"wall_s"}


def test_the_manifest_of_an_imported_run_is_valid(tmp_path: Path) -> None:
    run = load(make(tmp_path / "r", record(0), failed(1)))
    article_jsonl.write(run, tmp_path / "r.jsonl")
    imported = import_jsonl.read([tmp_path / "r.jsonl"], tmp_path / "results")
    check("manifest", json.loads((imported / "manifest.json").read_text(encoding="utf-8")))


def test_summaries_of_all_kinds_of_runs_are_valid(tmp_path: Path) -> None:
    """Of every mode, of failures alone, and of a run that sent nothing."""
    check("summary", summary(everything(tmp_path / "whole")))
    check("summary", summary(make(tmp_path / "bad", failed(0), dropped(1), record(2))))
    check("summary", summary(make(tmp_path / "none", plan=[phase(count=5)], events=[])))


def test_fields_of_a_newer_version_are_allowed() -> None:
    """Readers are told to ignore unknown fields; so are the schemas."""
    content = real()
    content["new"] = 1
    content["plan"][0]["new"] = {"a": [1]}
    content["options"]["new"] = None
    check("manifest", content)


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
def test_a_wrong_value_in_a_manifest_is_refused(path: list[Any], value: Any) -> None:
    content: Any = real()
    place = content
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check("manifest", content)


def test_every_field_that_the_schema_describes_is_written(tmp_path: Path) -> None:
    """The schema promises nothing that a summary's phases lack."""
    described = schema("summary")["properties"]["phases"]["items"]["properties"]
    found = summary(everything(tmp_path / "r"))["phases"][0]
    assert set(described) <= set(found)


def test_a_verdict_in_summary_json_is_only_its_level_and_its_text(tmp_path: Path) -> None:
    """What only the page needs is not in the file, whose fields change only by version."""
    verdicts = summary(make(tmp_path / "r", failed(0), dropped(1), record(2)))["verdicts"]
    assert verdicts and all(set(verdict) == {"level", "text"} for verdict in verdicts)
