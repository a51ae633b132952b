"""Mode identity refuses an unusable reference with one sentence, before anything is sent."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from identity.bank import BANK
from identity.reference import Reference, digest
from loadshapes import modes
from loadshapes.plan import Plan
from recording.errors import OperatorError
from settings.options import Options
from tests.identity.endpoint import Endpoint, asked, enrolled, reference

HONEST = Endpoint()
Change = Callable[[Reference], Reference]


def fresh(change: Change = lambda known: known) -> Reference:
    """A reference that was made an hour ago."""
    ended = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    return change(replace(enrolled(HONEST, Random(1)), began=ended, ended=ended))


def ask(folder: Path, known: Reference | str, **options: object) -> Plan:
    path = folder / "reference.json"
    text = known if isinstance(known, str) else json.dumps(known.as_dict())
    path.write_text(text, encoding="utf-8")
    options_given = {"mode": "identity", "model": "m", "run_id": "r", "task_id_prefix": "p"}
    return modes.plan(Options(**(options_given | {"reference": str(path)} | options)))  # type: ignore[arg-type]


def refused(folder: Path, known: Reference | str, **options: object) -> str:
    with pytest.raises(OperatorError) as caught:
        ask(folder, known, **options)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


def outlook(plan: Plan) -> str:
    assert plan.outlook is not None
    return plan.outlook.en


def old(known: Reference) -> Reference:
    ended = (datetime.now(UTC) - timedelta(days=61)).isoformat(timespec="seconds")
    return replace(known, began=ended, ended=ended)


def mixed(known: Reference) -> Reference:
    """A reference whose first half is of one model and second half of another."""
    questions = [cell.question for cell in known.cells]
    answers = [*asked(HONEST, questions, 20, Random(2)),
               *asked(Endpoint(weights=2), questions, 20, Random(3))]  # fmt: skip
    both = reference(known.cells, answers)
    return replace(known, first=both.first, second=both.second)


def test_a_sound_reference_is_accepted(tmp_path: Path) -> None:
    plan = ask(tmp_path, fresh())
    assert "who answers, 96 requests" in outlook(plan)


def test_the_outlook_ends_with_the_sum_of_all_tests(tmp_path: Path) -> None:
    """The first look is part of all looks; with a second route both routes' requests count."""
    number = r"([\d,]+) requests and at most ([\d,]+) tokens"

    def amounts(plan: Plan) -> list[tuple[int, int]]:
        found = re.findall(number, outlook(plan))
        return [(int(n.replace(",", "")), int(k.replace(",", ""))) for n, k in found]

    *parts, first, whole, total = amounts(ask(tmp_path, fresh()))
    assert first < whole
    assert total == tuple(map(sum, zip(*parts, whole, strict=True)))
    plan = modes.plan(
        Options(mode="identity", model="m", run_id="r", against="vendor", identity_tools=True)
    )
    count, settings, there, choosing, likeliest, seed, _, looks, tools, total = amounts(plan)
    each = (likeliest, seed, looks, tools)
    assert total == tuple(
        map(sum, zip(count, settings, there, choosing, *each, *each, strict=True))
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (old, "is 61 days old: enrol it again, or give --reference-days 62"),
        (mixed, "differs from itself"),
        (lambda known: replace(known, extra_body='{"seed": 1}'), "another --extra-body"),
    ],
)
def test_a_reference_that_cannot_judge_a_model_is_refused(
    tmp_path: Path, change: Change, sentence: str
) -> None:
    assert sentence in refused(tmp_path, fresh(change))


def test_an_old_reference_is_accepted_where_the_operator_allows_it(tmp_path: Path) -> None:
    assert ask(tmp_path, fresh(old), reference_days=62).outlook


def test_a_reference_with_two_cells_swapped_is_refused(tmp_path: Path) -> None:
    content = json.loads(json.dumps(fresh().as_dict()))
    first, second = content["cells"][:2]
    first["first"], second["first"] = second["first"], first["first"]
    assert "was changed after it was made" in refused(tmp_path, json.dumps(content))


def test_a_reference_of_another_protocol_is_refused(tmp_path: Path) -> None:
    content = fresh().as_dict() | {"protocol_sha256": "0" * 64}
    content["sha256"] = digest(content)
    assert "other questions or parameters" in refused(tmp_path, json.dumps(content))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"kind": "weighbridge identity reference"}'])
def test_a_file_that_is_no_reference_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"enrol": True}, "give one of them"),
        ({"model": "a,b"}, "is of one model"),
        ({"max_tokens": 5}, "leave out --max-tokens"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, options: dict[str, object], sentence: str
) -> None:
    assert sentence in refused(tmp_path, fresh(), **options)


def test_the_upper_bound_says_what_it_leaves_out(tmp_path: Path) -> None:
    assert "what a gateway adds to a prompt is not in it" in outlook(ask(tmp_path, fresh()))


def test_every_cell_of_the_plan_is_in_the_bank() -> None:
    assert all(cell.question < len(BANK) for cell in fresh().cells)
