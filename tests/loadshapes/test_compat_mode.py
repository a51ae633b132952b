"""Mode compat before anything is sent: its upper bound, and what cannot be run."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from compat.registry import BY_ID
from compat.required import content
from compat.trial import learn
from loadshapes import modes
from loadshapes.modes.compat import survey_of
from recording.errors import OperatorError
from settings.option import foreign, readers
from settings.options import Options
from tests.compat.wire import error

BASE = Options(mode="compat", model="gpt-5.4-nano", run_id="r", task_id_prefix="p")
PRICES = """
currency = "CNY"
[models."gpt-*"]
input = 1.0
output = 8.0
"""
REQUIRED = '[[require]]\nmodels = ["gpt-*"]\nfeatures = ["stop"]\n'


def outlook(**more: Any) -> str:
    plan = modes.plan(replace(BASE, **more))
    assert plan.outlook is not None and plan.describe() == ""
    return plan.outlook.en


def test_the_upper_bound_is_stated_for_each_model(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES, encoding="utf-8")
    description = outlook(prices=str(prices), model="gpt-5.4-nano,text-embedding-3-small")
    nano, embeds = description.split("; text-")
    assert nano.startswith("gpt-5.4-nano: 90 requests and at most 29,")
    assert nano.count("tokens and ") == 3 and " CNY" in nano
    assert "embedding-3-small: 9 requests" in embeds or "requests" in embeds


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"model": ""}, "--model is missing"),
        ({"checks": "stops"}, "names an unknown check, 'stops'"),
        ({"no_content": True}, "leave it out"),
        ({"require": "nowhere.toml"}, "cannot be read"),
        ({"prices": "nowhere.toml"}, "cannot be read"),
        ({"task_id": "body"}, "give off"),
        ({"fail_on": "cost>1,success_rate<1"}, "refusals that the checks"),
        ({"task_id": "metadata"}, "give off"),
    ],
)
def test_what_mode_compat_cannot_run_is_an_operator_error(
    more: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(OperatorError, match=sentence):
        modes.plan(replace(BASE, **more))


def test_a_list_of_needs_that_fits_no_model_is_an_operator_error(tmp_path: Path) -> None:
    path = tmp_path / "compat.toml"
    path.write_text(REQUIRED, encoding="utf-8")
    modes.plan(replace(BASE, require=str(path)))
    with pytest.raises(OperatorError, match="requires nothing of claude"):
        modes.plan(replace(BASE, model="claude", require=str(path)))


READ = frozenset({
    # what is asked, and of whom
    "mode", "model", "checks", "context_tokens", "require", "against", "against_model",
    "against_auth", "against_header", "against_key_command", "output_budget_field",
    # the way there
    "gateway", "auth", "header", "key_command", "trace_headers", "ca_file", "client_cert",
    "client_key", "connections", "timeout", "connect_timeout", "max_reply_mb",
    "task_id", "task_id_prefix",
    # money, and what ends or fails the run
    "budget", "budget_tokens", "cost_field", "currency", "prices", "fail_on", "slo", "junit",
    # the run and its report
    "results", "run_id", "output", "lang", "web_names", "metrics_port", "metrics_host", "resume",
    "resume_windows", "dry_run", "percentiles", "stall_limit",
    # of the simulator; and refused with a sentence of its own
    "seed", "simulator", "simulator_profile", "simulator_args", "simulator_log", "no_content",
})  # fmt: skip
"""What mode compat honours. An option that every mode reads is to be decided here as well."""


def test_every_option_is_used_or_refused_by_mode_compat() -> None:
    assert {item.name for item in fields(Options) if "compat" in readers(item)} == READ
    for name, value in (
        ("extra_body", '{"a": 1}'), ("max_tokens", 5), ("stream_usage", "off"),
        ("task_id_on_streams", True), ("stop_error_rate", 0.5), ("stop_rule", "off"),
        ("stop_window", 3), ("stream", True), ("repeat", 9),
    ):  # fmt: skip
        (sentence,) = foreign(replace(BASE, **{name: value}))
        assert sentence.startswith(f"--{name.replace('_', '-')} ") and sentence.endswith(
            "remove it."
        )


def test_a_max_tokens_field_named_by_the_operator_is_not_changed_by_refusals() -> None:
    """That the gateway refuses it is what the checks report."""
    options = replace(BASE, output_budget_field="max_completion_tokens")
    setting = survey_of(options, "m").setting
    (ask,) = BY_ID["chat.plain"].asks(setting)
    assert ask.body is not None and "max_completion_tokens" in ask.body
    refusal = error(ask, 400, "Unsupported parameter: 'max_completion_tokens'.")
    assert learn(setting, [refusal]) == setting
    assert learn(survey_of(BASE, "m").setting, [refusal]).tokens_field == "max_completion_tokens"


TOOL = """[{"type": "function", "function": {"name": "book", "parameters": {
    "type": "object", "properties": {"room": {"type": "string"}}}}}]"""
OWN = REQUIRED + '[tools]\nfile = "tools.json"\n'


def test_own_tools_are_in_the_upper_bound_and_a_resumed_runs_are_the_manifests(
    tmp_path: Path,
) -> None:
    """A resumed run must send what it sent before, whatever has become of the files."""
    path, tools = tmp_path / "compat.toml", tmp_path / "tools.json"
    path.write_text(OWN, encoding="utf-8")
    with pytest.raises(OperatorError, match=r"tools.json cannot be read"):
        outlook(require=str(path))
    tools.write_text(TOOL, encoding="utf-8")
    description = outlook(require=str(path))
    assert description.startswith(
        "gpt-5.4-nano: 92 requests"
    )  # two calls; their controls follow a failure
    options = replace(BASE, require=str(path), results=str(tmp_path))
    (tmp_path / "r").mkdir()
    manifest = {"options": {}, "gateway": {"auth": "bearer"}, "require": content(path)}
    (tmp_path / "r" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    tools.unlink()
    names = [check.id for check in survey_of(options, "m").checks]
    assert names[-2:] == ["own.tool.book", "own.tool.stream.book"]
