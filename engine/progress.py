"""What a person sees while a headless run goes on: a bar on a terminal, plain lines in a log."""

import logging
import sys
import time
from collections.abc import Mapping

import gevent

from loadshapes.phase import Phase
from recording.tally import Tally
from recording.untrusted_text import shown

LINE_EVERY_S = 5.0
BAR_EVERY_S = 0.5
BAR_CELLS = 24
log = logging.getLogger("weighbridge")


class Progress:
    """Tells of one phase at a time, from its tally. `unit` names the currency, or is empty."""

    def __init__(self, tallies: Mapping[str, Tally], unit: str) -> None:
        self._tallies = tallies
        self._unit = unit
        self._phase: Phase | None = None
        self._began = 0.0
        self._bar = sys.stderr.isatty()

    def start(self, phase: Phase) -> None:
        """A phase begins."""
        self._phase, self._began = phase, time.monotonic()

    def end(self, phase: Phase) -> None:
        """The phase is over: its last line."""
        self._phase = None
        if self._bar:
            self._draw(phase, "\n")
        else:
            log.info("%s", self.line(phase, "done"))

    def run(self) -> None:
        """Tell of the running phase until killed."""
        while True:
            gevent.sleep(BAR_EVERY_S if self._bar else LINE_EVERY_S)
            if self._phase is None:
                continue
            if self._bar:
                self._draw(self._phase, "")
            else:
                log.info("%s", self.line(self._phase, "running"))

    def line(self, phase: Phase, state: str) -> str:
        """The phase in one line: done, failed, rates, cost so far, time left."""
        tally = self._tallies[phase.name]
        passed_s = max(time.monotonic() - self._began, 0.001)
        over_s = tally.last_done_s if state == "done" and tally.last_done_s else passed_s
        parts = [
            f"{phase.name} {state}",
            f"{tally.done}/{phase.count if phase.count is not None else '?'} answered",
            f"{tally.failed} failed",
            f"{tally.succeeded / over_s * 60:.0f} RPM",
        ]
        if tally.dropped:
            parts.insert(2, f"{tally.dropped} dropped")
        if tally.total_tokens:
            parts.append(f"{tally.total_tokens / over_s * 60:,.0f} TPM")
        known = [t.cost for t in self._tallies.values() if t.cost is not None]
        unknown = sum(t.unpriced for t in self._tallies.values())
        rest = f" (+{unknown} unknown)" if unknown else ""
        parts.append(
            f"cost so far {sum(known):.6f} {self._unit}".rstrip() + rest
            if known
            else "cost unknown"
        )
        if state == "running" and phase.duration_s is not None:
            parts.append(f"{max(0.0, phase.duration_s - passed_s):.0f} s left")
        return ", ".join(parts)

    def _draw(self, phase: Phase, end: str) -> None:
        tally = self._tallies[phase.name]
        share = (tally.done + tally.dropped) / phase.count if phase.count else 0.0
        filled = "#" * int(share * BAR_CELLS)
        state = "done" if end else "running"
        text = f"\r[{filled:<{BAR_CELLS}}] {shown(self.line(phase, state))}\033[K{end}"
        print(text, end="", file=sys.stderr, flush=True)
