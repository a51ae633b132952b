"""A whole survey of scripted servers that refuse, limit, lie or stay silent."""

from collections.abc import Callable
from pathlib import Path

from compat import evidence_file
from compat.check import Ask
from compat.evidence import Evidence, Outcome
from compat.known import survey_of
from compat.replay import Changed, finish, phase_name, wave_of
from compat.survey import LONGEST_WAIT_S, MOST_WAITING_S, Survey, Wave
from compat.verdict import Verdict
from tests.compat import wire
from tests.compat.wire import message, plain

Server = Callable[[Ask], Evidence | None]
MODEL = "gpt-m"


def survey(checks: str = "", **more: object) -> Survey:
    arguments = {"run_id": "r", "context_tokens": 0, "checks": checks} | more
    return survey_of(MODEL, **arguments)  # type: ignore[arg-type]


def sent(survey_run: Survey, server: Server, most: int = 400) -> list[Wave]:
    """Answers every wave."""
    waves, answers = survey_run.waves("the budget is spent"), []
    wave = next(waves, None)
    while wave is not None and len(answers) < most:
        answers.append(wave)
        try:
            wave = waves.send([server(turn.ask) for turn in wave.turns])
        except StopIteration:
            break
    return answers


def found(survey_run: Survey) -> dict[str, Verdict]:
    return {name: finding.verdict for name, finding in survey_run.findings().items()}


def refusing(status: int, text: str = "no") -> Server:
    return lambda ask: wire.error(ask, status, text)


def test_a_gateway_that_refuses_everything_is_one_sentence() -> None:
    """Whatever it answers, only the first check is sent, and nothing else is accused."""
    for server in (
        refusing(401, "bad key"), refusing(404, "no such model"), refusing(400, "no"),
        refusing(500), refusing(402), lambda ask: wire.lost(ask, Outcome.RESET),
        lambda ask: wire.lost(ask, Outcome.TIMEOUT),
    ):  # fmt: skip
        survey_run = survey()
        waves = sent(survey_run, server)
        assert sum(len(wave.turns) for wave in waves) <= 5
        assert survey_run.mute and "answered no plain request" in survey_run.ended
        verdicts = found(survey_run)
        assert {v for n, v in verdicts.items() if n != "chat.plain"} == {Verdict.NOT_TRIED}


def test_a_rate_limit_is_waited_for_and_accuses_nobody() -> None:
    """Each request is accepted at its third attempt, so all are answered in the end."""
    tries: dict[str, int] = {}

    def server(ask: Ask) -> Evidence:
        tries[str(ask)] = tries.get(str(ask), 0) + 1
        if tries[str(ask)] < 3:
            limited = wire.error(ask, 429, "slow down")
            return Evidence(limited.sent, 429, {"retry-after": "1"}, limited.pieces)
        return plain(ask, message("x"))

    survey_run = survey("chat.plain,chat.stream,stop,n")
    waves = sent(survey_run, server)
    assert [w.wait_s for w in waves[:3]] == [0.0, 1.2, 1.2] and waves[2].users == 1
    assert not survey_run.ended and survey_run.resent["stop"] >= 2
    assert "429" not in str([finding.fact for finding in survey_run.findings().values()])


def test_a_limit_that_lets_nothing_through_ends_the_survey_in_time() -> None:
    first = iter([True])

    def server(ask: Ask) -> Evidence:
        if next(first, False):
            word = str((ask.body or {})["messages"][-1]["content"]).split("exactly: ")[-1]
            return plain(ask, message(word))
        return wire.error(ask, 429, "slow down")

    survey_run = survey()
    waves = sent(survey_run, server)
    assert sum(wave.wait_s for wave in waves) <= MOST_WAITING_S
    assert max(wave.wait_s for wave in waves) <= LONGEST_WAIT_S
    assert "rate limit let no more through" in survey_run.ended
    assert set(found(survey_run).values()) <= {Verdict.WORKS, Verdict.UNSURE, Verdict.NOT_TRIED}
    assert found(survey_run)["chat.plain"] is Verdict.WORKS


def test_a_lying_gateway_is_one_sentence_too() -> None:
    """HTTP 200 with empty choices, a page, or an error, whatever the request."""
    for body in (
        {**message("x"), "choices": []},
        b"<html>busy</html>",
        {"error": {"message": "no"}},
    ):
        survey_run = survey()
        sent(survey_run, lambda ask, told=body: plain(ask, told))  # type: ignore[misc]
        verdicts = found(survey_run)
        assert survey_run.mute and "HTTP 200" in survey_run.ended and verdicts["chat.plain"].accuses
        assert {v for n, v in verdicts.items() if n != "chat.plain"} == {Verdict.NOT_TRIED}


def test_checks_that_were_not_sent_count_as_not_tried() -> None:
    count = iter(range(1000))

    def server(ask: Ask) -> Evidence | None:
        return plain(ask, message("x")) if next(count) < 30 else None

    survey_run = survey()
    sent(survey_run, server)
    not_tried = [
        t.finding for t in survey_run.trials.values() if t.finding.verdict is Verdict.NOT_TRIED
    ]
    assert survey_run.ended == "the budget is spent" and len(not_tried) > 20
    assert any(finding.fact == "the budget is spent" for finding in not_tried)


def test_the_setting_is_learnt_from_the_first_answers() -> None:
    """A model that takes the other budget field, and one that reasons."""

    def server(ask: Ask) -> Evidence:
        if "max_tokens" in (ask.body or {}):
            return wire.error(ask, 400, "use max_completion_tokens", param="max_tokens")
        used = {**wire.USAGE, "completion_tokens_details": {"reasoning_tokens": 4}}
        return plain(ask, message("x", usage=used))

    survey_run = survey("chat.plain")
    sent(survey_run, server)
    assert survey_run.setting.tokens_field == "max_completion_tokens" and survey_run.setting.reasons


def test_cells_are_computed_again_from_what_is_kept(tmp_path: Path) -> None:
    """The file alone gives the same findings and has no keys; a phase identifies its wave."""

    def server(ask: Ask) -> Evidence:
        return wire.byte_by_byte(plain(ask, message("secret-key-1234 \u4e2d")))

    survey_run, names = survey("chat.plain,stop,n,json.*"), []
    waves = survey_run.waves()
    wave = next(waves, None)
    while wave is not None:
        names.append(phase_name(survey_run, wave))
        for index, turn in enumerate(wave.turns):
            evidence_file.append(tmp_path, (names[-1], index), turn.check, server(turn.ask),
                                 ["secret-key-1234"])  # fmt: skip
        stored = evidence_file.read(tmp_path)
        try:
            wave = waves.send([stored[(names[-1], index)] for index in range(len(wave.turns))])
        except StopIteration:
            break
    text = (tmp_path / evidence_file.NAME).read_text(encoding="utf-8")
    assert "secret-key-1234" not in text
    stored = evidence_file.read(tmp_path)
    assert "\u4e2d" in stored[(names[0], 0)].body.decode()
    again = survey("chat.plain,stop,n,json.*")
    finish(again, stored, "")
    assert again.findings() == survey_run.findings()
    assert wave_of(survey("chat.plain,stop,n,json.*"), stored, names[1]).number == 2
    try:
        finish(survey("chat.plain,stop", run_id="another"), stored, "")
    except Changed:
        return
    raise AssertionError("evidence of other requests was judged")


def test_an_incomplete_line_is_not_evidence(tmp_path: Path) -> None:
    (ask,) = survey().base.asks(survey().setting)
    evidence_file.append(tmp_path, ("p", 0), "chat.plain", plain(ask, message("x")), [])
    with (tmp_path / evidence_file.NAME).open("ab") as file:
        file.write(b'{"phase": "p", "ind')
    assert list(evidence_file.read(tmp_path)) == [("p", 0)]
    evidence_file.append(tmp_path, ("p", 1), "chat.plain", plain(ask, message("x")), [])
    assert list(evidence_file.read(tmp_path)) == [("p", 0), ("p", 1)]
