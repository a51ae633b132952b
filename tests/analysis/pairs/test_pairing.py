"""Which rows form a pair, which arm was sent first, and that every row left out is counted."""

import numpy as np
import pandas as pd
import pytest

from analysis.pairs.pairing import Missing, paired
from tests.analysis.pairs.world import World


def test_rows_of_the_same_phase_and_index_are_a_pair() -> None:
    rows = pd.concat([World().rows(30, 1, "pairs/m"), World().rows(20, 2, "pairs/n")])
    one, other = paired(rows.sample(frac=1, random_state=3))
    pairs_of = {pairs.phase: pairs for pairs in (one, other)}
    assert (len(pairs_of["pairs/m"]), len(pairs_of["pairs/n"])) == (30, 20)
    for pairs in pairs_of.values():
        assert list(pairs.a["request_index"]) == list(pairs.b["request_index"])
        assert set(pairs.a["arm"]) == {"a"} and set(pairs.b["arm"]) == {"b"}
        a_first = pairs.a["sent_offset_s"].to_numpy() < pairs.b["sent_offset_s"].to_numpy()
        assert list(pairs.first == 1) == list(a_first) and pairs.missing == Missing()


def test_rows_left_out_are_counted_by_reason() -> None:
    rows = World().rows(20, 1)
    at, arm = rows["request_index"], rows["arm"]
    rows = rows[~((at == 3) & (arm == "a")) & ~((at == 4) & (arm == "b"))].copy()
    rows.loc[(rows["request_index"] == 5) & (rows["arm"] == "b"), "attempt"] = 2
    rows.loc[(rows["request_index"] == 6) & (rows["arm"] == "a"), "outcome"] = "dropped"
    rows = pd.concat([rows, rows[rows["request_index"] == 7]])
    (pairs,) = paired(rows)
    assert pairs.missing == Missing(a=1, b=1, repeated=1, apart=1, ours=1)
    assert len(pairs) == 15 and pairs.missing.pairs == 5


def test_the_order_of_a_pair_is_unknown_where_one_was_never_sent() -> None:
    rows = World().rows(20, 1)
    rows.loc[rows["request_index"] == 0, "sent_offset_s"] = np.nan
    (pairs,) = paired(rows)
    assert pairs.first[0] == 0 and 0 not in pairs.first[1:]


def test_rows_without_arms_make_no_pairs() -> None:
    rows = World().rows(20, 1)
    with pytest.raises(ValueError, match="column arm"):
        paired(rows.drop(columns="arm"))
    assert paired(rows.assign(arm=None)) == []
