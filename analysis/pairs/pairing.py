"""The pairs of a phase: which rows belong together, which was first, which have no partner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recording.outcome import OURS, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    Floats = NDArray[np.float64]

GATEWAY, REFERENCE = "a", "b"
_NEVER = frozenset({*OURS, Outcome.DROPPED.value})


@dataclass(frozen=True, slots=True)
class Missing:
    """How many pairs cannot be compared, by reason.

    `a` and `b`: only that arm has a row. `repeated`: an arm has several rows. `apart`: the arms
    were sent by different attempts at the run, maybe hours apart. `ours`: one of the requests
    failed on our own machine, or was never sent.
    """

    a: int = 0
    b: int = 0
    repeated: int = 0
    apart: int = 0
    ours: int = 0

    @property
    def pairs(self) -> int:
        """How many pairs were left out in all."""
        return self.a + self.b + self.repeated + self.apart + self.ours


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of one phase and model by index: row i of `a` and row i of `b` are a pair.

    `first` is 1 if the gateway's request was sent first, -1 if the reference's was, and 0 if it is
    unknown. `missing` counts the pairs that were left out.
    """

    phase: str
    model: str
    a: "DataFrame"
    b: "DataFrame"
    first: "NDArray[np.int8]"
    missing: Missing

    def __len__(self) -> int:
        return len(self.a)

    def arms(self) -> "tuple[tuple[str, DataFrame], tuple[str, DataFrame]]":
        """Both arms with their names, the gateway's first."""
        return (GATEWAY, self.a), (REFERENCE, self.b)


def floats(rows: "DataFrame", column: str) -> "Floats":
    """A column as floats; NaN for a missing value or a missing column."""
    if column not in rows.columns:
        return np.full(len(rows), np.nan)
    values: Any = rows[column].to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(values, dtype=np.float64)


def texts(rows: "DataFrame", column: str) -> "NDArray[np.object_]":
    """A column as texts; empty for a missing value or a missing column."""
    if column not in rows.columns:
        return np.full(len(rows), "", dtype=object)
    return rows[column].astype(object).where(rows[column].notna(), "").to_numpy(dtype=object)


def paired(rows: "DataFrame") -> list[Pairs]:
    """The pairs of every phase, in the order in which phases appear.

    Columns are those of recording/record.py and `arm`; rows whose arm is neither "a" nor "b" belong
    to no pair. Raises ValueError if there is no column `arm`.
    """
    if "arm" not in rows.columns:
        raise ValueError("rows without the column arm are of one route: there are no pairs")
    known = rows[rows["arm"].isin((GATEWAY, REFERENCE))]
    if (
        "cancel_after" in known.columns
    ):  # both requests of a pair are drawn to be cancelled, or none
        known = known[known["cancel_after"].isna()]
    return [
        _of_phase(str(phase), part)
        for phase, part in known.groupby("phase", sort=False)
        if len(part)
    ]


def _of_phase(phase: str, rows: "DataFrame") -> Pairs:
    repeated = rows.duplicated(["request_index", "arm"], keep=False).to_numpy(dtype=bool)
    twice = set(rows.loc[repeated, "request_index"])
    once = rows[~rows["request_index"].isin(twice)].set_index("request_index").sort_index()
    a, b = (once[(once["arm"] == arm).to_numpy(dtype=bool)] for arm in (GATEWAY, REFERENCE))
    both = a.index.intersection(b.index)
    alone = len(a) - len(both), len(b) - len(both)
    a, b = a.loc[both], b.loc[both]
    attempts = floats(a, "attempt"), floats(b, "attempt")
    apart = (attempts[0] != attempts[1]) & ~(np.isnan(attempts[0]) & np.isnan(attempts[1]))
    ours = np.isin(texts(a, "outcome"), list(_NEVER)) | np.isin(texts(b, "outcome"), list(_NEVER))
    ours &= ~apart
    a, b = (arm[~apart & ~ours].reset_index() for arm in (a, b))
    missing = Missing(*alone, len(twice), int(apart.sum()), int(ours.sum()))
    apart_s = floats(b, "sent_offset_s") - floats(a, "sent_offset_s")
    first = np.sign(np.nan_to_num(apart_s)).astype(np.int8)
    # The arms may request one model by two names (a model map): the gateway's name is the pair's.
    named = a if len(a) else rows
    model = str(named["model_requested"].iloc[0]) if "model_requested" in named.columns else ""
    return Pairs(phase, model, a, b, first, missing)
