"""The API key, a marker string, is searched for in everything that a run writes and prints."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from analysis.__main__ import main as analysis
from tests.locust_run import CANARY, command, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


def leaks(folder: Path) -> list[str]:
    """The files in the folder that contain the key."""
    files = [path for path in folder.rglob("*") if path.is_file() and "simulator" not in path.name]
    return [str(path) for path in files if CANARY.encode() in path.read_bytes()]


@pytest.mark.parametrize("stream", [pytest.param(False, marks=pytest.mark.long), True])
def test_the_key_is_in_no_file_and_no_output(
    simulator: Start, tmp_path: Path, stream: bool
) -> None:
    """With answers, with refusals, and when the gateway echoes the Authorization header."""
    gateway = simulator("--profile", "fast", "--fault", "echo_auth=0.25",
                        "--fault", "error_401=0.25", "--fault", "error_500=0.25")  # fmt: skip
    result = run(
        "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 2,
        "--output", tmp_path / "out.jsonl", "--csv", tmp_path / "locust", "--html",
        tmp_path / "locust.html", "--loglevel", "DEBUG", "--stop-rule", "off",
        *(["--stream"] if stream else []),
        results=tmp_path / "results", env=environment(OPENAI_LOG="debug"),
    )  # fmt: skip
    rows = result.rows()
    assert len(rows) == 20
    assert {"ok", "auth", "server_error"} <= {row.outcome for row in rows}
    assert any("[key]" in (row.error_message or "") for row in rows)
    assert CANARY not in result.text
    assert leaks(tmp_path) == []


@pytest.mark.parametrize(
    "mode",
    [
        ("--mode", "smoke", "--model", "a,b,c,d"),
        ("--mode", "tools", "--model", "m", "--repeat", 8),
        ("--mode", "ladder", "--model", "m", "--steps", "4,8", "--step-pause", 0, "--stream"),
    ],
    ids=["smoke", "tools", "ladder"],
)
def test_the_key_reaches_no_other_host_whatever_the_gateway_does(
    simulator: Start, tmp_path: Path, mode: tuple[object, ...]
) -> None:
    """Gateways that echo it, break off, or redirect to another host: it is in no file and no
    output, and no request reaches the other host."""
    other = simulator("--profile", "fast")
    faults = {"echo_auth": 0.4, "redirect": 0.4, "malformed": 0.1, "reset": 0.1}
    gateway = simulator(
        "--profile", "fast", "--redirect-to", f"{other.url}/chat/completions", "--seed", 3,
        *(part for fault in faults.items() for part in ("--fault", "{}={}".format(*fault))),
    )  # fmt: skip
    result = run(
        "-H", gateway.url, *mode, "--task-id-prefix", "t", "--stop-rule", "off",
        "--task-id-on-streams",
        "--output", tmp_path / "out.jsonl", "--junit", tmp_path / "junit.xml",
        "--fail-on", "failures>0", "--html", tmp_path / "locust.html", "--loglevel", "DEBUG",
        results=tmp_path / "results", env=environment(OPENAI_LOG="debug"),
    )  # fmt: skip
    assert result.code == 1, result.text
    met = {row["fault"] for row in gateway.rows()}
    assert {"echo_auth", "redirect"} <= met, met
    assert CANARY not in result.text
    assert leaks(tmp_path) == []
    assert other.rows() == []


@pytest.mark.parametrize("how", [("--simulator",), ("--processes", 2)], ids=lambda how: how[0])
def test_the_key_is_not_in_the_process_list(
    simulator: Start, tmp_path: Path, how: tuple[object, ...]
) -> None:
    """Locust, its workers, its simulator and the report's process never show it."""
    if how[0] == "--processes":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        gateway = simulator("--profile", "fast").url
        how = (*how, "-H", gateway, "--master-bind-port", port, "--master-port", port)
    process = psutil.Popen(
        command("--results", tmp_path / "results", *how, "--mode", "rpm", "--model", "m",
                "--target", 60, "--duration", 2),
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    process_titles: set[str] = set()
    deadline = time.monotonic() + 240
    while process.poll() is None and time.monotonic() < deadline:
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                process_titles.add(" ".join([one.name(), *one.cmdline()]))
        time.sleep(0.05)
    assert process.wait(1) == 0
    assert any("analysis report" in line for line in process_titles), process_titles
    assert how[0] == "--processes" or any("simulator" in line for line in process_titles), (
        process_titles
    )
    assert not [line for line in process_titles if CANARY in line]


def test_only_the_owner_can_read_what_a_run_writes(simulator: Start, tmp_path: Path) -> None:
    """With the usual umask of 022, whatever command writes it, new files and existing ones."""
    gateway = simulator("--profile", "fast")
    out = tmp_path / "made"
    before = os.umask(0o022)
    try:
        result = run(
            "-H", gateway.url, "--mode", "rpm", "--model", "m", "--target", 60, "--duration", 2,
            "--output", out / "run.jsonl", "--junit", out / "run.xml", "--fail-on", "failures>0",
            results=tmp_path / "results",
        )  # fmt: skip
        assert result.code == 0 and result.folder is not None, result.text
        folder = str(result.folder)
        (out / "rows.csv").touch(0o644)  # a file that is replaced lends its mode to no reply
        for arguments in (
            ["check", folder, "--junit", out / "check.xml"],
            ["report", folder, "--output", out / "report.jsonl"],
            ["export", folder, "--output", out / "rows.jsonl"],
            ["export", folder, "--output", out / "rows.csv"],
            ["export", folder, "--output", out / "rows.parquet"],
            ["compare", folder, folder, "--html", out / "c.html", "--json", out / "c.json"],
            ["timeline", folder, "--output", out / "timeline"],
            ["import", out / "rows.jsonl", "--results", out / "imported"],
        ):
            assert analysis([str(argument) for argument in arguments]) == 0, arguments
    finally:
        os.umask(before)
    files = [p for place in (result.folder, out) for p in place.rglob("*") if p.is_file()]
    names = {path.name for path in files}
    assert {
        "events.jsonl",
        "manifest.json",
        "report.md",
        "report.html",
        "summary.json",
        "requests-local.csv",
        "run.jsonl",
        "run.xml",
        "check.xml",
        "rows.parquet",
    } <= names
    assert {str(p): oct(p.stat().st_mode) for p in files if p.stat().st_mode & 0o077} == {}


def test_secrets_in_the_base_url_and_headers_are_in_no_file_and_no_output(
    simulator: Start, tmp_path: Path
) -> None:
    """They must be given again when the run is resumed."""
    gateway = simulator("--profile", "fast", "--fault", "echo_auth=0.3")
    secret, tenant = "5b1e77f0c2aa99", "tenant-acme-4711"
    where = ("-H", f"{gateway.url}?code={secret}", "--header", "X-Tenant={env:TENANT}")
    env = environment(TENANT=tenant, OPENAI_LOG="debug")
    result = run(
        *where, "--mode", "rpm", "--model", "m", "--target", 300, "--duration", 2, "--stop-rule",
        "off", "--csv", tmp_path / "locust", "--html", tmp_path / "locust.html", "--loglevel",
        "DEBUG", "--output", tmp_path / "out.jsonl", results=tmp_path / "results", env=env,
    )  # fmt: skip
    assert len(result.rows()) == len(gateway.rows()) == 10, result.text
    written = result.text + "".join(
        path.read_bytes().decode(errors="replace")
        for path in tmp_path.rglob("*")
        if path.is_file() and "simulator" not in path.name
    )
    assert [one for one in (secret, tenant, CANARY) if one in written] == []
    assert result.manifest()["gateway"]["base_url"] == f"{gateway.url}?code=[key]"
    assert result.manifest()["gateway"]["headers"] == ["X-Tenant"]
    assert result.folder is not None
    again = run("--resume", result.folder, results=tmp_path / "none", env=env)
    assert again.code == 2 and "was made with --header (X-Tenant)" in again.text
    again = run("--resume", result.folder, *where[2:], results=tmp_path / "none", env=env)
    assert again.code == 2 and secret not in again.text
