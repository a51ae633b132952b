"""Progress of a headless run: a bar on a terminal, plain lines in a log."""

import logging
import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

import gevent

from loadshapes.phase import Phase
from recording.tally import Tally
from recording.untrusted_text import printable

LINE_EVERY_S = 5.0
BAR_EVERY_S = 0.5
BAR_CELLS = 24
log = logging.getLogger("weighbridge")


class Words(NamedTuple):
    """What a line of progress says, in one language."""

    running: str
    done: str
    answered: str
    failed: str
    dropped: str
    cost: str
    cost_since: str
    unknown: str
    no_cost: str
    left: str
    comma: str


ENGLISH = Words(
    "running", "done", "{} answered", "{} failed", "{} dropped", "cost so far {}",
    "cost since the run was resumed {}",
    " (+{} unknown)", "cost unknown", "{} s left", ", ",
)  # fmt: skip
CHINESE = Words(
    "进行中", "已结束", "已应答 {}", "失败 {}", "未发出 {}", "目前费用 {}",
    "续跑以来费用 {}",
    "（另 {} 条未知）", "费用未知", "剩余 {} 秒", "，",
)  # fmt: skip


class Progress:
    """Tells of one phase at a time, from its tally, in the language of `--lang`.

    `unit` names the currency, or is empty. A `resumed` run says since when its cost counts:
    the tallies hold nothing of the attempts before.
    """

    def __init__(
        self, tallies: Mapping[str, Tally], unit: str, lang: str = "en", *, resumed: bool = False
    ) -> None:
        self._tallies = tallies
        self._unit = unit
        self._words = CHINESE if lang == "zh" else ENGLISH
        self._spent = self._words.cost_since if resumed else self._words.cost
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
            log.info("%s", self.line(phase, ended=True))

    def run(self) -> None:
        """Tell of the running phase until killed."""
        while True:
            gevent.sleep(BAR_EVERY_S if self._bar else LINE_EVERY_S)
            if self._phase is None:
                continue
            if self._bar:
                self._draw(self._phase, "")
            else:
                log.info("%s", self.line(self._phase))

    def line(self, phase: Phase, *, ended: bool = False) -> str:
        """The phase in one line: done, failed, rates, cost so far, time left."""
        tally, words = self._tallies[phase.name], self._words
        passed_s = max(time.monotonic() - self._began, 0.001)
        over_s = tally.last_done_s if ended and tally.last_done_s else passed_s
        count = phase.count if phase.count is not None else "?"
        parts = [
            f"{phase.name} {words.done if ended else words.running}",
            words.answered.format(f"{tally.done}/{count}"),
            words.failed.format(tally.failed),
            f"{tally.succeeded / over_s * 60:.0f} RPM",
        ]
        if tally.dropped:
            parts.insert(2, words.dropped.format(tally.dropped))
        if tally.total_tokens:
            parts.append(f"{tally.total_tokens / over_s * 60:,.0f} TPM")
        parts.append(self._cost())
        if not ended and phase.duration_s is not None:
            parts.append(words.left.format(f"{max(0.0, phase.duration_s - passed_s):.0f}"))
        return words.comma.join(parts)

    def _cost(self) -> str:
        """What this attempt's phases together are known to have cost."""
        known = [tally.cost for tally in self._tallies.values() if tally.cost is not None]
        unknown = sum(tally.unpriced for tally in self._tallies.values())
        if not known:
            return self._words.no_cost
        rest = self._words.unknown.format(unknown) if unknown else ""
        return self._spent.format(f"{sum(known):.6f} {self._unit}".rstrip()) + rest

    def _draw(self, phase: Phase, end: str) -> None:
        tally = self._tallies[phase.name]
        share = (tally.done + tally.dropped) / phase.count if phase.count else 0.0
        filled = "#" * int(share * BAR_CELLS)
        line = printable(self.line(phase, ended=bool(end)))
        text = f"\r[{filled:<{BAR_CELLS}}] {line}\033[K{end}"
        print(text, end="", file=sys.stderr, flush=True)
