"""Why a run ended, or what it lost on the way, as the browser shows it. Pure."""

from collections import Counter

from recording.bilingual import Bilingual
from recording.event_text import clause
from recording.events import (
    Ended,
    Event,
    Failed,
    Refused,
    RunEnd,
    Stopped,
    StopRule,
    WorkerBack,
    WorkerLost,
)
from recording.outcome import Outcome
from recording.reasons import Reason
from recording.record import RequestRecord
from recording.untrusted_text import quoted

_MOST = 5
_MOST_WORDS = 50
_SHOWN_CHARS = 200
_FINISHED = Bilingual("finished its plan", "已按计划完成")
_EARLY = Bilingual("ended before its plan was done", "在计划完成前结束")


class Ending:
    """Follows a run's events and failures; `text` summarises them."""

    def __init__(self) -> None:
        self._causes: list[Event] = []
        self._lost: dict[str, WorkerLost] = {}
        self._end: RunEnd | None = None
        self._words: dict[str, Counter[str]] = {}

    def add(self, record: RequestRecord) -> None:
        """Adds one record: its error message may be the reason why the run ends."""
        if record.success or record.outcome == Outcome.DROPPED or not record.error_message:
            return
        words = self._words.setdefault(record.phase, Counter())
        text = quoted(record.error_message, _SHOWN_CHARS)
        if text in words or len(words) < _MOST_WORDS:
            words[text] += 1

    def note(self, event: Event) -> None:
        """Adds one event of the run."""
        match event:
            case WorkerLost():
                self._lost[event.worker or ""] = event
            case WorkerBack():
                self._lost.pop(event.worker or "", None)
            case RunEnd():
                self._end = event
            case Stopped() | StopRule() | Refused() | Failed():
                self._causes.append(event)
            case Ended() if event.cause is not Reason.REFUSED:  # reported by its phase
                self._causes.append(event)

    def text(self, lang: str) -> str:
        """One line: how the run ended, and each reason; empty if there is nothing to report."""
        place = 1 if lang == "zh" else 0
        clauses = list(dict.fromkeys(self._clause(event)[place] for event in self._causes))
        clauses = clauses[:_MOST] + [clause(event)[place] for event in self._lost.values()][:_MOST]
        if self._end is not None:
            clauses.insert(0, (_FINISHED if self._end.completed else _EARLY)[place])
        return ("; ", "；")[place].join(clauses)

    def _clause(self, event: Event) -> Bilingual:
        why, phase = clause(event), event.phase
        match event:
            case StopRule():
                words = self._words_of(phase)
                en, zh = (f', most of them "{words}"', f"，多数为“{words}”") if words else ("", "")
                return Bilingual(
                    f"the stop rule ended {phase}: {why.en}{en}",
                    f"停止规则终止了 {phase}：{why.zh}{zh}",
                )
            case Refused():
                return Bilingual(f"{phase} was ended: {why.en}", f"{phase} 被提前终止：{why.zh}")
            case Failed(error=str() as error):
                en, zh = Reason.FAULT.clause
                return Bilingual(f"{en} ({quoted(error)})", f"{zh}（{quoted(error)}）")
            case Ended(cause=Reason.PAYMENT_REQUIRED):
                words = self._words_of(next(reversed(self._words), None))
                en, zh = (f': "{words}"', f"：“{words}”") if words else ("", "")
                return Bilingual(why.en + en, why.zh + zh)
        return why

    def _words_of(self, phase: str | None) -> str:
        """The commonest error message of a phase's failures; empty if they had none."""
        words = self._words.get(phase or "")
        return words.most_common(1)[0][0] if words else ""
