"""The current or last run as the browser shows it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.session import Session
from recording.tally import Tally
from recording.untrusted_text import printable
from webui import words
from webui.ending import Ending
from webui.failures import Failures
from webui.live import LiveRun
from webui.start import Commander
from webui.time_left import time_left_s


class Gateway:
    """The current or last run as the browser shows it.

    `in_flight` counts requests in flight. Rows of workers arrive up to `behind_s` late, in seconds:
    rates are over the time that is known.
    """

    def __init__(
        self,
        command: Commander,
        in_flight: Callable[[], int],
        lang: str,
        behind_s: float = 0.0,
    ) -> None:
        self.lang = lang
        self._behind_s = behind_s
        self._command = command
        self._in_flight = in_flight
        self._session: Session | None = None
        self._live: LiveRun | None = None
        self._ending = Ending()
        self._failures = Failures()

    def watch(self, session: Session) -> None:
        """Shows this run from now on."""
        unit = session.tariff.currency or ""
        live = LiveRun(session, unit, words.texts(self.lang))
        session.watchers.append(lambda record: live.add(record, time.time()))
        session.noted.append(live.note)
        ending = Ending()
        session.watchers.append(ending.add)
        session.noted.append(ending.note)
        failures = Failures()
        session.watchers.append(failures.add)
        self._session, self._live = session, live
        self._ending, self._failures = ending, failures

    @property
    def folder(self) -> Path | None:
        """The run's folder; None if there was no run."""
        return None if self._session is None else self._session.folder

    def rows(self) -> list[dict[str, Any]]:
        """The Gateway tab's rows."""
        if self._session is None or self._live is None:
            return []
        return self._live.rows(self._known_until(), self._running, self._in_flight())

    def _known_until(self) -> float:
        return time.time() - self._behind_s

    @property
    def _running(self) -> str | None:
        """The current phase's name; None between phases and after the run."""
        session = self._session
        phase = session.conductor.phase if session is not None and self._runs else None
        return None if phase is None else phase.name

    def state(self) -> dict[str, Any]:
        """Everything that the charts' page draws."""
        if self._session is None or self._live is None:
            return {
                "run": None,
                "rows": [],
                "points": [],
                "marks": [],
                "words": words.texts(self.lang),
            }
        return {
            "run": self._session.options.run_id,
            "mode": self._session.options.mode,
            "gateway": printable(self._session.endpoint.masked_url),
            "simulated": self._session.endpoint.simulated,
            "currency": self._live.currency,
            "running": self._runs,
            "ending": self._ending.text(self.lang),
            "report": (self._session.folder / "report.html").is_file(),
            "columns": words.columns(self.lang, self._live.currency),
            "words": words.texts(self.lang),
            "rows": self.rows(),
            "points": self._live.points(self._known_until(), self._running),
            "point_s": self._live.point_s,
            "marks": self._live.marks(),
            "failures": self._failures.rows(),
            "budget": self._budget(self._session),
            **self._course(self._session, self._live),
        }

    def _budget(self, session: Session) -> list[dict[str, Any]]:
        """What each budget allows, and how much of it is used or reserved."""
        left_by_unit = session.budget_left()
        units = (
            ("money", session.options.budget, session.tariff.currency or ""),
            ("tokens", session.options.budget_tokens, "token" if self.lang == "zh" else "tokens"),
        )
        return [
            {"unit": unit, "limit": limit, "used": max(0.0, limit - left_by_unit[name])}
            for name, limit, unit in units
            if name in left_by_unit and limit
        ]

    def _course(self, session: Session, live: LiveRun) -> dict[str, Any]:
        """Where the run is in its plan: the current phase, those to come, and the time left.

        If a program decides its phases on the way, only the known ones count.
        """
        running = session.conductor.phase if self._runs else None
        phases = session.plan.phases
        names = [phase.name for phase in phases]
        if not self._runs:
            return {"now": None, "next": [], "by_hand": session.plan.endless, "left_s": None}
        place = names.index(running.name) + 1 if running and running.name in names else 0
        to_come = [phase for phase in phases[place:] if phase.name not in session.began]
        began = session.began.get(running.name) if running else None
        tally = session.tallies[running.name] if running else Tally()
        passed_s = max(0.0, time.time() - began) if began is not None else 0.0
        return {
            "now": f"{printable(running.name)} ({place}/{len(names)})" if running else None,
            "next": [printable(phase.name) for phase in to_come[:3]],
            "by_hand": session.plan.endless,
            "left_s": time_left_s(running, passed_s, tally, to_come, live.answer_s),
        }

    @property
    def _runs(self) -> bool:
        return self._session is not None and self._command.session is self._session
