"""What a reader must know before the numbers, one noun per file; the gravest stands first."""

from collections.abc import Iterable
from dataclasses import replace

from analysis.page.blocks import Remark
from analysis.report.flags import flags
from analysis.report.sections import billing, identity, identity_course
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
    """Every verdict on the run, the gravest first; among equals, what was asked for first.

    Of two routes the gateway's alone is judged, beside what it adds to the other one.
    """
    whole, view = view, view.of_gateway()
    found = [
        *asked.remarks(whole),
        *_routes(whole),
        *compat.remarks(whole),
        *accounts.remarks(view),
        *failures.remarks(view),
        *bodies.remarks(view),
        *charges.remarks(view),
        *billing.bad(whole),
        *identity.remarks(whole),
        *identity_course.remarks(view),
        *streams.remarks(view),
        *_doubts(originals.remarks(view)),
        *_doubts(integrity.remarks(view)),
        *_doubts(traffic.remarks(view)),
        *_doubts(generator.remarks(view)),
        *dialects.remarks(view),
        *flags(view),
    ]
    return sorted(found, key=lambda remark: _ORDER[remark.level])


def _doubts(remarks: Iterable[Remark]) -> list[Remark]:
    """The same, marked as being about the measurement."""
    return [replace(remark, doubt=True) for remark in remarks]


def _routes(view: View) -> list[Remark]:
    """What the gateway adds to the reference, a sentence per phase."""
    if view.routes is None:
        return []
    return first_page(view.t, view.routes.found, loads(view.t, view.run.plan))
