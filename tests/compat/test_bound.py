"""The checks' upper bounds, compared with what a gateway counted."""

from dataclasses import replace
from pathlib import Path

import pytest

from compat.bound import cost, plan
from compat.check import Setting
from compat.registry import CHECKS, chosen
from compat.trial import Trial
from compat.verdict import Verdict
from tests.compat import wire
from tests.compat.sending import run
from tests.compat.test_truth import CHAT, OF_CHAT, REASONER, gateway, setting

KNOWN = Setting("m", forced_token=(32, "A"))


def test_one_model_costs_90_requests_and_30_thousand_tokens() -> None:
    planned = plan(CHECKS, KNOWN)
    assert planned.once.requests == 90 and 25_000 < planned.once.tokens < 31_000
    assert set(planned.not_tried) >= {"reasoning.effort", "error.context", "responses.plain"}
    assert plan(CHECKS, replace(KNOWN, reasons=True)).once.requests == 98
    assert planned.at_most.requests == 3 * (90 + 6)  # of harmless fields each may be refused
    assert cost(planned.once, 1.0, 8.0) == pytest.approx(0.06, abs=0.02)


def test_checks_that_do_not_fit_or_are_declared_absent_cost_nothing() -> None:
    small = plan(CHECKS, replace(KNOWN, context_tokens=4_000, lacks=frozenset({"image.data"})))
    assert {"tool.many", "image.data"} <= set(small.not_tried) - {"error.context"}
    assert "error.context" in small.checks and "tool.many" not in small.checks
    embeds = plan(CHECKS, replace(KNOWN, embeds=True))
    assert {name.partition(".")[0] for name in embeds.checks} == {"embeddings", "models"}
    assert set(plan(CHECKS, replace(KNOWN, responses=True)).checks) >= {"responses.previous"}


MEDIA = {"image.data", "file.pdf"}  # what they count differs from vendor to vendor, tenfold
UNCOUNTED = {"json.schema", "json.schema.deep", "json.schema.stream", "json.object", "cache.key"}
"""A schema counts with some vendors; with this gateway it does not."""
REFUSED = {"error.context", "error.key", "error.model", "error.value"}  # a healthy one serves none


@pytest.mark.parametrize("model", [CHAT, REASONER])
def test_the_bound_of_a_healthy_gateway_is_exact_in_requests_and_near_in_tokens(
    tmp_path: Path, model: str
) -> None:
    """By the gateway's own log, check by check: requests, tokens in and tokens out. For prompts of
    words and tools the bound is at most 1.6 times what was counted."""
    setting_of_run = setting("chat", model)
    known = text_used = text_bound = 0
    with gateway(tmp_path, {}, 2000) as started:
        for check in OF_CHAT:
            if check.id == "stream.increments":
                continue  # this gateway is too fast for it
            trial = run(started.url, check, setting_of_run)
            rows = started.rows()[known:]
            known += len(rows)
            bound = check.bound(setting_of_run, works=True)
            answered = [row for row in rows if row["status"] == "200"]
            used = sum(int(row["prompt_tokens"] or 0) for row in answered)
            written = sum(int(row["completion_tokens"] or 0) for row in answered)
            listed = check.id == "models.list"  # no request to a model: it is in no log
            assert trial.sent == bound.requests == len(rows) + listed, check.id
            assert used <= bound.prompt_tokens and written <= bound.output_tokens, check.id
            if check.id not in MEDIA | UNCOUNTED | REFUSED:
                text_used += used
                text_bound += bound.prompt_tokens
    assert text_used <= text_bound <= 1.6 * text_used


def test_a_gateway_that_refuses_everything_costs_no_more_than_the_worst_bound() -> None:
    for check in CHECKS:
        trial = Trial(check, KNOWN)
        while asks := trial.asks():
            trial.add(
                [wire.error(ask, 400, "'user' 'metadata' 'store' no", param="x") for ask in asks]
            )
        assert trial.sent <= 3 * check.bound(KNOWN).requests
        assert trial.finding.verdict is not Verdict.WORKS or check.id.startswith("error.")


def test_every_request_has_a_nonce_of_its_check_and_round() -> None:
    """No two rounds, runs or checks share a body; within one check only those of caches do."""
    check_of_body: dict[str, str] = {}
    for name, asked in (
        ("a", KNOWN),
        ("b", replace(KNOWN, round=1)),
        ("c", replace(KNOWN, seed="2")),
    ):
        for check in OF_CHAT:
            for ask in check.asks(asked):
                sent = str(ask.body) + str(ask.wrong_key)
                if ask.body is None:
                    continue
                assert check_of_body.setdefault(sent, f"{name} {check.id}") == f"{name} {check.id}"


def test_a_budget_that_ends_leaves_what_is_not_decided() -> None:
    trial = Trial(OF_CHAT[0], KNOWN)
    trial.give_up("the budget is spent")
    assert trial.finding.verdict is Verdict.NOT_TRIED
    trial = Trial(OF_CHAT[0], KNOWN)
    trial.add([wire.error(ask, 500, "x") for ask in trial.asks()])
    assert trial.asks()
    trial.give_up("the budget is spent")
    assert trial.finding.verdict is Verdict.UNSURE and "500" in trial.finding.fact


def test_checks_are_chosen_by_id_and_pattern() -> None:
    assert [c.id for c in chosen(["stop", "json.*"])][:2] == ["stop", "json.object"]
    with pytest.raises(KeyError, match="stops"):
        chosen(["stops"])
