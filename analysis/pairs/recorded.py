"""The rows of a run with two routes as input to the statistics: one index per pair, arms a, b."""

from typing import TYPE_CHECKING

from analysis.pairs.pairing import GATEWAY as A
from analysis.pairs.pairing import REFERENCE as B
from recording.arms import GATEWAY, REFERENCE, SUFFIX

if TYPE_CHECKING:
    from pandas import DataFrame


def pairs_of(rows: "DataFrame") -> "DataFrame":
    """The rows that took a route, both of a pair under one phase and one `request_index`.

    Columns as recorded, `phase` as the report calls it (with SUFFIX, of a reference).
    """
    found = rows[rows["arm"].notna()].copy()
    found["arm"] = found["arm"].astype(object).map({GATEWAY: A, REFERENCE: B})
    found["phase"] = found["phase"].astype(object).str.removesuffix(SUFFIX)
    found["request_index"] = found["request_index"] // 2
    return found
