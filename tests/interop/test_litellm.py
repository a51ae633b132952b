"""LiteLLM's proxy, a gateway we did not write, between us and the simulator.

Our rows are compared with the log of the server behind it, which shows what LiteLLM changes.
"""

import contextlib
import json
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.reading.load import load
from tests.e2e.compat_gateway import PROFILE
from tests.interop.servers import free_port, installed, needs_linux, serving
from tests.locust_run import CANARY, LocustRun, environment, run
from tests.simulated import Simulator

VERSION = "1.108.7"
INPUT, OUTPUT = 0.001, 0.01  # its prices, per token
CONFIG = """
model_list:
  - model_name: m
    litellm_params:
      model: openai/{model}
      api_base: {url}
      api_key: {key}
      input_cost_per_token: {input}
      output_cost_per_token: {output}
litellm_settings:
  num_retries: 0
  drop_params: {drop}
router_settings:
  num_retries: 0
  disable_cooldowns: true
general_settings:
  master_key: {key}
"""
pytestmark = needs_linux


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Simulator]:
    """The server behind the gateway: without prices, and a fifth of its answers are errors."""
    log = tmp_path / "behind.csv"
    server = Simulator(
        log, "--profile", "fast", "--dialect", "deepseek", "--fault", "error_500=0.2"
    )
    yield server
    server.stop()


@pytest.fixture
def litellm(behind: Simulator, tmp_path: Path) -> Iterator[str]:
    """LiteLLM's proxy in front of it; its root URL."""
    with proxy(behind, tmp_path, "behind") as root:
        yield root


@contextlib.contextmanager
def proxy(behind: Simulator, place: Path, model: str, drop: bool = False) -> Iterator[str]:
    """LiteLLM's proxy, which knows the server behind it by that model; its root URL."""
    program = installed("litellm", VERSION, f"litellm[proxy]=={VERSION}") / "litellm"
    config, port = place / "config.yaml", free_port()
    values = {"url": behind.url, "key": CANARY, "input": INPUT, "output": OUTPUT}
    config.write_text(CONFIG.format(model=model, drop=str(drop).lower(), **values))
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port),
               "--telemetry", "False"]  # fmt: skip
    log = config.with_name("litellm.log")
    with serving(command, port, log, LITELLM_LOCAL_MODEL_COST_MAP="True") as root:
        yield root


@pytest.mark.long
def test_rows_equal_the_log_of_the_server_behind(
    litellm: str, behind: Simulator, tmp_path: Path
) -> None:
    """Request by request: failures and counts; the cost is LiteLLM's own, by its prices.

    It states the cost of a plain answer in a header, and that of a stream in the last chunk.
    """
    compare(litellm, behind, tmp_path / "plain", stream=False)
    compare(litellm, behind, tmp_path / "stream", stream=True)  # one start of LiteLLM is enough


def compare(litellm: str, behind: Simulator, results: Path, stream: bool) -> None:
    before = len(behind.rows())
    result = run(
        "-H", f"{litellm}/v1", "--mode", "rpm", "--model", "m", "--target", 600, "--duration", 3,
        "--stop-rule", "off", *["--stream", "--task-id-on-streams"] * stream,
        results=results,
    )  # fmt: skip
    assert result.code == 0, result.text
    rows, logged = result.rows(), {row["task_id"]: row for row in behind.rows()[before:]}
    assert len(rows) == len(logged) == len(behind.rows()) - before == 30, "none was sent twice"
    for row in rows:
        truth = logged[row.task_id or ""]
        assert row.http_status == int(truth["status"])
        assert row.gateway_request_id and row.check is None
        if truth["fault"]:
            assert (row.outcome, row.api_cost, row.cost_source) == ("server_error", None, "unknown")
            continue
        assert (row.outcome, row.marker_ok, row.stream) == ("ok", True, truth["stream"] == "1")
        tokens = (row.prompt_tokens or 0, row.completion_tokens or 0)
        assert tokens == (int(truth["prompt_tokens"]), int(truth["completion_tokens"]))
        assert row.api_cost == pytest.approx(tokens[0] * INPUT + tokens[1] * OUTPUT)
        assert row.cost_source == ("body" if stream else "header")
    assert {row.outcome for row in rows} == {"ok", "server_error"}


@pytest.mark.golden
@pytest.mark.parametrize("drop", [False, True], ids=["as it is", "drop_params"])
def test_bodies_are_negotiated_through_it(tmp_path: Path, drop: bool) -> None:
    """Behind it is a server as strict as OpenAI, and a GPT-5 model that accepts no temperature.

    What either refuses is changed and sent again: one row and one answer per planned request.
    """
    behind = Simulator(tmp_path / "behind.csv", "--profile", "fast", "--dialect", "openai")
    try:
        with proxy(behind, tmp_path, "gpt-5.4-nano", drop) as root:
            for name, count, mode in (
                ("tools", 4, ("--mode", "tools", "--repeat", 4)),
                ("rpm", 20, ("--mode", "rpm", "--target", 600, "--duration", 2)),
                ("stream", 20, ("--mode", "rpm", "--target", 600, "--duration", 2, "--stream")),
            ):
                before = len(behind.rows())
                result = run("-H", f"{root}/v1", "--model", "m", *mode, results=tmp_path / name)
                assert result.code == 0, result.text
                logged, rows = behind.rows()[before:], result.rows()
                statuses = Counter(row["status"] for row in logged)
                assert {row.outcome for row in rows} == {"ok"} and len(rows) == count
                assert statuses["200"] == count, "each was answered once"
                assert statuses["400"] == sum(row.refused_sends or 0 for row in rows)
                changed = [event["field"] for event in result.events("body_changed")]
                assert changed == ([] if name == "stream" else ["task_id"])
    finally:
        behind.stop()


@pytest.mark.golden
def test_the_measured_overhead_agrees_with_the_log_of_the_server_behind(tmp_path: Path) -> None:
    """LiteLLM against the server behind it, in one run; the truth is that server's own times.

    A request's time outside the server is its total time minus the server's time in the log. That
    time over LiteLLM minus the direct one is LiteLLM's overhead, pair by pair.
    """
    behind = Simulator(tmp_path / "behind.csv", "--profile", "fast", "--latency", "0.2")
    try:
        with proxy(behind, tmp_path, "behind") as root:
            result = run(
                "-H", f"{root}/v1", "--against", "up", "--against-model", "m=behind",
                "--mode", "ladder", "--model", "m", "--steps", "1", "--hold", "150",
                "--precision-ms", "4",
                results=tmp_path / "results",
                env=environment(UP_BASE_URL=behind.url, UP_API_KEY=CANARY),
            )  # fmt: skip
            logged = behind.rows()
    finally:
        behind.stop()
    assert result.code == 0, result.text
    # Both of a pair have one task_id: the direct one has the model's own name in the server's log.
    rows = load(result.folder or Path()).requests
    assert len(logged) == len(rows), "each was served once"
    routes = [route for route in routes_of(result) if route["metric"] == "total"]
    (measured,) = routes
    truth_s = statistics.median(outside_s(rows, logged))
    assert measured["said"] == "adds" and measured["pairs"] >= 60, measured
    print(f"\nLiteLLM adds {measured['low']:.4f} to {measured['high']:.4f} s, by the server's log "
          f"{truth_s:.4f} s; {measured['pairs']} pairs")  # fmt: skip
    assert measured["low"] - 0.002 <= truth_s <= measured["high"] + 0.002


def routes_of(result: LocustRun) -> list[dict[str, Any]]:
    """The two routes in summary.json."""
    assert result.folder is not None
    summary = json.loads((result.folder / "summary.json").read_text(encoding="utf-8"))
    routes: list[dict[str, Any]] = summary["routes"]
    return routes


def outside_s(rows: Any, logged: list[dict[str, str]]) -> list[float]:
    """For each pair, the time outside the server over the gateway minus that over the other route.

    The log's two rows of one task_id are told apart by which was sent first.
    """
    served: dict[str, list[dict[str, str]]] = {}
    for line in sorted(logged, key=lambda line: float(line["arrival_unix_s"])):
        served.setdefault(line["task_id"], []).append(line)
    differences = []
    for task, pair in rows[rows["success"]].sort_values("sent_offset_s").groupby("task_id"):
        lines = served[str(task)]
        if len(pair) != 2 or len(lines) != 2:
            continue
        lasted = [float(one["last_byte_unix_s"]) - float(one["arrival_unix_s"]) for one in lines]
        apart = dict(zip(pair["arm"], pair["elapsed_sec"] - lasted, strict=True))
        differences.append(apart["gateway"] - apart["reference"])
    return differences


AS_IT_IS = {
    "stop": ("refused", "gateway"), "top_p": ("refused", "gateway"),
    "logprobs": ("refused", "gateway"),
    "temperature": ("refused", "model"),  # the server behind refuses it of this model too
    "error.key": ("wrong", "gateway"),  # HTTP 400, "No connected db."
}  # fmt: skip
DROPPING = dict.fromkeys(("stop", "top_p", "logprobs", "temperature"), ("ignored", "gateway")) | {
    "error.key": ("wrong", "gateway"),
    "error.value": ("ignored", "gateway"),
}
"""What LiteLLM does to a GPT-5 model's requests: the same fields, refused or dropped in silence."""


@pytest.mark.golden
@pytest.mark.parametrize(
    ("drop", "expected"), [(False, AS_IT_IS), (True, DROPPING)], ids=["as it is", "drop_params"]
)
def test_dropped_parameters_are_ignored_features_and_the_gateways_fault(
    tmp_path: Path, drop: bool, expected: dict[str, tuple[str, str]]
) -> None:
    """Every other feature works through it, and each fault is attributed correctly."""
    profile = tmp_path / "profile.toml"
    profile.write_text(PROFILE.replace("sim-chat", "gpt-5-nano"), encoding="utf-8")
    behind = Simulator(tmp_path / "behind.csv", "--profile", profile, "--dialect", "openai")
    try:
        with proxy(behind, tmp_path, "gpt-5-nano", drop) as root:
            result = run(
                "-H", f"{root}/v1", "--mode", "compat", "--model", "m", "--against", "up",
                "--against-model", "m=gpt-5-nano", results=tmp_path / "r",
                env=environment(UP_BASE_URL=behind.url, UP_API_KEY=CANARY),
            )  # fmt: skip
    finally:
        behind.stop()
    assert result.code == 0 and result.folder is not None, result.text
    cells = json.loads((result.folder / "compat.json").read_text(encoding="utf-8"))["cells"]
    by_check = {
        cell["check"]: (cell["verdict"], cell["cause"]) for cell in cells
        if not cell["arm"] and cell["verdict"] not in ("works", "not tried")
    }  # fmt: skip
    assert by_check == expected


@pytest.mark.golden
def test_a_hang_up_on_a_stream_reaches_the_server_behind_it(tmp_path: Path) -> None:
    """By that server's log: it notices that the client left, and stops early."""
    (tmp_path / "p.toml").write_text(
        "any_model = true\n[latency]\nttft_s = 0.25\ntokens_per_s = 20.0\n"
    )
    (tmp_path / "prompts.jsonl").write_text(
        '{"messages": [{"role": "user", "content": "Write 100 tokens"}], "max_tokens": 100}\n'
    )
    behind = Simulator(tmp_path / "behind.csv", "--profile", tmp_path / "p.toml")
    try:
        with proxy(behind, tmp_path, "behind") as root:
            result = run(
                "-H", f"{root}/v1", "--mode", "rpm", "--model", "m", "--target", 240,
                "--duration", 5, "--prompts", tmp_path / "prompts.jsonl", "--stream",
                "--task-id-on-streams", "--cancel-after", "3chunks", "--cancel-share", "0.5",
                results=tmp_path / "r",
            )  # fmt: skip
            logged = {row["task_id"]: row for row in behind.rows()}
    finally:
        behind.stop()
    assert result.code == 0, result.text
    left = [row for row in result.rows() if row.outcome == "abandoned"]
    assert len(left) >= 5 and {row.outcome for row in result.rows()} == {"ok", "abandoned"}
    written = [int(logged[row.task_id or ""]["produced_tokens"]) for row in left]
    print(f"\n{len(left)} streams were cancelled after 3 chunks; written behind: {written}")
    assert result.folder is not None
    assert (
        main(["hung-up", str(result.folder), "--upstream-log", str(tmp_path / "behind.csv")]) == 0
    )
    (content,) = json.loads((result.folder / "hung_up.json").read_text("utf-8"))["groups"]
    assert content["requests"] == content["arrived"] == len(left)
    print((result.folder / "hung_up.md").read_text("utf-8"))
    assert statistics.median(written) < 20  # its first requests are slow to notice
    gone = [row for row in left if logged[row.task_id or ""]["fault"] == "client_gone"]
    assert len(gone) > len(left) / 2
