"""Runs side by side: which options differ, and which numbers demonstrably differ.

The first run is the baseline; each other one is compared with it, phase by phase. A difference is
*shown* when its p-value, adjusted over all that was compared (Holm), is at most 0.05 and its
interval does not contain 0. So a comparison of two alike runs reports any difference at all at
most one time in twenty. Everything else is "no difference shown", which is not "the same": see the
interval for how large a difference may have gone unnoticed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from analysis.compare.resample import LEVEL, NUMBERS, Difference, Side, differences, need
from analysis.numbers import warmup
from analysis.numbers.holm import holm
from analysis.numbers.phase_numbers import PhaseNumbers
from analysis.numbers.summarize import of_phases
from analysis.reading.load import Run, RunError

FEWEST_REQUESTS = 20
"""Of a phase with fewer on either side, nothing could be shown: it is not compared."""
WORSE_WHEN_HIGHER = {"p50_s": True, "p95_s": True, "p99_s": True, "success_rate": False,
                     "tpm": False, "cost_per_success": True}  # fmt: skip

_PLANNED = (
    "name", "mode", "scenario", "model", "kind", "request", "users", "count", "duration_s",
    "target", "max_tokens", "stream", "typed", "traffic",
)  # fmt: skip
"""What a phase is. Its task prefix is not: it holds the run's own name."""
_SENT_BEFORE = (
    "arrivals", "approx_prompt_tokens", "tpm_plan", "grace", "warmup", "timeout",
    "connect_timeout", "max_reply_mb", "task_id", "output_budget_field", "stream_usage",
    "extra_body", "connections", "task_id_on_streams", "prompts", "trace", "trace_from",
    "trace_to", "speed", "same_prompts", "prefix_file", "prefix_tokens", "cache_nonce",
    "cache_control", "tools", "tools_prompt", "tools_expect", "tool_choice", "image", "image_text",
)  # fmt: skip
"""The options that decide what is sent, and how long an answer may take, in manifests that do not
name them (`sent_options`). It never grows: a manifest with a newer option does."""
_ADAPTIVE = ("capacity", "limits")
"""Modes that ask for each phase by what the last one found: the levels are no wish of anyone's."""
_DRAWN_NONCE = re.compile(r"[0-9a-f]{16}")
"""Manifests once kept the nonce that a run drew where `fresh` was asked for."""

_READ = (
    "phase", "scheduled_offset_s", "sent_offset_s", "done_offset_s", "duration_s", "success",
    "elapsed_sec", "api_cost", "total_tokens", "cancel_after",
)  # fmt: skip
_EXAMPLES = 8
HANG_TOGETHER = "neighbouring requests are alike: it takes about"
MEMORY_NEEDS = "requests to tell, there are"

Verdict = Literal["better", "worse", "not shown", "not compared"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One number of one phase, of the baseline and of another run.

    `adjusted_p` is None where nothing was tested; `why` says why not.
    """

    phase: str
    other_phase: str
    run: str
    number: str
    difference: Difference
    adjusted_p: float | None
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All findings, and how the runs differ.

    `alone` are the phases without a counterpart; `limited` those that measured the generator.
    """

    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    unlike: tuple[str, ...]
    alone: tuple[str, ...]
    limited: tuple[tuple[Run, str], ...]

    @property
    def differences(self) -> list[Finding]:
        """The differences that are shown."""
        return [finding for finding in self.findings if finding.verdict in ("better", "worse")]

    @property
    def tested(self) -> int:
        """How many numbers were compared: what the p-values are adjusted for."""
        return sum(finding.adjusted_p is not None for finding in self.findings)

    def untested(self, numbers: Sequence[str]) -> dict[str, str]:
        """Those of the given numbers that were compared in no phase, and why."""
        tested = {finding.number for finding in self.findings if finding.adjusted_p is not None}
        whys = {finding.number: finding.why for finding in reversed(self.findings) if finding.why}
        return {
            name: whys.get(name, "no phase has a counterpart")
            for name in numbers
            if name not in tested
        }

    def regressions(self, numbers: Sequence[str], tolerance: float) -> list[Finding]:
        """The given numbers that are shown to be worse by more than the share `tolerance`."""
        return [
            finding
            for finding in self.findings
            if finding.verdict == "worse"
            and finding.number in numbers
            and abs(finding.difference.change or 0.0) > tolerance
        ]


def unlike(base: Run, other: Run) -> list[str]:
    """Why two runs cannot be compared, one clause per reason; empty if they can."""
    clauses = []
    a, b = base.manifest, other.manifest
    ours, theirs = {p["name"]: p for p in base.plan}, {p["name"]: p for p in other.plan}
    for name, left, right in [
        ("schema version", a.get("schema_version"), b.get("schema_version")),
        ("mode", a.get("mode"), b.get("mode")),
        ("simulated", base.simulated, other.simulated),
    ]:
        if left != right:
            clauses.append(f"{name}: {left} / {right}")
    if a.get("mode") in _ADAPTIVE:
        if a.get("slo") != b.get("slo"):
            clauses.append(f"--slo: {a.get('slo')} / {b.get('slo')}")
        ours = theirs = {}
    clauses += [f"phase {name} is only in {base.run_id}" for name in ours if name not in theirs]
    clauses += [f"phase {name} is only in {other.run_id}" for name in theirs if name not in ours]
    for name in ours:
        clauses += _differing(ours[name], theirs.get(name, {}), _PLANNED, f"{name}, ")
    named = [name for side in (a, b) for name in side.get("sent_options") or _SENT_BEFORE]
    base_wishes, other_wishes = (_wishes(run.options, named) for run in (base, other))
    return clauses + _differing(base_wishes, other_wishes, [*base_wishes], "")


def _wishes(options: Mapping[str, Any], named: Sequence[str]) -> dict[str, Any]:
    """Those of the options that are `named`, as the operator gave them and as they are typed."""
    nonce = str(options.get("cache_nonce"))
    wishes = {**options} | ({"cache_nonce": "fresh"} if _DRAWN_NONCE.fullmatch(nonce) else {})
    return {f"--{name.replace('_', '-')}": wishes[name] for name in named if name in wishes}


def _require_alike(base: Run, others: Sequence[Run]) -> None:
    for other in others:
        if clauses := unlike(base, other):
            more = f"; and {len(clauses) - _EXAMPLES} more" if len(clauses) > _EXAMPLES else ""
            raise RunError(
                f"{base.run_id} and {other.run_id} are not comparable ({base.run_id} / "
                f"{other.run_id}): {'; '.join(clauses[:_EXAMPLES])}{more}; compare runs of the "
                "same plan, or give --force."
            )


def _differing(
    base: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str], place: str
) -> list[str]:
    """The names whose values differ, of those that both sides state."""
    return [
        f"{place}{name}: {base[name]} / {other[name]}"
        for name in names
        if name in base and name in other and base[name] != other[name]
    ]


def numbers_of(text: str | None) -> tuple[str, ...]:
    """The numbers that an operator names, separated by commas, or `all`. Raises RunError."""
    named = NUMBERS if text in (None, "all") else tuple(n.strip() for n in str(text).split(","))
    for name in named:
        if name not in NUMBERS:
            raise RunError(f"--fail-on-regression {name} is unknown: use {', '.join(NUMBERS)}.")
    return named


def compare(runs: Sequence[Run], seed: int = 0, force: bool = False) -> Comparison:
    """The first run against each other one.

    Raises RunError, with what differs, when their plans are not alike; not with `force`.
    """
    base, *others = runs
    if not force:
        _require_alike(base, others)
    apart: list[str] = []
    alone: list[str] = []
    limited: dict[tuple[str, str], tuple[Run, str]] = {}
    drafts: list[Draft] = []
    for other in others:
        apart += [f"{other.run_id}: {clause}" for clause in unlike(base, other)]
        pairs, unpaired = _pairs(base, other)
        alone += unpaired
        for mine, theirs in pairs:
            drafts += _phase(base, other, mine, theirs, seed)
            for run, phase in ((base, mine), (other, theirs)):
                if phase.generator_limited:
                    limited[run.run_id, phase.phase] = run, phase.phase
    tested = [place for place, draft in enumerate(drafts) if draft.difference.p is not None]
    adjusted = dict(zip(tested, holm([drafts[i].difference.p or 0.0 for i in tested]), strict=True))
    findings = tuple(draft.finding(adjusted.get(place)) for place, draft in enumerate(drafts))
    return Comparison(tuple(runs), findings, tuple(apart), tuple(alone), tuple(limited.values()))


class Draft(NamedTuple):
    """A finding before its p-value is adjusted over all that was compared."""

    phase: str
    other_phase: str
    run: str
    number: str
    difference: Difference
    why: str

    def finding(self, p: float | None) -> Finding:
        """The finding, by its adjusted p-value; None: nothing was tested."""
        return Finding(
            self.phase, self.other_phase, self.run, self.number, self.difference, p,
            self._verdict(p), self.why,
        )  # fmt: skip

    def _verdict(self, p: float | None) -> Verdict:
        difference = self.difference
        if (
            p is None
            or difference.low is None
            or difference.high is None
            or difference.change is None
        ):
            return "not compared"
        if p > LEVEL or difference.low <= 0 <= difference.high:
            return "not shown"
        return "worse" if (difference.change > 0) == WORSE_WHEN_HIGHER[self.number] else "better"


def _phase(
    base: Run, other: Run, mine: PhaseNumbers, theirs: PhaseNumbers, seed: int
) -> list[Draft]:
    """The findings of a pair of phases, before their p-values are adjusted."""
    few = min(mine.planned, theirs.planned) < FEWEST_REQUESTS
    a, b = _side(base, mine), _side(other, theirs)
    resampled = {} if few else differences(a, b, seed)
    drafts = []
    for number in NUMBERS:
        difference = resampled.get(number)
        why = ""
        if few:
            why = f"fewer than {FEWEST_REQUESTS} requests"
        elif number == "cost_per_success" and base.currency != other.currency:
            difference, why = None, "the currencies differ"
        elif difference is not None and difference.memory is not None:
            needed, planned = need(difference.memory), min(mine.planned, theirs.planned)
            why = f"{HANG_TOGETHER} {needed:,} {MEMORY_NEEDS} {planned:,}"
        elif difference is None or difference.change is None:
            why = "not known for both"
        if difference is None or why:
            difference = Difference(_known(mine, number), _known(theirs, number))
        drafts.append(Draft(mine.phase, theirs.phase, other.run_id, number, difference, why))
    return drafts


def _known(phase: PhaseNumbers, number: str) -> float | None:
    return {
        "p50_s": phase.latency.p50_s,
        "p95_s": phase.latency.p95_s,
        "p99_s": phase.latency.p99_s,
        "success_rate": phase.success_rate,
        "tpm": None if phase.duration_s is None else phase.observed_tpm,
        "cost_per_success": phase.cost_per_success,
    }[number]


def _side(run: Run, phase: PhaseNumbers) -> Side:
    """A phase's rows as arrays; a planned request without a row counts as failed."""
    import numpy as np

    frame, _ = warmup.trimmed(run.rows.frame(_READ, phase.phase), warmup.warmup_s(run))
    frame = frame.loc[warmup.began_s(frame).sort_values(kind="stable").index]
    unsaid = max(0, phase.planned - len(frame))
    frame = frame[frame["cancel_after"].isna().to_numpy(dtype=bool)]  # the others are a fair sample

    def floats(name: str) -> Any:
        values = frame[name].astype("float64").to_numpy(dtype="float64", na_value=np.nan)
        return np.concatenate([values, np.full(unsaid, np.nan)])

    good = np.concatenate([frame["success"].to_numpy(dtype=bool), np.zeros(unsaid, dtype=bool)])
    rated = phase.duration_s is not None
    return Side(
        good=good,
        latency_s=floats("elapsed_sec"),
        cost=floats("api_cost"),
        tokens=floats("total_tokens"),
        done_s=floats("done_offset_s"),
        wall_s=phase.wall_s if rated else None,
    )


def _kin(phase: PhaseNumbers) -> tuple[str, str, int | None]:
    return phase.mode, phase.scenario, phase.target


def _pairs(base: Run, other: Run) -> tuple[list[tuple[PhaseNumbers, PhaseNumbers]], list[str]]:
    """The matching phases of both runs, and the names of those without a match.

    Phases of one name; then, of what is left, those of one mode, scenario and target, in order:
    so two models can be compared.
    """
    mine, theirs = of_phases(base), of_phases(other)
    pairs = [(a, b) for a in mine for b in theirs if a.phase == b.phase]
    named = {a.phase for a, _ in pairs}
    unpaired = [[phase for phase in side if phase.phase not in named] for side in (mine, theirs)]
    for a in list(unpaired[0]):
        twin = next((b for b in unpaired[1] if _kin(b) == _kin(a)), None)
        if twin is not None:
            pairs.append((a, twin))
            unpaired[0].remove(a)
            unpaired[1].remove(twin)
    alone = [
        f"{run.run_id}: {phase.phase}"
        for run, side in zip((base, other), unpaired, strict=True)
        for phase in side
    ]
    return pairs, alone
