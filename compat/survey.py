"""All checks of one model over one route: the order of sending, and when to stop. Pure.

The first check shows whether the model answers at all, and how it wants to be asked. After that all
undecided checks send their next requests together in one wave, until every check is decided. Checks
that need a strict order go last, one request at a time.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from compat.check import Ask, Check, Setting
from compat.evidence import Evidence, error_text, strict_json
from compat.registry import BY_ID
from compat.trial import Trial, learn
from compat.verdict import Finding, softened
from recording.json_values import mapping

AT_ONCE = 4
"""Requests of a wave in flight at once: enough to finish a model in a minute or two, and few
enough that a stream's times are the gateway's."""
IN_TURN = ("cache.prompt", "cache.key", "cancel")
"""Checks whose requests must follow one another, with nothing else in flight."""
MOST_LOOKS = 3
LONGEST_WAIT_S, MOST_WAITING_S = 60.0, 300.0
"""The longest single wait for a rate limit, and the longest sum of waits for one model."""
_RATE_LIMITED = 429


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a wave, and the check that it belongs to."""

    check: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Wave:
    """Requests that may be sent now, `users` at once, `wait_s` after the previous wave."""

    number: int
    turns: tuple[Turn, ...]
    users: int
    wait_s: float = 0.0


Answers = Sequence[Evidence | None]
"""What came back for a wave's requests, in order; None for one that was not sent."""
Waves = Generator[Wave, Answers, None]


@dataclass(slots=True)
class Survey:
    """`waves` is a generator: send each wave's requests, and give it the answers.

    `name` begins the names of its phases. `trials` are keyed by check; `setting` is what is known
    about the model so far. `ended` says why the survey ended early, empty if it did not; `mute`
    says that it was because the model answered nothing.
    """

    checks: Sequence[Check]
    setting: Setting
    name: str
    trials: dict[str, Trial] = field(default_factory=dict)
    ended: str = ""
    mute: bool = False  # whether the model answered nothing
    resent: dict[str, int] = field(default_factory=dict)  # by check, requests that got HTTP 429
    _number: int = 0
    _waited_s: float = 0.0
    _wait_s: float = 0.0

    def __post_init__(self) -> None:
        first, rest = self.base, [check for check in self.checks if check.id != self.base.id]
        self.checks = [first, *rest]

    @property
    def base(self) -> Check:
        """The check that shows whether the model answers at all."""
        return BY_ID["embeddings.plain" if self.setting.embeds else "chat.plain"]

    def waves(self, unsent: str = "the run ended before it was sent") -> Waves:
        """The waves, until everything is decided. `unsent`: why a request was not sent."""
        yield from self._first_check()
        rest = self.checks[1:]
        self.trials |= {check.id: Trial(check, self.setting) for check in rest}
        if not self.ended:
            yield from self._through([c.id for c in rest if c.id not in IN_TURN], AT_ONCE)
            yield from self._through([c.id for c in rest if c.id in IN_TURN], 1)
        for trial in self.trials.values():
            trial.asks()  # judge first what was answered
            trial.give_up(unsent if self.ended == _UNSENT else self.ended)
        if self.ended == _UNSENT:
            self.ended = unsent

    def findings(self) -> dict[str, Finding]:
        """The finding of each check, softened by the checks that it depends on."""
        verdicts = {name: trial.finding.verdict for name, trial in self.trials.items()}
        return {
            name: softened(
                trial.finding, [(n, verdicts[n]) for n in trial.check.needs if n in verdicts]
            )
            for name, trial in self.trials.items()
        }

    def _first_check(self) -> Waves:
        """Sends the first check alone, again if its answer shows how to ask this model."""
        base = self.base
        trial = Trial(base, self.setting)
        for attempt in range(1, MOST_LOOKS + 1):
            trial = Trial(base, self.setting)
            first = trial.asks()
            answers = yield from self._answered([Turn(base.id, ask) for ask in first], 1)
            if self.ended:
                break
            learnt = learn(self.setting, answers)
            if learnt == self.setting or attempt == MOST_LOOKS:
                trial.add(answers)
                break
            self.setting = replace(learnt, round=100 * attempt)
        self.trials[base.id] = trial
        answered = _any_answer(answers)
        while not self.ended and (asks := trial.asks()):
            more = yield from self._answered([Turn(base.id, ask) for ask in asks], 1)
            if not self.ended:
                trial.add(more)
                answered |= _any_answer(more)
                answers = more
        self.setting = replace(self.setting, round=self.setting.round + 10)
        if not answered and not self.ended:
            self.mute = True
            self.ended = f"the model answered no plain request ({_why_unanswered(answers)})"

    def _through(self, names: Sequence[str], users: int) -> Waves:
        """Sends the checks with these ids until they are decided."""
        while not self.ended:
            asks_of_checks = [(name, [*self.trials[name].asks()]) for name in names]
            turns = [Turn(name, ask) for name, asks in asks_of_checks for ask in asks]
            if not turns:
                return
            answers = yield from self._answered(turns, users)
            start = 0
            for name, asks in asks_of_checks:
                of_check, start = answers[start : start + len(asks)], start + len(asks)
                if len(of_check) == len(asks):
                    self.trials[name].add(of_check)

    def _answered(
        self, turns: Sequence[Turn], users: int
    ) -> Generator[Wave, Answers, list[Evidence]]:
        """The answers to some requests, in order, up to the first that has none. What a rate limit
        refuses is sent again as soon as the limit allows."""
        answered: dict[int, Evidence] = {}
        places = list(range(len(turns)))
        if not turns:
            return []
        for attempt in range(20):
            self._number += 1
            wave = Wave(self._number, tuple(turns[n] for n in places),
                        users if attempt == 0 else 1, self._wait_s)  # fmt: skip
            answers = yield wave
            answer = {
                n: evidence
                for n, evidence in zip(places, answers, strict=True)
                if evidence is not None
            }
            answered |= answer
            self._wait_s = 0.0
            if len(answer) < len(places):
                self.ended = _UNSENT
                break
            places = [n for n, evidence in answer.items() if evidence.status == _RATE_LIMITED]
            if not places:
                break
            self._wait_s = max(_wait_s(answered[n], attempt) for n in places)
            self._waited_s += self._wait_s
            if self._waited_s > MOST_WAITING_S:
                self.ended = (
                    f"the rate limit let no more through within {MOST_WAITING_S:g} s "
                    f"({error_text(answered[places[0]])})"
                )
                break
            if users == 1 and len(turns) > 1:
                break  # a request that is sent again would be out of order
            for n in places:
                name = turns[n].check
                self.resent[name] = self.resent.get(name, 0) + 1
        in_order: list[Evidence] = []
        for n in range(len(turns)):
            if n not in answered:
                break
            in_order.append(answered[n])
        return in_order


_UNSENT = "unsent"


def _any_answer(answers: Sequence[Evidence]) -> bool:
    return any(_answers(evidence) for evidence in answers)


def _answers(evidence: Evidence) -> bool:
    """Whether a reply contains anything: a choice or a vector, however wrong."""
    if evidence.status is None or not 200 <= evidence.status < 300:
        return False
    if evidence.content_type == "text/event-stream":
        return True
    try:
        body = mapping(strict_json(evidence.body))
    except ValueError:
        return False
    return bool(body.get("choices") or body.get("data"))


def _why_unanswered(answers: Sequence[Evidence]) -> str:
    if not answers or answers[-1].status is None:
        return f"{answers[-1].outcome}, no HTTP status" if answers else "nothing came"
    return error_text(answers[-1])


def _wait_s(evidence: Evidence, attempt: int) -> float:
    """How long to wait for a rate limit: as it asks, within bounds; otherwise longer each time."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            stated_s = float(evidence.headers.get(name, "")) * unit
        except ValueError:
            continue
        if stated_s >= 0:
            return min(LONGEST_WAIT_S, stated_s + 0.2)
    return min(LONGEST_WAIT_S, 2.0 ** (attempt + 1))
