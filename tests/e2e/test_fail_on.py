"""Use in CI: the exit code, the one sentence, and the JUnit file of a headless run."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from tests.locust_run import LocustRun, command, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]
WINDOW = ("--mode", "rpm", "--model", "gpt-5.4-nano", "--target", 600, "--duration", 2)


def sentences(result: LocustRun) -> list[str]:
    """Our own lines on stderr; Locust's log lines begin differently."""
    return [line for line in result.err.splitlines() if line.startswith("weighbridge: ")]


def test_a_run_that_is_good_enough_ends_with_0(simulator: Start, tmp_path: Path) -> None:
    """The summary and the report's paths are printed, every check passes, and stderr is clean."""
    gateway = simulator("--profile", "fast")
    result = run(
        "-H", gateway.url, *WINDOW, "--fail-on", "success_rate<1,p95_s>10,cost>0.5,dropped>0",
        "--junit", tmp_path / "ci" / "junit.xml", results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 0, result.text
    assert sentences(result) == []
    lines = result.out.splitlines()
    assert result.folder is not None and lines[0] == f"run {result.folder.name}"
    assert any(line.startswith("rpm/gpt-5.4-nano/600 ") and "ok:20" in line for line in lines)
    paths = [str(result.folder / name) for name in ("report.md", "report.html", "summary.json")]
    assert lines[-5:] == [*paths, str(tmp_path / "ci" / "junit.xml"), "all 5 checks passed"]
    suite = ElementTree.parse(tmp_path / "ci" / "junit.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("5", "0")


def test_paths_below_the_working_folder_are_printed_from_there(
    simulator: Start, tmp_path: Path
) -> None:
    """As they were given and as the pages show them; so is the folder in a refusal. A package of
    the operator's that is called as one of ours is left alone."""
    gateway = simulator("--profile", "fast")
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "__init__.py").write_text("raise SystemExit(9)")
    given = ("-H", gateway.url, *WINDOW, "--run-id", "mine", "--junit", "ci/junit.xml")
    result = run(*given, results=tmp_path / "results", cwd=tmp_path)
    assert result.code == 0, result.text
    names = ("report.md", "report.html", "summary.json")
    assert result.out.splitlines()[-4:] == [*(f"results/mine/{n}" for n in names), "ci/junit.xml"]
    assert (tmp_path / "ci" / "junit.xml").is_file()
    again = run(*given, results=tmp_path / "results", cwd=tmp_path)
    assert sentences(again) == [
        "weighbridge: the run folder results/mine exists: give another --run-id or --results."
    ]


def test_a_failing_condition_ends_with_1(simulator: Start, tmp_path: Path) -> None:
    """One sentence names phase, metric, value and limit; the JUnit file says the same."""
    gateway = simulator("--profile", "fast", "--fault", "error_500=1.0")
    junit = tmp_path / "junit.xml"
    result = run(
        "-H", gateway.url, *WINDOW, "--stop-rule", "off", "--junit", junit,
        "--fail-on", "success_rate<0.99,failures>100", results=tmp_path / "results",
    )  # fmt: skip
    assert result.code == 1, result.text
    text = "rpm/gpt-5.4-nano/600: success_rate is 0 (fails if <0.99)"
    assert sentences(result) == [f"weighbridge: 1 of 3 checks failed: {text}."]
    failures = ElementTree.parse(junit).getroot().findall(".//failure")
    assert [failure.attrib["message"] for failure in failures] == [text]


def test_without_conditions_a_failed_request_is_data(simulator: Start, tmp_path: Path) -> None:
    """A run that completed its plan exits with 0, whatever the gateway answered."""
    gateway = simulator("--profile", "fast", "--fault", "error_500=1.0")
    result = run("-H", gateway.url, *WINDOW, "--stop-rule", "off", results=tmp_path / "results")
    assert (result.code, sentences(result)) == (0, []), result.text


def test_a_cost_that_is_not_stated_fails_its_limit(simulator: Start, tmp_path: Path) -> None:
    """OpenAI's dialect has no cost: unknown is not 0, and not below any limit."""
    gateway = simulator("--profile", "fast", "--dialect", "openai")
    result = run("-H", gateway.url, *WINDOW, "--fail-on", "cost>100", results=tmp_path / "results")
    assert result.code == 1, result.text
    (sentence,) = sentences(result)
    assert "the run: cost is unknown, no request states one (fails if >100)" in sentence


def test_a_run_that_was_stopped_ends_with_1(simulator: Start, tmp_path: Path) -> None:
    """SIGTERM during a window: there is a report, and the sentence says it is incomplete."""
    gateway = simulator("--profile", "fast", "--latency", "0.1")
    process = subprocess.Popen(
        command("--results", tmp_path / "results", "-H", gateway.url, *WINDOW[:-1], 60),
        env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "running" in line:
            break
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=240)
    result = LocustRun(process.returncode, out, err, None)
    assert result.code == 1, result.text
    (sentence,) = sentences(result)
    assert sentence.startswith(
        "weighbridge: the run ended before its plan was done (the run was stopped"
    )
    assert "report.html" in result.out


def test_a_broken_condition_is_refused_before_anything_is_sent(
    simulator: Start, tmp_path: Path
) -> None:
    """Exit code 2, one sentence, no run folder, no request."""
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, *WINDOW, "--fail-on", "p95_s>>1", results=tmp_path / "results")
    assert result.code == 2, result.text
    (sentence,) = sentences(result)
    assert "is not a condition" in sentence and "Traceback" not in result.text
    assert result.folder is None
    assert gateway.rows() == []


def test_a_junit_file_that_cannot_be_written_is_refused(simulator: Start, tmp_path: Path) -> None:
    """This is detected before a request is paid for."""
    gateway = simulator("--profile", "fast")
    result = run("-H", gateway.url, *WINDOW, "--junit", tmp_path, results=tmp_path / "results")
    assert result.code == 2, result.text
    assert "--junit" in sentences(result)[0]
    assert gateway.rows() == []
