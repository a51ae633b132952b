"""What a reader must know before the numbers, one noun a file; the gravest stands first."""

from collections.abc import Iterable
from dataclasses import replace

from analysis.page.blocks import Remark
from analysis.report.flags import flags
from analysis.report.verdicts import (
    accounts,
    asked,
    bodies,
    charges,
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
    """Every verdict on the run, the gravest first; among equals, what was asked for first."""
    found = [
        *asked.remarks(view),
        *accounts.remarks(view),
        *failures.remarks(view),
        *bodies.remarks(view),
        *charges.remarks(view),
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
