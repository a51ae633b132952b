"""The metrics agree with the rows, stay few, and the dashboard queries only existing ones."""

import json
import re
import socket
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from recording.errors import OperatorError
from recording.events import WorkerBack, WorkerLost
from recording.not_sent import Unsent
from tests.analysis.runs import PHASE, dropped, failed, record
from webui.prometheus import MORE, MOST_PHASES, PIECE_SAMPLES, Metrics, serve

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "weighbridge.json").read_text("utf-8"))


def session(*phases: str, count: int | None = 5) -> Any:
    """What the metrics need of a run."""
    return SimpleNamespace(
        options=SimpleNamespace(run_id="r", mode="rpm", currency=""),
        endpoint=SimpleNamespace(masked_url="http://gw/v1", simulated=False, currency=None),
        plan=SimpleNamespace(
            phases=[SimpleNamespace(name=n, model="gpt-5.4-nano", count=count) for n in phases]
        ),
        watchers=[],
        on_unsent=[],
        decided=[],
        noted=[],
        tariff=SimpleNamespace(currency="CNY"),
    )


def watching(*phases: str, count: int | None = 5) -> Metrics:
    metrics = Metrics(lambda: 3)
    metrics.watch(session(*phases, count=count))
    return metrics


def scrape(metrics: Metrics, path: str = "/metrics") -> str:
    """The answer to a GET."""
    request = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
    return b"".join(metrics.answer(request, lambda status, headers: None)).decode()


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of an exposition, by name and labels, as Prometheus' own parser reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def one(text: str, name: str, **labels: str) -> float | None:
    """The sum of a metric's samples with these labels; None if there are none."""
    wanted = set(labels.items())
    values = [v for (n, held), v in samples(text).items() if n == name and wanted <= set(held)]
    return sum(values) if values else None


def test_the_counts_are_those_of_the_rows() -> None:
    """Requests by outcome, successes, tokens, cost and lag, added up independently."""
    rows = [*(record(i) for i in range(7)), failed(7), failed(8, "rate_limited"), dropped(9)]
    metrics = watching(PHASE)
    for row in rows:
        metrics.add(row)
    text = scrape(metrics)
    for outcome, count in Counter(row.outcome for row in rows).items():
        assert one(text, "weighbridge_requests_total", outcome=outcome, phase=PHASE) == count
    assert one(text, "weighbridge_planned_requests") == 5
    assert one(text, "weighbridge_latency_seconds_count") == 7
    assert one(text, "weighbridge_latency_seconds_sum") == pytest.approx(14.0)
    assert one(text, "weighbridge_send_lag_seconds_count") == 9  # a dropped request left nothing
    assert one(text, "weighbridge_tokens_total", kind="prompt") == 7 * 12
    assert one(text, "weighbridge_tokens_total", kind="completion") == 7 * 6
    assert one(text, "weighbridge_cost_total", currency="CNY") == pytest.approx(7 * 0.000069)
    assert one(text, "weighbridge_cost_unknown_requests_total") == 2
    assert one(text, "weighbridge_in_flight_requests") == 3
    assert one(text, "weighbridge_run_info", gateway="http://gw/v1", simulated="false") == 1


def test_unknown_values_have_no_time_series() -> None:
    """Costs, tokens and first tokens that were not stated are not 0."""
    metrics = watching(PHASE, count=None)
    metrics.add(record(api_cost=None, prompt_tokens=None, completion_tokens=None))
    text = scrape(metrics)
    for name in ("cost_total", "tokens_total", "ttft_seconds_count", "planned_requests"):
        assert one(text, f"weighbridge_{name}") is None, name


def test_a_new_run_begins_at_zero() -> None:
    """Nothing of the previous run is left, under its labels or the new ones."""
    metrics = watching("old")
    metrics.add(record(phase="old"))
    metrics.watch(session("new"))
    metrics.add(record(phase="new"))
    text = scrape(metrics)
    assert one(text, "weighbridge_requests_total") == 1
    assert 'phase="old"' not in text


def test_no_plan_floods_prometheus() -> None:
    """The phases after the hundredth share one name, and no request is lost."""
    names = [f"rpm/m{i}/600" for i in range(MOST_PHASES + 50)]
    metrics = watching(*names)
    for name in names:
        metrics.add(record(phase=name, model_requested=name))
    text = scrape(metrics)
    held = {labels for (n, labels) in samples(text) if n == "weighbridge_requests_total"}
    assert len(held) == MOST_PHASES + 1
    assert one(text, "weighbridge_requests_total", phase=MORE, model=MORE) == 50
    assert one(text, "weighbridge_requests_total") == len(names)
    assert one(text, "weighbridge_planned_requests") == 5 * len(names)


def test_a_text_written_in_pieces_equals_one_written_at_once() -> None:
    """A scrape pauses between pieces; prometheus_client's own text is the oracle."""
    names = [f"p{i}" for i in range(40)]
    metrics = watching(*names)
    for name in names:
        metrics.add(record(phase=name))
    text = scrape(metrics)
    assert text.count("_bucket{") > 2 * PIECE_SAMPLES
    assert text == generate_latest(metrics.registry).decode()


def test_a_hostile_name_stays_inside_its_label() -> None:
    """No name by an operator or a gateway can forge a metric."""
    name = 'a"} 1\nweighbridge_cost_total{phase="x'
    metrics = watching(name)
    metrics.add(record(phase=name))
    assert one(scrape(metrics), "weighbridge_requests_total", phase=name) == 1


def test_only_one_path_answers() -> None:
    assert scrape(watching(PHASE), "/") == "The metrics are at /metrics.\n"


def test_a_port_in_use_is_an_operator_error() -> None:
    """One sentence names the option."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OperatorError, match=r"^--metrics-port \d+ of 127.0.0.1 cannot be open"):
            serve(watching(PHASE), "127.0.0.1", taken.getsockname()[1])


def queries() -> list[str]:
    """All queries of the dashboard, in panels and variables."""
    expressions = [t["expr"] for panel in DASHBOARD["panels"] for t in panel["targets"]]
    named = [v["query"] for v in DASHBOARD["templating"]["list"] if v["type"] == "query"]
    return expressions + named


@pytest.mark.parametrize("query", queries())
def test_the_dashboard_asks_for_what_is_exported(query: str) -> None:
    """Every metric in a query exists, and so does every label used to filter, group or show."""
    metrics = watching(PHASE)
    metrics.add(record(ttft_s=0.5))
    metrics.add(failed(1))
    held: dict[str, set[str]] = {}
    for (name, labels), _ in samples(scrape(metrics)).items():
        held.setdefault(name, set()).update(label for label, _ in labels)
    metrics_asked = re.findall(r"weighbridge_\w+", query)
    assert metrics_asked and set(metrics_asked) <= set(held)
    labels = set(re.findall(r'(\w+)=~?"', query))
    for group in re.findall(r"by \(([^)]*)\)", query):
        labels |= set(group.split(", "))
    labels |= set(re.findall(r"label_values\(\w+, (\w+)\)", query))
    assert labels <= set.intersection(*(held[name] for name in metrics_asked)), query


def test_the_dashboard_shows_every_metric() -> None:
    """Every exported metric is on it."""
    metrics = watching(PHASE)
    names = {f.name for f in text_string_to_metric_families(scrape(metrics))}
    all_queries = " ".join(queries())
    assert [name for name in names if name not in all_queries] == []


def test_legends_name_labels_that_the_query_keeps() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            labels_shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            labels_kept = {
                w for g in re.findall(r"by \(([^)]*)\)", target["expr"]) for w in g.split(", ")
            }
            assert labels_shown <= labels_kept, panel["title"]


def test_phases_that_a_program_plans_on_the_way_get_their_names() -> None:
    """A capacity search knows no phases at the start; all used to be counted as `(more)`."""
    metrics, run = Metrics(lambda: 0), session()
    metrics.watch(run)
    for decide in run.decided:
        decide(SimpleNamespace(name=PHASE, model="gpt-5.4-nano", count=5))
    metrics.add(record(0))
    text = scrape(metrics)
    assert one(text, "weighbridge_requests_total", phase=PHASE, model="gpt-5.4-nano") == 1
    assert one(text, "weighbridge_planned_requests", phase=PHASE) == 5
    assert MORE not in text
    for number in range(MOST_PHASES + 5):
        run.decided[0](SimpleNamespace(name=f"p{number}", model="m", count=1))
    assert one(scrape(metrics), "weighbridge_planned_requests", phase=MORE) == 6


def test_costs_are_in_the_currency_of_the_runs_price_table() -> None:
    run = session(PHASE)
    run.tariff.currency = "EUR"  # --prices says so, neither --currency nor the gateway does
    metrics = Metrics(lambda: 0)
    metrics.watch(run)
    metrics.add(record(0))
    assert one(scrape(metrics), "weighbridge_cost_total", currency="EUR") == 0.000069


def test_requests_that_were_not_sent_are_counted_although_they_have_no_rows() -> None:
    run, metrics = session(PHASE, count=864_000), Metrics(lambda: 0)
    metrics.watch(run)
    metrics.add(dropped(0))
    run.on_unsent[0](
        Unsent(
            run_id="r", worker="local", phase=PHASE, model="gpt-5.4-nano", first=1, last=863_999,
            step=1, count=863_999, reason="the run was stopped",
        )
    )  # fmt: skip
    assert one(scrape(metrics), "weighbridge_requests_total", outcome="dropped") == 864_000


def test_a_lost_worker_is_counted_until_it_is_back() -> None:
    metrics = watching(PHASE)
    seen = [one(scrape(metrics), "weighbridge_lost_workers")]
    for event in (WorkerLost(worker="w1"), WorkerLost(worker="w2"), WorkerBack(worker="w1")):
        metrics.note(event)
        seen.append(one(scrape(metrics), "weighbridge_lost_workers"))
    metrics.watch(session(PHASE))
    assert [*seen, one(scrape(metrics), "weighbridge_lost_workers")] == [0, 1, 2, 1, 0]
