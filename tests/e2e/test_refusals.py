"""Gateways that refuse: what is sent before a run gives up, its message, and how it ends."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.gateways import Asked, refusal, serving
from tests.locust_run import run
from tests.simulated import Simulator
from tests.tasks.scripted_server import completion

Answer = tuple[int, object]


def no_key(asked: Asked) -> Answer:
    return 401, refusal("Incorrect API key provided", "invalid_request_error", "invalid_api_key")


def only_good(asked: Asked) -> Answer:
    """One of the two models exists."""
    if asked.method == "GET":
        return 200, {"object": "list", "data": [{"id": "good", "object": "model"}]}
    if asked.body["model"] != "good":
        return 404, refusal("The model `bad` does not exist", code="model_not_found")
    return 200, completion()


def test_a_wrong_key_ends_the_run_after_five_requests(tmp_path: Path) -> None:
    """`full --quick` has hundreds of requests in many phases."""
    with serving(no_key) as gateway:
        result = run(
            "-H", gateway.url, "--mode", "full", "--quick", "--model", "m",
            results=tmp_path / "results",
        )  # fmt: skip
    assert result.code == 1 and 5 <= len(gateway.posts) <= 10, result.text
    (refused,) = result.events("refused")
    assert (refused["outcome"], refused["http_status"], refused["ends"]) == ("auth", 401, "run")
    assert "BAD " in result.out and "Incorrect API key provided" in result.out
    assert "Check the API key." in result.out and "as all others would: the run ended" in result.out
    assert len(result.rows()) - len(gateway.posts) == sum(
        r.outcome == "dropped" for r in result.rows()
    )


def test_a_wrong_model_ends_its_own_phases_only(tmp_path: Path) -> None:
    with serving(only_good) as gateway:
        result = run(
            "-H", gateway.url, "--mode", "rpm", "--model", "bad,good", "--target", "600,1200",
            "--duration", 1, results=tmp_path / "results",
        )  # fmt: skip
    models_asked = [one.body["model"] for one in gateway.posts]
    assert models_asked.count("good") == 30 and 5 <= models_asked.count("bad") < 10, result.text
    (refused,) = result.events("refused")
    assert (refused["phase"], refused["ends"]) == ("rpm/bad/600", "model")
    assert [event["phase"] for event in result.events("phase_skipped")] == ["rpm/bad/1200"]
    assert result.code == 1 and "The model `bad` does not exist" in result.out


def test_a_gateway_that_dies_in_the_middle_ends_the_run(
    simulator: Callable[..., Simulator], tmp_path: Path
) -> None:
    """It answers some requests of a one-minute soak, then nothing listens any more."""
    gateway = simulator("--profile", "fast")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            run, "-H", gateway.url, "--mode", "soak", "--model", "m", "--target", 1200,
            "--duration", 60, results=tmp_path / "results",
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while len(gateway.rows()) < 20 and time.monotonic() < deadline:
            time.sleep(0.1)
        gateway.stop()
        result = running.result()
    (refused,) = result.events("refused")
    assert (refused["outcome"], refused["which"], refused["ends"]) == (
        "connection_refused", "last", "run",
    )  # fmt: skip
    sent = [row for row in result.rows() if row.outcome != "dropped"]
    assert result.code == 1 and len(sent) < 600
    assert "requests failed" in result.out and "Nothing listens there" in result.out


def test_a_dead_gateway_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with socket.socket() as held:  # until the end: another test's server might take a free port
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        result = run("-H", url, "--mode", "smoke", "--model", "m", results=tmp_path / "results")
    assert result.code == 2 and result.folder is None


def test_mode_interactive_waits_after_a_refusal(tmp_path: Path) -> None:
    """Two users sent 23,119 requests in 8 s although the gateway asked for 7 s; now one each."""

    def limited(asked: Asked) -> tuple[int, object, dict[str, str]]:
        return 429, refusal("slow down"), {"retry-after": "7"}

    with serving(limited) as gateway:
        result = run(
            "-H", gateway.url, "--mode", "interactive", "--model", "m", "-u", 2, "-r", 2,
            "-t", "3s", results=tmp_path / "results",
        )  # fmt: skip
    assert len(gateway.posts) == 2, result.text
    assert "nothing succeeded, 2 of 2 requests failed" in result.out


def test_a_base_url_without_v1_fails_smoke_and_suggests_the_right_one(tmp_path: Path) -> None:
    """The server knows only /v1: each request is a 404, and the check found the right URL."""

    def elsewhere(asked: Asked) -> Answer:
        return only_good(asked) if asked.path.startswith("/v1/") else (404, "no such page")

    with serving(elsewhere) as gateway:
        result = run(
            "-H", gateway.root, "--mode", "smoke", "--model", "good", results=tmp_path / "results"
        )
    assert result.code == 1 and len(gateway.posts) == 2, result.text
    assert f"{gateway.url} has: did you mean that as the base URL?" in result.err
    assert f"Did you mean the base URL {gateway.url}?" in result.out
    assert "weighbridge: 1 of 2 checks failed: good answered nothing." in result.err


def test_conditions_that_the_plan_cannot_measure_are_refused_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    with serving(only_good) as gateway:
        result = run(
            "-H", gateway.url, "--mode", "rpm", "--model", "good", "--target", 600,
            "--duration", 5, "--fail-on", "ttft_p95_s>2", results=tmp_path / "results",
        )  # fmt: skip
    assert result.code == 2 and gateway.asked == [] and result.folder is None, result.text
    assert "add --stream" in result.err
