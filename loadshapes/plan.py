"""The plan of a run: its phases, in order. Pure."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from loadshapes.finding import Finding
from loadshapes.own_traffic.traffic import Traffic
from loadshapes.phase import Phase
from recording.bilingual import Bilingual
from recording.counted import counted
from recording.manifest_content import PlannedPhase

MOST_REQUESTS = 100_000_000
"""Limit per run. Their rows would be 65 GB; three weeks at 3,300 per minute are fewer."""
LONGEST_S = 366 * 86400.0
MANY_AT_ONCE, FAST_RPM = 10_000, 100_000
"""A larger plan started in a browser must be confirmed: a zero too many costs money."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The phases of a run, in order.

    `unfold` makes the program that decides each phase when its turn comes (loadshapes/program.py);
    `phases` are then those known in advance, `most_users` the most users the others may need, and
    `outlook` one sentence that says what they may use. Without it, `phases` are complete. `traffic`
    holds the operator's own lines, if they are sent.
    """

    phases: tuple[Phase, ...]
    unfold: Callable[[], Generator[Phase, Finding, None]] | None = field(
        default=None, compare=False
    )
    most_users: int = 0
    outlook: Bilingual | None = None
    traffic: Traffic | None = field(default=None, compare=False)

    @property
    def users(self) -> int:
        """The most users any phase needs: the size of the pool."""
        return max([self.most_users, *(phase.users for phase in self.phases)])

    @property
    def endless(self) -> bool:
        """Whether the run goes on until a person stops it."""
        return any(phase.kind == "manual" for phase in self.phases)

    @property
    def requests(self) -> int | None:
        """How many requests are planned in all; None when a phase has no count."""
        counts = [phase.count for phase in self.phases]
        return None if None in counts else sum(c for c in counts if c is not None)

    def validate(self) -> list[str]:
        """Every fault, not only the first; empty when the plan can be run."""
        faults = [fault for phase in self.phases for fault in phase.faults()]
        if not self.phases and self.unfold is None:
            faults.append("the plan is empty: no request would be sent.")
        if (self.requests or 0) > MOST_REQUESTS:
            faults.append(
                f"it would send {self.requests:,} requests, and a run has at most "
                f"{MOST_REQUESTS:,}: give a lower --target, a shorter --duration or fewer --steps, "
                "or make several runs of it."
            )
        if (longest := max((p.duration_s or 0.0 for p in self.phases), default=0.0)) > LONGEST_S:
            faults.append(
                f"it would last {longest / 86400:,.0f} days, and a window has at most "
                f"{LONGEST_S / 86400:.0f}: give a shorter --duration."
            )
        names = [phase.name for phase in self.phases]
        repeated = {name for name in names if names.count(name) > 1}
        for name in sorted(repeated):
            faults.append(f"phase {name} is planned twice; name each model and target once.")
        prefixes = [phase.task_prefix for phase in self.phases if phase.name not in repeated]
        for prefix in sorted({p for p in prefixes if p and prefixes.count(p) > 1}):
            faults.append(f"two phases name their requests {prefix}...: each needs its own prefix.")
        return faults

    def excess(self) -> str:
        """A clause that names what is unusually large about the plan; empty: nothing."""
        at_once = max((p.users for p in self.phases if p.kind != "manual"), default=0)
        rates = [
            (p.count or 0) / p.duration_s * 60
            for p in self.phases
            if p.kind == "arrivals" and p.duration_s
        ]
        if at_once >= MANY_AT_ONCE:
            return f"{at_once:,} requests at once"
        if max(rates, default=0.0) >= FAST_RPM:
            return f"{float(f'{max(rates):.3g}'):,.0f} requests a minute"
        return ""

    def as_dicts(self) -> list[PlannedPhase]:
        """The phases as plain dictionaries, for the manifest."""
        return [phase.as_dict() for phase in self.phases]

    def describe(self) -> str:
        """The plan as text: one line per phase, then how many requests in all; empty for one that
        only has an outlook, which `engine.estimate` states.
        """
        if self.outlook is not None:
            return ""
        lines = ["phase, kind, requests, at once, window, output budget of a request"]
        for phase in self.phases:
            count = "as many as fit" if phase.count is None else counted(phase.count, "request")
            window = "-" if phase.duration_s is None else _lasting(phase.duration_s)
            if phase.pairs and phase.count is not None:
                count = f"{counted(phase.count // 2, 'request')} to each of two routes"
            users = "Locust's users" if phase.kind == "manual" else str(phase.users)
            lines.append(
                f"{phase.name}, {phase.kind}, {count}, {users} at once, {window}, {_budget(phase)}"
            )
        total = self.requests
        total_text = "unbounded requests" if total is None else counted(total, "request")
        lines.append(f"in all: {total_text}")
        return "\n".join(lines)


def _lasting(seconds: float) -> str:
    """Seconds, with a larger unit if there are many."""
    if seconds < 2 * 3600:
        return f"{seconds:g} s"
    days = seconds / 86400
    return f"{seconds:.0f} s ({f'{days:.1f} days' if days >= 2 else f'{seconds / 3600:.1f} hours'})"


def _budget(phase: Phase) -> str:
    if phase.traffic:
        return "as each line says" + (f", else {phase.max_tokens}" if phase.max_tokens else "")
    return "unlimited" if phase.max_tokens is None else counted(phase.max_tokens, "token")
