"""Tells a gateway's fault from a model's by making the same check over a second route. Pure."""

from enum import StrEnum

from compat.verdict import Verdict


class Cause(StrEnum):
    """What causes a cell not to work."""

    GATEWAY = "gateway"
    MODEL = "model"  # or the provider behind both routes
    UNKNOWN = ""


def cause(here: Verdict, direct: Verdict | None) -> Cause:
    """The cause of a verdict, given the direct route's.

    The same verdict on both routes points to the model or its provider. A different verdict on the
    direct route, even if it is not "works", points to the gateway. If either is unsure or was not
    tried, the cause is unknown.
    """
    if not here.accuses or direct in (None, Verdict.UNSURE, Verdict.NOT_TRIED):
        return Cause.UNKNOWN
    if here == direct:
        return Cause.MODEL
    return Cause.GATEWAY


def sent_directly(here: Verdict) -> bool:
    """Whether a check is repeated over the second route."""
    return here not in (Verdict.WORKS, Verdict.NOT_TRIED)
