"""What is sent next: rounds, requests that depend on an answer, and what the first answers show."""

from dataclasses import replace

import pytest

from compat.check import Setting
from compat.registry import BY_ID
from compat.trial import Trial, learn
from compat.verdict import Verdict
from tests.compat import wire
from tests.compat.test_healthy import CHAT, calls, says
from tests.compat.wire import message, plain


def trial(name: str, setting: Setting = CHAT) -> Trial:
    return Trial(BY_ID[name], setting)


def test_checks_that_work_are_sent_once_others_again_with_new_nonces() -> None:
    healthy = trial("chat.plain")
    healthy.add([says()(ask) for ask in healthy.asks()])
    assert not healthy.asks() and healthy.finding.verdict == "works" and healthy.sent == 1

    fenced = trial("json.object")
    bodies = []
    while asks := fenced.asks():
        bodies += [str(ask.body) for ask in asks]
        fenced.add([says("in words")(ask) for ask in asks])
    assert fenced.finding.verdict == "ignored" and fenced.sent == 2
    assert len(set(bodies)) == 2
    assert fenced.telling is not None and fenced.telling.request_id == "req-1"


def test_one_bad_answer_of_three_rounds_accuses_nobody() -> None:
    """A momentary 500 gives works by two of three; one broken guarantee gives unsure."""
    flaky = trial("turns")
    flaky.add([wire.error(ask, 500, "busy") for ask in flaky.asks()])
    for _ in range(2):
        flaky.add([says(told_in(flaky))(ask) for ask in flaky.asks()])
    assert not flaky.asks() and flaky.finding.verdict == "works" and flaky.sent == 3

    once = trial("json.schema")
    for text in ("words", '{"weighed":true,"count":1}', '{"weighed":true,"count":1}'):
        once.add([says(text)(ask) for ask in once.asks()])
    assert not once.asks() and once.finding.verdict == "unsure"


def told_in(check_trial: Trial) -> str:
    return replace(check_trial.setting, round=len(check_trial.rounds)).word("turns")


def test_the_gateways_own_call_goes_back_with_its_id_and_arguments() -> None:
    check_trial = trial("tool.loop")
    answer = calls(("look_up", '{"key": "x"}'), ids="toolu_{}9")
    check_trial.add([answer(ask) for ask in check_trial.asks()])
    (second,) = check_trial.asks()
    assert second.body is not None
    assistant, tool = second.body["messages"][1:]
    assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"] == "toolu_09"
    assert assistant["tool_calls"][0]["function"]["arguments"] == '{"key": "x"}'
    check_trial.add([plain(second, message(f"It is {CHAT.word('loop', 'result')}."))])
    assert not check_trial.asks() and check_trial.finding.verdict == "works"


@pytest.mark.parametrize(("status", "text", "verdict"), [
    (500, "boom", "broken"), (400, "boom", "broken"), (400, "messages: no tool role", "refused"),
    (429, "slow down", "unsure"),
])  # fmt: skip
def test_a_gateway_that_refuses_its_own_call(status: int, text: str, verdict: str) -> None:
    check_trial = trial("tool.loop")
    while asks := check_trial.asks():
        first = len(asks[0].body["messages"]) == 1 if asks[0].body else False
        check_trial.add([
            calls(("look_up", '{"key":"x"}'))(ask) if first else wire.error(ask, status, text)
            for ask in asks
        ])  # fmt: skip
    assert check_trial.finding.verdict == verdict and check_trial.sent == 4


def test_a_check_that_cannot_be_tried_sends_nothing() -> None:
    for name, setting in (("reasoning.effort", CHAT), ("logit_bias", Setting("m")),
                          ("error.context", CHAT), ("embeddings.same", CHAT),
                          ("stop", replace(CHAT, lacks=frozenset({"stop"}))),
                          ("error.key", replace(CHAT, keyed=False))):  # fmt: skip
        check_trial = trial(name, setting)
        assert (
            not check_trial.asks()
            and check_trial.finding.verdict is Verdict.NOT_TRIED
            and check_trial.finding.fact
        )


def test_the_first_answer_shows_the_budget_field_and_whether_the_model_reasons() -> None:
    (ask,) = BY_ID["chat.plain"].asks(CHAT)
    text = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    learnt = learn(CHAT, [wire.error(ask, 400, text)])
    assert learnt.tokens_field == "max_completion_tokens"
    (again,) = BY_ID["chat.plain"].asks(learnt)
    assert again.body is not None and "max_tokens" not in again.body
    thinks = message("x", reasoning_content="hm")
    assert learn(CHAT, [plain(ask, thinks)]).reasons
    counted = message(
        "x", usage={**wire.USAGE, "completion_tokens_details": {"reasoning_tokens": 9}}
    )
    assert learn(CHAT, [plain(ask, counted)]).reasons
    for other in (says()(ask), wire.error(ask, 500, "max_tokens"), wire.error(ask, 400, "no")):
        assert learn(CHAT, [other]) == CHAT
