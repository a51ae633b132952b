"""When the generator itself is called the limit, and how the report says so."""

from pathlib import Path
from typing import Any

import pytest

from analysis.numbers.summarize import of_phases
from analysis.page.markdown import render
from analysis.reading.load import load
from analysis.report.report import compose, look
from analysis.report.verdicts import verdicts
from recording.record import RequestRecord
from tests.analysis.runs import PHASE, make, probe, record

STREAM = {"stream": True, "ttft_s": 0.4, "chunks": 50, "inter_chunk_p50_s": 0.02,
          "inter_chunk_max_s": 0.05}  # fmt: skip


def end(lag_s: float | None, phase: str = PHASE) -> dict[str, Any]:
    return {"event": "phase_end", "phase": phase, "generator": {"loop_lag_p99_s": lag_s}}


def numbers(folder: Path, loop_s: float | None, **known: Any) -> dict[str, Any]:
    (phase_numbers,) = of_phases(load(make(folder, record(0, **known), events=[end(loop_s)])))
    return phase_numbers.as_dict()


@pytest.mark.parametrize(
    ("send_s", "loop_s", "known", "limited"),
    [
        pytest.param(0.100, 0.100, {}, False, id="5 % of the 2 s latency is the limit"),
        pytest.param(0.101, 0.0, {}, True, id="late sends"),
        pytest.param(0.0, 0.101, {}, True, id="late reads"),
        pytest.param(None, 0.101, {}, True, id="a closed loop has no send lag"),
        pytest.param(None, 0.100, {}, False, id="a closed loop that kept time"),
        pytest.param(0.101, None, {}, True, id="no loop lag is known"),
        pytest.param(None, None, {}, None, id="no lag is known"),
        pytest.param(None, 0.1, {"success": False, "outcome": "empty"}, None, id="no success"),
        pytest.param(None, 0.010, STREAM, False, id="half of the gap is the limit of streams"),
        pytest.param(None, 0.011, STREAM, True, id="gaps are distorted"),
        pytest.param(None, 0.021, STREAM | {"inter_chunk_p50_s": None}, True, id="5 % of the TTFT"),
        pytest.param(None, 0.020, STREAM | {"inter_chunk_p50_s": None}, False, id="TTFT kept"),
        pytest.param(0.002, 0.002, {"elapsed_sec": 0.0008}, False, id="below the grain of time"),
        pytest.param(0.0021, 0.0, {"elapsed_sec": 0.0008}, True, id="above the grain of time"),
        pytest.param(
            None, 0.002, STREAM | {"inter_chunk_p50_s": 0.0}, False, id="chunks that come together"
        ),
    ],
)
def test_a_phase_is_generator_limited_where_lag_is_large_beside_what_it_measures(
    tmp_path: Path, send_s: float | None, loop_s: float | None, known: dict[str, Any],
    limited: bool | None,
) -> None:  # fmt: skip
    phase_numbers = numbers(tmp_path / "r", loop_s, send_lag_s=send_s, **known)
    assert phase_numbers["generator_limited"] is limited


def test_a_phase_is_not_judged_by_the_lag_of_another(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", record(0), events=[end(9.0, "another")])
    (phase_numbers,) = of_phases(load(folder))
    assert (phase_numbers.generator_limited, phase_numbers.loop_lag_p99_s) == (False, None)


def page(folder: Path, lang: Any = "en") -> str:
    return render(compose(look(load(folder), lang)))


def test_a_closed_loop_that_read_late_is_generator_limited_on_page_one(tmp_path: Path) -> None:
    name = "ladder/gpt-5.4-nano"
    folder = make(tmp_path / "r", probe("ladder", "gpt-5.4-nano", **STREAM),
                  events=[end(0.06, name)])  # fmt: skip
    text = page(folder)
    assert (
        f"{name} is generator-limited, do not trust it: the generator read answers up to 60.00 "
        "ms late (P99 lag of its event loop), more than 20.00 ms, 5% of the median TTFT (0.400s) "
        "and 10.00 ms, 50% of the median gap between chunks (0.020s)." in text
    )
    assert "| 60.00 ms | - | 10.00 ms | generator-limited |" in text
    assert f"{name} 受压测端限制，结果不可信：压测端读取应答最多迟 60.00 ms" in page(folder, "zh")


def test_a_lag_that_distorts_only_gaps_between_chunks_says_so(tmp_path: Path) -> None:
    name = "ladder/gpt-5.4-nano"
    folder = make(tmp_path / "r", probe("ladder", "gpt-5.4-nano", **STREAM),
                  events=[end(0.011, name)])  # fmt: skip
    said = f"do not trust the gaps between the chunks of {name} (generator-limited; its other times"
    assert said in page(folder) and f"{name} is generator-limited" not in page(folder)
    assert f"{name} 的 chunk 间隔不可信" in page(folder, "zh")


@pytest.mark.parametrize(("requests", "level"), [(1, "note"), (2, "note"), (3, "bad")])
def test_the_lag_of_one_or_two_requests_is_only_a_note(
    tmp_path: Path, requests: int, level: str
) -> None:
    rows = [record(i, elapsed_sec=0.01) for i in range(requests)]
    remarks = verdicts(look(load(make(tmp_path / "r", *rows, events=[end(0.06)]))))
    assert [one.level for one in remarks if "generator-limited" in one.text] == [level]


def test_many_late_phases_share_one_verdict_that_shows_the_latest(tmp_path: Path) -> None:
    """Up to three have one each, as phases that failed have."""
    for many in (3, 4):
        names = [f"rpm/m{i}/600" for i in range(many)]
        rows = [record(i, phase=name, elapsed_sec=0.01) for name in names for i in range(3)]
        events = [end(0.05 + i / 100, name) for i, name in enumerate(names)]
        remarks = verdicts(look(load(make(tmp_path / str(many), *rows, events=events))))
        found = [one for one in remarks if "generator-limited" in one.text]
        assert {one.level for one in found} == {"bad"}
        if many == 3:
            assert len(found) == 3
            continue
        (one,) = found
        assert one.text.startswith(
            "4 phases (rpm/m0/600, rpm/m1/600, rpm/m2/600 …) are generator-limited, do not trust "
            "them; the worst is rpm/m3/600: the generator read answers up to 80.00 ms"
        )
        assert one.head == "4 phases that the generator limited"


def test_a_lag_limit_of_2_ms_is_called_the_smallest_that_can_be_told_from_noise(
    tmp_path: Path,
) -> None:
    folder = make(tmp_path / "r", record(0, elapsed_sec=0.001), events=[end(0.005)])
    assert "more than 2.00 ms, the smallest lag that can be distinguished from noise." in page(
        folder
    )


def test_a_run_that_kept_time_states_its_worst_lags(tmp_path: Path) -> None:
    text = page(make(tmp_path / "r", record(0), events=[end(0.004)]))
    assert "within the limits of every phase (worst: send 1.00 ms, event loop 4.00 ms)." in text
    text = page(make(tmp_path / "p", probe("tools", "m"), events=[end(0.004, "tools/m")]))
    assert "(worst: event loop 4.00 ms)." in text


def stopped_here(index: int, kind: str) -> RequestRecord:
    """A request that never left our own machine."""
    known: dict[str, Any] = dict.fromkeys(("elapsed_sec", "api_cost", "total_tokens"))
    return record(index, success=False, outcome="local_limit", error_type=kind, **known)


def test_requests_that_never_left_our_machine_make_a_phase_limited_and_name_what_to_raise(
    tmp_path: Path,
) -> None:
    """Whatever its lags: here it kept time."""
    kinds = ("EMFILE", "EADDRNOTAVAIL")
    rows = [record(0), *(stopped_here(i, kind) for i, kind in enumerate(kinds, 1))]
    folder = make(tmp_path / "r", *rows, events=[end(0.001)])
    (phase_numbers,) = of_phases(load(folder))
    assert (phase_numbers.generator_limited, phase_numbers.local_limits) == (True, 2)
    text = page(folder)
    assert "is generator-limited" in text and "The generator kept time" not in text
    assert "1 request never left this machine because it ran out of open files (EMFILE)" in text
    assert (
        "raise ulimit -n, or lower the concurrency" in text
        and "local ports (EADDRNOTAVAIL)" in text
    )
    assert "打开文件数不足（EMFILE）" in page(folder, "zh")


def test_a_phase_in_which_no_request_left_our_machine_is_generator_limited(tmp_path: Path) -> None:
    folder = make(tmp_path / "r", stopped_here(0, "ENOBUFS"), events=[end(None)])
    (phase_numbers,) = of_phases(load(folder))
    assert phase_numbers.generator_limited is True


def test_connections_that_the_gateway_refused_are_not_our_limit(tmp_path: Path) -> None:
    refused = record(1, success=False, outcome="connection_refused", elapsed_sec=None)
    folder = make(tmp_path / "r", record(0), refused, events=[end(0.001)])
    (phase_numbers,) = of_phases(load(folder))
    assert (phase_numbers.generator_limited, phase_numbers.local_limits) == (False, 0)
