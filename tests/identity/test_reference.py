"""The reference file is read as it was written, and refused with a sentence when it was changed."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from identity.reference import Reference, digest, read
from recording.errors import InputError
from tests.identity.endpoint import Endpoint, enrolled


def made_reference() -> Reference:
    return enrolled(Endpoint(), Random(1))


def content() -> dict[str, Any]:
    written: dict[str, Any] = json.loads(json.dumps(made_reference().as_dict()))
    return written


def refused(changed: dict[str, Any], *, sealed: bool = False) -> str:
    if sealed:
        changed["sha256"] = digest(changed)
    with pytest.raises(InputError) as caught:
        read(json.dumps(changed))
    return str(caught.value)


def test_a_reference_is_read_as_it_was_written() -> None:
    again = read(json.dumps(made_reference().as_dict(), ensure_ascii=False))
    assert again.as_dict() == made_reference().as_dict()
    assert again.counts() == made_reference().counts()


def test_a_reference_is_plain_json() -> None:
    cell = content()["cells"][0]
    assert cell["question"].endswith((".", "?", "the", "a"))
    assert all(isinstance(n, int) for n in cell["first"].values())


def test_a_reference_with_swapped_cells_is_refused() -> None:
    changed = content()
    cells = changed["cells"]
    cells[0]["first"], cells[1]["first"] = cells[1]["first"], cells[0]["first"]
    assert "was changed" in refused(changed)


def test_a_reference_of_another_protocol_is_refused() -> None:
    changed = content() | {"protocol_sha256": "0" * 64}
    assert "other questions or parameters" in refused(changed, sealed=True)


def test_a_reference_of_another_schema_is_refused() -> None:
    assert "schema 9" in refused(content() | {"schema": 9}, sealed=True)


@pytest.mark.parametrize(
    "change",
    [
        {"cells": []}, {"cells": 7}, {"cells": [{}]}, {"began": "yesterday"}, {"cost": "dear"},
        {"ended": "2026-11-20"}, {"counted_texts": [{"prompt_tokens": -1}]}, {"requests": True},
        {"parameters": None},
    ],
)  # fmt: skip
def test_a_reference_without_a_field_is_refused_with_a_sentence(change: dict[str, Any]) -> None:
    assert "enrol again" in refused(content() | change, sealed=True)


def test_a_reference_with_a_changed_question_is_refused() -> None:
    changed = content()
    changed["cells"][0]["question"] = "Name a cheese."
    assert "enrol again" in refused(changed, sealed=True)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kind": "other"}', "NaN"])
def test_a_text_that_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text)


def test_the_age_of_a_reference_is_counted_from_its_last_answer() -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC) + timedelta(days=15)
    assert made_reference().age_days(now) == pytest.approx(15)
