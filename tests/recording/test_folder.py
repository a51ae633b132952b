"""The run folder, its event log and its manifest."""

import json
import os
import re
from pathlib import Path

import pytest

from loadshapes.modes import plan
from recording import manifest as manifests
from recording.errors import OperatorError
from recording.event_log import EventLog
from recording.events import PhaseStart, Refused, RunEnd, RunStart
from recording.folder import check_output, create, from_here, new_run_id
from recording.manifest import manifest, project_version, write_json
from settings.options import Options, as_dict

SECRET = "sk-canary-77aa12"
OPTIONS = Options(mode="rpm", model="m", target="60", run_id="r", task_id_prefix="p")


def test_a_run_folder_is_made_with_its_parents_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = create(str(tmp_path / "a" / "b"), "run-1")
    assert folder == tmp_path / "a" / "b" / "run-1"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_existing_run_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    manifest_file = create(str(tmp_path), "run-1") / "manifest.json"
    manifest_file.write_text("first")
    with pytest.raises(OperatorError, match="exists: give another --run-id or --results"):
        create(str(tmp_path), "run-1")
    assert manifest_file.read_text() == "first"


def test_a_run_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OperatorError, match="cannot be made .Not a directory.: give another"):
        create(str(tmp_path / "file"), "run-1")


def test_a_read_only_results_folder_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)  # a superuser may write anywhere
    with pytest.raises(OperatorError, match="cannot be made .Permission denied."):
        create(str(tmp_path), "run-1")


def test_run_ids_are_unique_and_name_the_mode() -> None:
    run_ids = {new_run_id("rpm") for _ in range(50)}
    assert len(run_ids) > 45  # four random characters, within one second
    assert all(re.fullmatch(r"rpm-\d{8}T\d{6}-[0-9a-f]{4}", each) for each in run_ids)


def test_a_path_is_shown_from_the_working_folder_only_if_it_is_below_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, beside = tmp_path / "here" / "results" / "r", tmp_path / "here2" / "r"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert str(from_here(inside)) == os.path.join("results", "r")
    assert from_here(beside) == beside
    (tmp_path / "here").rmdir()
    assert from_here(inside) == inside, "the working folder is gone"


# ---- --output


def test_checking_a_writable_output_leaves_it_untouched(tmp_path: Path) -> None:
    target = tmp_path / "new" / "rows.jsonl"
    check_output(str(target))
    check_output("")
    assert not target.exists()
    assert list(target.parent.iterdir()) == []
    target.write_text("kept")
    check_output(str(target))
    assert target.read_text() == "kept"


@pytest.mark.parametrize("name", ["folder", "file/rows.jsonl"])
def test_an_output_that_cannot_be_written_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="--output .* cannot be written .*: give another path"):
        check_output(str(tmp_path / name))


def test_an_error_about_an_output_names_its_option(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="--junit .* cannot be written"):
        check_output(str(tmp_path), "--junit")


# ---- events.jsonl


def test_each_event_is_written_at_once_as_a_line_of_json(tmp_path: Path) -> None:
    event_log = EventLog(tmp_path / "events.jsonl")
    event_log.write(PhaseStart(phase="rpm/汉字", t0_unix_s=1.5))
    event_log.write(Refused(words='a "quote"\nand a line'))
    lines = (tmp_path / "events.jsonl").read_text("utf-8").splitlines()
    event_log.close()
    first, second = (json.loads(line) for line in lines)
    assert (first["event"], first["phase"], first["t0_unix_s"]) == ("phase_start", "rpm/汉字", 1.5)
    assert second["words"] == 'a "quote"\nand a line'
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", first["at"])
    assert "汉字" in lines[0], "non-ASCII text is kept readable"


def test_an_event_log_is_private_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for event in (RunStart(), RunEnd()):
        event_log = EventLog(path)
        event_log.write(event)
        event_log.close()
    events = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert events == ["run_start", "run_end"]
    assert path.stat().st_mode & 0o777 == 0o600


# ---- manifest.json


def made_manifest(base_url: str = "https://h/v1") -> dict[str, object]:
    return manifest(
        "r",
        options=as_dict(OPTIONS),
        plan=plan(OPTIONS).as_dicts(),
        gateway={"base_url": base_url, "simulated": False},
        currency="CNY",
        workers=2,
    )


def test_the_manifest_states_versions_options_plan_host_and_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manifests, "git_commit", lambda: "c0ffee")
    content = json.loads(json.dumps(made_manifest()))
    assert content["run_id"] == "r"
    assert {"python", "locust", "openai", "gevent", "pandas"} <= set(content["versions"])
    assert content["weighbridge"] == {"version": project_version(), "git_commit": "c0ffee"}
    assert content["options"] == as_dict(OPTIONS)
    assert [phase["name"] for phase in content["plan"]] == ["rpm/m/60"]
    assert content["plan"][0]["count"] == 60
    assert content["host"]["cores"] == os.cpu_count()
    assert {"name", "system"} <= set(content["host"])
    assert content["gateway"] == {"base_url": "https://h/v1", "simulated": False}
    assert (content["currency"], content["workers"], content["schema_version"]) == ("CNY", 2, 2)
    assert content["needs_version"] == "0.1.0"
    assert content["clock"]["durations"]["clock"] == "perf_counter"
    assert re.fullmatch(r"\d{4}-.*\+00:00", content["started_at"])


def test_the_manifest_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NONELINEAR_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    assert SECRET not in json.dumps(made_manifest())


def test_our_version_is_that_of_pyproject_toml() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", project_version())


def test_outside_a_checkout_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert manifests.git_commit() is None


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert manifests.git_commit() is None


def test_a_json_file_is_replaced_atomically_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text("old")
    write_json(path, {"x": "汉字"})
    assert json.loads(path.read_text("utf-8")) == {"x": "汉字"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
