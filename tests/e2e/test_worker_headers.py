"""Headers, a key from a command, and two processes: secrets reach only who needs them."""

from collections.abc import Callable
from pathlib import Path

from tests.locust_run import CANARY, environment, run
from tests.simulated import Simulator

Start = Callable[..., Simulator]


def test_each_of_two_processes_runs_the_key_command(simulator: Start, tmp_path: Path) -> None:
    gateway = simulator("--profile", "fast", "--fault", "echo_auth=0.3")
    program, asked = tmp_path / "vault", tmp_path / "asked"
    program.write_text(f"#!/bin/sh\necho $PPID >> {asked}\necho {CANARY}\n")
    program.chmod(0o700)
    env = {k: v for k, v in environment(TENANT="tenant-77-acme").items() if k != "OPENAI_API_KEY"}
    result = run(
        "-H", gateway.url, "--processes", 2, "--mode", "rpm", "--model", "m", "--target", 600,
        "--duration", 2, "--key-command", program, "--header", "X-Tenant={env:TENANT}",
        "--header", "X-Api={task_id}", "--stop-rule", "off", "--loglevel", "DEBUG",
        results=tmp_path / "results", env=env,
    )  # fmt: skip
    rows = result.rows()
    assert {row.worker for row in rows} == {"worker-0", "worker-1"}, result.text
    assert len(gateway.rows()) == len({row.task_id for row in rows}) == 20
    assert {"ok"} < {row.outcome for row in rows}
    assert len(set(asked.read_text().split())) == 3, "the master and each worker, once"
    assert len(asked.read_text().split()) == 3
    written = result.text + "".join(
        path.read_text() for path in (tmp_path / "results").rglob("*") if path.is_file()
    )
    assert CANARY not in written and "tenant-77-acme" not in written
