"""Whose fault it is: the gateway's or the model's, by the same check over a second route. Pure."""

from enum import StrEnum

from compat.verdict import Verdict


class Cause(StrEnum):
    """Whom a cell that does not work is laid to."""

    GATEWAY = "gateway"
    MODEL = "model"  # or the provider behind both routes
    UNKNOWN = ""


def cause(here: Verdict, direct: Verdict | None) -> Cause:
    """The cause of a verdict, given the direct route's.

    The same verdict on both: the model or its provider. Another one directly, be it that it works
    or that it is refused where the gateway ignores it: the gateway. Where either is unsure or not
    tried, nothing can be said.
    """
    if not here.accuses or direct in (None, Verdict.UNSURE, Verdict.NOT_TRIED):
        return Cause.UNKNOWN
    if here == direct:
        return Cause.MODEL
    return Cause.GATEWAY


def sent_directly(here: Verdict) -> bool:
    """Whether a cell is sent over the second route too."""
    return here not in (Verdict.WORKS, Verdict.NOT_TRIED)
