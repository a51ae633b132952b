"""Conditions and objectives that the plan cannot show are refused before anything is sent; others
are not.
"""

from pathlib import Path

import pytest

from loadshapes import modes
from loadshapes.judgeable import check_judgeable
from loadshapes.modes import MODES
from recording.errors import OperatorError
from settings.options import Options

SLO = "success_rate = 0.9\n"


def ask(folder: Path, slo: str = "", **options: object) -> None:
    known = {"run_id": "r", "task_id_prefix": "p", "model": "m", "target": "60", "mode": "rpm"}
    if slo:
        (folder / "slo.toml").write_text(slo, encoding="utf-8")
        known["slo"] = str(folder / "slo.toml")
    all_options = Options(**(known | options))  # type: ignore[arg-type]
    check_judgeable(modes.plan(all_options), all_options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"fail_on": "ttft_p95_s>2"}, "--fail-on ttft_p95_s>2 applies to streams, and no phase of "
         "mode rpm requests one: add --stream."),
        ({"fail_on": "failures>0,tpot_p99_s>1", "mode": "ladder", "target": ""},
         "tpot_p99_s>1 applies"),
        ({"fail_on": "checks_failed>0"}, "judged on `tools` and `vision` phases, and mode rpm"),
        ({"fail_on": "observed_rpm<5", "mode": "smoke", "target": ""}, "judged on phases with a w"),
        ({"fail_on": "send_lag_p99_s>1", "mode": "cache", "target": ""}, "phases with due times"),
        ({"fail_on": "marker_rate<1", "mode": "tools", "target": ""}, "phases that ask for a mark"),
        ({"fail_on": "attainment<1"}, "--fail-on uses attainment or goodput_rps: give the"),
        ({"fail_on": "attainment<1", "slo": "[mode.tpm]\nsuccess_rate = 1\n"},
         "has no objective for a phase of mode rpm"),
        ({"fail_on": "price_difference>0.05"}, "price_difference>0.05 needs a price"),
        ({"fail_on": "budget_used>0.9"}, "needs --budget: give one"),
        ({"fail_on": "identity_differs>0"}, "is of mode identity: remove it"),
        ({"fail_on": "budget_tokens_used>0.9", "budget": 1.0}, "needs --budget-tokens: give one"),
        ({"slo": "ttft_p95_s = 2\n"}, "ttft_p95_s applies to streams, and none of its phases"),
        ({"slo": "attainment = 1\n[model.m]\ntpot_s = 2\n"}, "tpot_s applies to streams"),
    ],
)  # fmt: skip
def test_a_condition_that_no_phase_can_show_is_refused(
    tmp_path: Path, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(OperatorError) as refused:
        ask(tmp_path, **options)  # type: ignore[arg-type]
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {"fail_on": "ttft_p95_s>2", "stream": True},
        {"fail_on": "ttft_p95_s>2,checks_failed>0,marker_rate<1", "mode": "full", "target": ""},
        {"fail_on": "observed_rpm<5,send_lag_p99_s>1,marker_rate<1,cost>3,dropped>0"},
        {"fail_on": "http_429>0,http_5xx>0,rate_limited>0,flagged>0,usage_sum>0"},
        {"fail_on": "budget_used>0.9", "budget": 1.0},
        {"fail_on": "attainment<1", "slo": SLO},
        {"slo": "ttft_p95_s = 2\n", "stream": True},
        {"slo": "success_rate = 1\n[mode.tpm]\nttft_p95_s = 2\n"},
        {"fail_on": "ttft_p95_s>2", "stream": True, "mode": "capacity", "target": "", "slo": SLO},
        {"fail_on": "observed_rpm<1", "mode": "interactive", "target": ""},
        *({"fail_on": "p95_s>9,success_rate<1", "mode": mode, "slo": SLO, "budget": 1.0,
           "target": "60" if mode in ("rpm", "tpm", "soak") else ""}
          for mode in MODES if mode not in ("replay", "compat")),
    ],
)  # fmt: skip
def test_a_condition_that_a_phase_will_show_is_accepted(
    tmp_path: Path, options: dict[str, object]
) -> None:
    ask(tmp_path, **options)  # type: ignore[arg-type]
