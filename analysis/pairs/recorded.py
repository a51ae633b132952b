"""The rows of a run with two routes, as input to the statistics: one index per pair, arms a, b."""

from typing import TYPE_CHECKING

from analysis.pairs.pairing import GATEWAY as A
from analysis.pairs.pairing import REFERENCE as B
from recording.arms import GATEWAY, REFERENCE, SUFFIX

if TYPE_CHECKING:
    from pandas import DataFrame


def pairs_of(rows: "DataFrame") -> "DataFrame":
    """The rows that have an arm; both rows of a pair get one phase and one `request_index`.

    Columns are as recorded, but `phase` is as the report names it (a reference's ends in SUFFIX).
    """
    routed = rows[rows["arm"].notna()].copy()
    routed["arm"] = routed["arm"].astype(object).map({GATEWAY: A, REFERENCE: B})
    routed["phase"] = routed["phase"].astype(object).str.removesuffix(SUFFIX)
    routed["request_index"] = routed["request_index"] // 2
    return routed
