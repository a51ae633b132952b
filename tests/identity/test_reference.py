"""The reference file: read as it was written, and refused with a sentence when it was changed."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from identity.reference import Reference, digest, read
from recording.errors import InputError
from tests.identity.endpoint import Endpoint, enrolled


def made() -> Reference:
    return enrolled(Endpoint(), Random(1))


def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(made().as_dict()))
    return found


def refused(changed: dict[str, Any], *, sealed: bool = False) -> str:
    if sealed:
        changed["sha256"] = digest(changed)
    with pytest.raises(InputError) as caught:
        read(json.dumps(changed))
    return str(caught.value)


def test_it_is_read_as_it_was_written() -> None:
    again = read(json.dumps(made().as_dict(), ensure_ascii=False))
    assert again.as_dict() == made().as_dict()
    assert again.counts() == made().counts()


def test_it_is_readable_without_us() -> None:
    cell = content()["cells"][0]
    assert cell["question"].endswith((".", "?", "the", "a"))
    assert all(isinstance(n, int) for n in cell["first"].values())


def test_swapped_cells_are_refused() -> None:
    changed = content()
    cells = changed["cells"]
    cells[0]["first"], cells[1]["first"] = cells[1]["first"], cells[0]["first"]
    assert "was changed" in refused(changed)


def test_another_protocol_is_refused() -> None:
    changed = content() | {"protocol_sha256": "0" * 64}
    assert "other questions or parameters" in refused(changed, sealed=True)


def test_another_schema_is_refused() -> None:
    assert "schema 9" in refused(content() | {"schema": 9}, sealed=True)


@pytest.mark.parametrize(
    "change",
    [
        {"cells": []}, {"cells": 7}, {"cells": [{}]}, {"began": "yesterday"}, {"cost": "dear"},
        {"ended": "2026-11-20"}, {"counted_texts": [{"prompt_tokens": -1}]}, {"requests": True},
        {"parameters": None},
    ],
)  # fmt: skip
def test_what_it_lacks_is_refused_with_a_sentence(change: dict[str, Any]) -> None:
    assert "enrol again" in refused(content() | change, sealed=True)


def test_a_cell_whose_question_is_another_is_refused() -> None:
    changed = content()
    changed["cells"][0]["question"] = "Name a cheese."
    assert "enrol again" in refused(changed, sealed=True)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kind": "other"}', "NaN"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text)


def test_its_age_is_counted_from_its_last_answer() -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC) + timedelta(days=15)
    assert made().age_days(now) == pytest.approx(15)
