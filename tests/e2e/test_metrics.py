"""Prometheus metrics of runs on a master with workers: all of their rows, run after run."""

import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.locust_run import CANARY
from tests.webui.server import WebServer, free_port


def requests(text: str) -> Counter[tuple[str, str]]:
    """Requests by phase and outcome."""
    return Counter(
        {
            (sample.labels["phase"], sample.labels["outcome"]): int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "weighbridge_requests_total"
        }
    )


@pytest.mark.long
def test_a_master_serves_the_requests_of_its_workers(tmp_path: Path) -> None:
    """A scrape counts exactly the run's rows on disk; the key is in none of them."""
    port = free_port()
    server = WebServer(
        tmp_path / "results", "--simulator", "--simulator-profile", "fast", "--processes", 2,
        "--metrics-port", port,
    )  # fmt: skip
    try:
        server.wait(lambda: server.json("/stats/requests")["workers"], "workers")
        for form in ({"target": 600, "duration": 2}, {"target": 300, "duration": 1}):
            server.start(mode="rpm", model="m", **form)
            rows = server.ended().rows()
            held = {(row.phase, row.request_index): row.outcome for row in rows}
            scraped = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30)
            text = scraped.read().decode()
            expected = Counter((phase, outcome) for (phase, _), outcome in held.items())
            assert sum(expected.values()) == form["target"] * form["duration"] / 60
            assert requests(text) == expected
            assert CANARY not in text
        assert server.quit() == 0
    finally:
        server.process.kill()
        server.process.wait()
