"""What a reader must know before the numbers: one subject per file, the gravest verdicts first."""

from collections.abc import Iterable
from dataclasses import replace

from analysis.page.blocks import Remark
from analysis.report.flags import flags
from analysis.report.sections import billing, identity, identity_course, limits
from analysis.report.sections.pairs import first_page
from analysis.report.two_routes import loads
from analysis.report.verdicts import (
    accounts,
    asked,
    bodies,
    charges,
    compat,
    dialects,
    failures,
    generator,
    integrity,
    originals,
    streams,
    traffic,
)
from analysis.report.view import View

_ORDER = {"bad": 0, "note": 1, "good": 2}


def verdicts(view: View) -> list[Remark]:
    """Every verdict on the run, the gravest first; among equals, what the operator asked for first.

    In a run with two routes only the gateway's is judged, and what it adds to the other.
    """
    both_routes, view = view, view.of_gateway()
    remarks = [
        *asked.remarks(both_routes),
        *_routes(both_routes),
        *compat.remarks(both_routes),
        *accounts.remarks(view),
        *failures.remarks(view),
        *bodies.remarks(view),
        *charges.remarks(view),
        *billing.first_page(both_routes),
        *limits.findings(view),
        *identity.remarks(both_routes),
        *identity_course.remarks(view),
        *streams.remarks(view),
        *_doubts(originals.remarks(view)),
        *_doubts(integrity.remarks(view)),
        *_doubts(traffic.remarks(view)),
        *_doubts(generator.remarks(view)),
        *dialects.remarks(view),
        *flags(view),
    ]
    return sorted(remarks, key=lambda remark: _ORDER[remark.level])


def _doubts(remarks: Iterable[Remark]) -> list[Remark]:
    """The same remarks, marked as being about the measurement."""
    return [replace(remark, doubt=True) for remark in remarks]


def _routes(view: View) -> list[Remark]:
    """What the gateway adds to the reference, a sentence per phase."""
    if view.routes is None:
        return []
    return first_page(view.t, view.routes.comparison, loads(view.t, view.run.plan))
