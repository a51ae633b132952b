"""The content of summary.json: the verdicts and every number of a run, in English.

Its schema is made from these fields. Names of numbers end in their units; None means unknown, never
0.
"""

from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Annotated, Any

from analysis.numbers.model_numbers import (
    BillingNumbers,
    CacheLifeNumbers,
    CachePairNumbers,
    CapacityNumbers,
    LimitNumbers,
    RouteNumbers,
)
from analysis.numbers.phase_numbers import Named, PhaseNumbers
from analysis.page.blocks import Level
from analysis.report import model_bills
from analysis.report.sections import cache_life, cache_pairs, capacity, limits
from analysis.report.verdicts import verdicts
from analysis.report.view import View

VERSION = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict on the run, as text without layout."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The numbers of a run; lists of what it did not measure are empty."""

    schema_version: int = VERSION
    run_id: str
    started_at: str | None
    mode: str | None
    simulated: Annotated[bool, "whether the gateway was Weighbridge's own simulator"]
    interrupted: Annotated[bool, "whether the run never recorded its end"]
    currency: Annotated[str | None, "of every amount"]
    verdicts: Annotated[list[Verdict], "what to know before reading the numbers, the gravest first"]
    not_run: Annotated[list[str], "planned phases of which nothing was sent"]
    phases: list[PhaseNumbers]
    cache_pairs: list[CachePairNumbers]
    cache_life: list[CacheLifeNumbers]
    limits: list[LimitNumbers]
    capacity: list[CapacityNumbers]
    routes: list[RouteNumbers]
    billing: list[BillingNumbers]

    @classmethod
    def of(cls, view: View) -> "Summary":
        """The summary of a run."""
        run, view = view.run, view.in_english()
        return cls(
            run_id=run.run_id,
            started_at=run.started_at,
            mode=run.mode,
            simulated=run.simulated,
            interrupted=run.interrupted,
            currency=run.currency,
            verdicts=[Verdict(remark.level, remark.text) for remark in verdicts(view)],
            not_run=view.of_gateway().not_run,
            phases=list(view.phases),
            cache_pairs=cache_pairs.numbers(view),
            cache_life=cache_life.numbers(view),
            limits=limits.numbers(view),
            capacity=capacity.numbers(view),
            routes=[] if view.routes is None else view.routes.numbers(),
            billing=model_bills.numbers(view),
        )

    def as_dict(self) -> dict[str, Any]:
        """The file's content."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Named):
        return value.as_dict()
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
