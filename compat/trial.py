"""One check of one model over one route: what to send next, and what the answers prove. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from compat.check import Ask, Check, Setting
from compat.evidence import Evidence, error_of, names_any
from compat.reply import reply
from compat.verdict import Finding, Settled, Verdict, combine, settle, softened


@dataclass(slots=True)
class Trial:
    """Send all requests that `asks` returns and pass the evidence to `add`, until `asks` is empty.

    `verdicts` are those of the checks before it, by id. A check that cannot be tried has no
    requests.
    """

    check: Check
    setting: Setting
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    rounds: list[Finding] = field(default_factory=list)
    sent: int = 0
    telling: Evidence | None = None
    """The evidence that the finding is based on."""
    _answers: list[Evidence] = field(default_factory=list)
    _finding: Finding | None = None

    def asks(self) -> Sequence[Ask]:
        """The requests to send now; empty when the check is decided."""
        if self._finding is None and not self._answers:
            why = self.check.not_tried(self.setting)
            if why is not None:
                self._finding = Finding(Verdict.NOT_TRIED, why.en)
        if self._finding is not None:
            return ()
        if not self._answers:
            return self.check.asks(self._round)
        more = self.check.then(self._round, self._answers)
        if more and self._may_send(len(more)):
            return more
        self._judge()
        return self.asks()

    def add(self, evidence: Sequence[Evidence]) -> None:
        """Takes the answers to the requests, in order."""
        self._answers += evidence
        self.sent += len(evidence)

    def give_up(self, why: str) -> None:
        """Ends the check as no more can be sent: if undecided, it was not tried or is unsure."""
        if self._finding is None:
            tried = bool(self.rounds)
            fact = f"{why}; so far: {self.rounds[0].fact}" if tried else why
            self._finding = Finding(Verdict.UNSURE if tried else Verdict.NOT_TRIED, fact)

    @property
    def finding(self) -> Finding:
        """What the check found. Raises ValueError while it is undecided."""
        if self._finding is None:
            raise ValueError(f"{self.check.id} is not decided yet")
        return self._finding

    @property
    def _round(self) -> Setting:
        return replace(self.setting, round=self.setting.round + len(self.rounds))

    def _may_send(self, more: int) -> bool:
        most = self.check.bound(self._round).requests
        return len(self._answers) + more <= most

    def _judge(self) -> None:
        setting, answers = self._round, tuple(self._answers)
        finding = settle(lambda: self.check.judge(setting, answers))
        if self.telling is None or finding.verdict is not Verdict.WORKS:
            self.telling = answers[min(finding.seen_in, len(answers) - 1)]
        self.rounds.append(finding)
        self._answers = []
        decided = combine(self.rounds, self.check.guarantee)
        if decided is not None:
            below = [(n, self.verdicts[n]) for n in self.check.needs if n in self.verdicts]
            self._finding = softened(decided, below)


def learn(setting: Setting, answers: Sequence[Evidence]) -> Setting:
    """What the first check's answers show about the model: whether it reasons, and which field it
    takes as its budget. Send the check again if the setting has changed."""
    for evidence in answers:
        error = error_of(evidence) if evidence.status in (400, 422) else None
        named = error is not None and names_any(error, ("max_tokens", "max_completion_tokens"))
        if named and not setting.tokens_field_given:
            other = ("max_completion_tokens", "max_tokens")
            other_field = other[0] if setting.tokens_field == "max_tokens" else other[1]
            return replace(setting, tokens_field=other_field)
        try:
            answer = reply(evidence, ())
        except Settled:
            continue
        if answer.reasoning_tokens or any(choice.reasoning for choice in answer.choices):
            return replace(setting, reasons=True)
    return setting
