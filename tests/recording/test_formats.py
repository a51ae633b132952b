"""Files of every known version are read by their header; newer ones are refused by name."""

import random
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from recording import formats
from recording.formats import FIRST, FORMATS, FormatError
from recording.manifest import project_version
from recording.record import COLUMNS, SCHEMA_VERSION, RequestRecord, decode, encode
from tests.recording.rows import records, row

REQUIRED = {item.name for item in fields(RequestRecord) if item.default is not None}


def test_every_version_has_the_columns_of_earlier_ones() -> None:
    before: set[str] = set()
    for number in sorted(FORMATS):
        assert before <= set(FORMATS[number].columns)
        before = set(FORMATS[number].columns)
    assert FORMATS[SCHEMA_VERSION].columns == COLUMNS and max(FORMATS) == SCHEMA_VERSION


def test_this_version_is_one_that_can_read_what_it_writes() -> None:
    """A run that asked for a later version would send its reader to one that does not exist."""
    needed = Version(FORMATS[SCHEMA_VERSION].weighbridge)
    assert needed <= Version(project_version())
    assert sorted(FORMATS) == sorted(FORMATS, key=lambda n: Version(FORMATS[n].weighbridge))


def test_columns_added_since_version_1_have_defaults() -> None:
    """Otherwise no row of version 1 could be read."""
    required = {item.name for item in fields(RequestRecord) if repr(item.default).startswith("<")}
    assert required <= set(FIRST)


@given(records, st.randoms(use_true_random=False))
def test_a_row_is_read_by_its_header_whatever_the_order(
    one: RequestRecord, dice: random.Random
) -> None:
    cells = dict(zip(COLUMNS, encode(one), strict=True))
    names = dice.sample(COLUMNS, len(COLUMNS))
    assert decode([cells[n] for n in names], names) == decode(encode(one))


@given(st.sets(st.sampled_from(sorted(set(COLUMNS) - REQUIRED))))
def test_a_value_without_a_column_in_the_file_is_none(lacking: set[str]) -> None:
    full_row = row(total_tokens=5, api_cost=0.0, marker_ok=False, content="x", in_flight=3)
    cells = dict(zip(COLUMNS, encode(full_row), strict=True))
    names = [n for n in COLUMNS if n not in lacking]
    decoded = decode([cells[n] for n in names], names)
    assert decoded == replace(full_row, **dict.fromkeys(lacking & set(COLUMNS)))


@pytest.mark.parametrize("version", [99, SCHEMA_VERSION + 1, 0, -1, "1", 1.5, None, True, [], {}])
def test_an_unknown_version_is_refused_with_the_one_to_use(version: object) -> None:
    with pytest.raises(FormatError, match="use Weighbridge 0.9 or newer$"):
        formats.check(version, "0.9")
    with pytest.raises(FormatError, match="use the version that made the run$"):
        formats.check(version)


@pytest.mark.parametrize("version", FORMATS)
def test_each_known_version_is_read(version: int) -> None:
    formats.check(version)
    assert formats.columns(FORMATS[version].columns) == FORMATS[version].columns


def test_the_version_to_use_is_the_one_that_the_manifest_names() -> None:
    assert formats.needs({"needs_version": "0.4", "weighbridge": {"version": "0.5.1"}}) == "0.4"
    assert formats.needs({"weighbridge": {"version": "0.1.0"}}) == "0.1.0"
    odd: list[dict[str, object]] = [{}, {"weighbridge": None}, {"weighbridge": 3}]
    odd += [{"weighbridge": {}}, {"needs_version": 4}, {"weighbridge": {"version": ["x"]}}]
    assert [formats.needs(manifest) for manifest in odd] == [""] * len(odd)


def test_an_unknown_column_is_refused_with_the_version_to_use() -> None:
    with pytest.raises(FormatError, match=r"not know \(colour\): use Weighbridge 0.9 or newer"):
        formats.columns([*COLUMNS, "colour"], "0.9")
    with pytest.raises(FormatError, match=r"\(colour\): use the version that wrote it"):
        formats.columns([*FIRST, "colour"])


@pytest.mark.parametrize("names", [FIRST[1:], (), ("a", "b"), (*FIRST, "phase"), (*FIRST, "")])
def test_a_header_that_no_version_wrote_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(FormatError):
        formats.columns(names)
