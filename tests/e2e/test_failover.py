"""Failover by the upstream's log, against gateways with a known way of handling failures."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from tests.interop.servers import free_port
from tests.locust_run import LocustRun, run
from tests.retrying_gateway import Behaviour, gateway
from tests.simulated import Simulator

PROFILE = """
any_model = true
[latency]
fixed_s = 0.05
ttft_s = 0.05
tokens_per_s = 200.0
[prices]
input = 1.0
output = 4.0
"""


def window(fault: str, from_s: float, to_s: float, more: str = "") -> str:
    return f'[[schedule]]\nfrom_s = {from_s}\nto_s = {to_s}\nfault = "{fault}"\n{more}\n'


def led(
    folder: Path, behaviour: Behaviour, schedule: str, *options: object, seconds: int = 4
) -> tuple[LocustRun, dict[str, Any], str]:
    """A run through such a gateway with two upstreams; returns failover.json and .md."""
    profile, log, second = folder / "p.toml", folder / "upstream.csv", free_port()
    profile.write_text(PROFILE + schedule, encoding="utf-8")
    server = Simulator(log, "--profile", profile, "--also-port", second)
    roots = [server.url.removesuffix("/v1"), f"http://127.0.0.1:{second}"]
    try:
        with gateway(behaviour, *roots) as root:
            result = run(
                "-H", f"{root}/v1", "--mode", "rpm", "--model", "m", "--target", 600,
                "--duration", seconds, "--stop-rule", "off", *options,
                results=folder / "results",
            )  # fmt: skip
    finally:
        server.stop()
    assert result.folder is not None, result.text
    assert main(["failover", str(result.folder), "--upstream-log", str(log)]) == 0
    content = json.loads((result.folder / "failover.json").read_text("utf-8"))
    return result, content, (result.folder / "failover.md").read_text("utf-8")


def by_fault(statement: dict[str, Any]) -> dict[str | None, dict[str, Any]]:
    """The groups by fault; the larger one if two clocks split a group in two."""
    groups = sorted(statement["groups"], key=lambda one: int(one["requests"]))
    return {one["window"]["fault"] if one["window"] else None: one for one in groups}


@pytest.mark.long
def test_a_gateway_that_fails_over_shields_its_client(tmp_path: Path) -> None:
    """Attempts, failures and recovery are those that the gateway recorded itself; attempts at a
    dead upstream are in no log."""
    way = Behaviour(tries=2)
    schedule = window("error_500", 1, 2) + window("dead", 3, 4)
    result, statement, text = led(tmp_path, way, schedule, seconds=6)
    group = by_fault(statement)
    recorded = Counter((upstream, what) for _, upstream, what in way.calls)
    assert recorded[0, "500"] == group["error_500"]["requests"] > 0
    assert group["error_500"]["attempts"] == 2 * group["error_500"]["requests"]
    assert group["error_500"]["ok"] == group["error_500"]["requests"]
    refused = sum(count for (_, what), count in recorded.items() if what.endswith("Error"))
    assert refused > 0 and group["dead"]["requests"] == pytest.approx(refused, abs=5), "2 clocks"
    assert group["dead"]["ok"] == group["dead"]["requests"] > 0
    assert group[None]["attempts"] == group[None]["requests"] and not group[None]["failed_p50_s"]
    assert statement["attempts"] + refused == len(way.calls) and statement["foreign_attempts"] == 0
    assert group["error_500"]["recovery"]["sent_there"] == group["error_500"]["requests"]
    assert group["dead"]["recovery"]["answered_s"] >= 0
    assert all(row.outcome == "ok" for row in result.rows())
    assert "HTTP 500 at port" in text and "nobody listens at port" in text and "⚠️" not in text


@pytest.mark.long
def test_a_gateway_that_passes_everything_on(tmp_path: Path) -> None:
    """One attempt each; the client gets every 429, none of which says how long to wait."""
    way = Behaviour(waits_on=False)
    _, statement, text = led(tmp_path, way, window("rate_limited", 1, 2, "seconds = 5"))
    group = by_fault(statement)["rate_limited"]
    assert group["outcomes"] == {"rate_limited": group["requests"]} and group["requests"] > 0
    assert group["attempts"] == group["requests"] == group["told_to_wait"]
    assert group["passed_wait_on"] == 0 == group["waits"]
    assert "the client met rate_limited:" in text


@pytest.mark.parametrize(
    ("way", "fate"),
    [
        pytest.param(
            Behaviour(tries=2, repeats=True), "repeated", id="begun again", marks=pytest.mark.long
        ),
        pytest.param(Behaviour(), "passed_on", id="passed on"),
    ],
)
def test_a_stream_that_is_cut(tmp_path: Path, way: Behaviour, fate: str) -> None:
    """If the stream is restarted, the text has its beginning twice and is ok by HTTP; if it is cut
    off, the client notices. Either way both halves are charged."""
    schedule = window("truncated_stream", 1, 2)
    _, statement, _ = led(tmp_path, way, schedule, "--stream", "--task-id-on-streams")
    group = by_fault(statement)["truncated_stream"]
    streams = {name: count for name, count in group["streams"].items() if count}
    assert streams == {fate: group["requests"]} and group["requests"] > 0
    cut = sum(what == "cut" for _, _, what in way.calls)
    groups = [one for one in statement["groups"] if (one["window"] or {}).get("fault")]
    assert cut == sum(one["requests"] for one in groups) and float(group["wasted_cost"]) > 0
    assert by_fault(statement)[None]["streams"] == dict.fromkeys(group["streams"], 0)


@pytest.mark.long
def test_a_gateway_that_sends_twice_is_found_even_if_nothing_fails(tmp_path: Path) -> None:
    _, statement, text = led(tmp_path, Behaviour(twice=True), "", seconds=2)
    group = by_fault(statement)[None]
    assert group["answered_twice"] == group["requests"] == group["attempts"] / 2
    assert float(group["wasted_cost"]) > 0
    assert "answered more than once" in text


def test_nothing_is_reported_of_a_healthy_gateway(tmp_path: Path) -> None:
    _, statement, text = led(tmp_path, Behaviour(tries=2), "", seconds=2)
    (group,) = statement["groups"]
    assert group["ok"] == group["requests"] == group["attempts"] and not group["answered_twice"]
    assert group["wasted_cost"] == "0" and "⚠️" not in text and "failed;" not in text
