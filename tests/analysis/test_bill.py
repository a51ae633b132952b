"""A bill is read whatever its columns are called; an ambiguous amount is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.reading.load import RunError
from analysis.reconcile.bill import Charge, Columns, money, read


def export(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "bill.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.000107", 0.000107), ("1e-06", 1e-06), ("5", 5.0), (".5", 0.5), ("5.", 5.0),
        ("", 0.0), ("  ", 0.0), ("-0.25", -0.25), ("+1", 1.0),
        ("¥0.5", 0.5), ("$1,234.50", 1234.5), ("-$0.5", -0.5), ("CNY 0.5", 0.5),
        ("0.5 USD", 0.5), ("1,234,567", 1234567.0), (" 0.5 ", 0.5), ("US$0.5", 0.5),
        ("\u22120.5", -0.5), ("USD -0.5", -0.5), ("¥-0.5", -0.5), ("0.5 credits", 0.5),
        ("0.5元", 0.5), ("-1,234.5", -1234.5),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_exports_write_it(text: str, amount: float) -> None:
    assert money(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "0,25", "0,107", "1,23", "1,2345", "1.234,50", "12,34,567", "free", "-", "¥", "nan", "inf",
        "1e999", "0.5.1", "1 000", "5%", "(0.5)", "--1", "1,234", "\u20130.5", "(0.5", "0.5 CR",
        "1.5k", "50 cents", "107 micros", "5e", "<0.01", "~0.5", "x-1",
    ],
)  # fmt: skip
def test_an_ambiguous_amount_is_not_read(text: str) -> None:
    """`0,25` is a quarter in Europe, and 25 if the comma groups digits; `0.5 CR` is a credit."""
    assert money(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_back(amount: float) -> None:
    assert money(repr(amount)) == amount


@given(st.text())
def test_any_text_is_an_amount_or_none(text: str) -> None:
    amount = money(text)
    assert amount is None or isinstance(amount, float)


def test_the_usual_column_names_are_recognized(tmp_path: Path) -> None:
    bill = read(export(tmp_path, "id,Model,cost,note\na,m,0.5,x\nb,,,\n"), Columns())
    assert bill.columns == Columns(("id",), "cost", "Model")
    assert bill.charges == [Charge(("a",), 0.5, "m", 2), Charge(("b",), 0.0, None, 3)]


def test_columns_can_be_named(tmp_path: Path) -> None:
    """Several id columns: a row is known by each of them that is not empty."""
    text = "ref,when,gen,price,billed,llm\nt1,1,g1,9,0.5,m\n,2,g2,9,0.25,m\n"
    wanted = Columns(("ref", "gen"), "billed", "llm")
    bill = read(export(tmp_path, text), wanted)
    assert bill.columns == wanted
    assert [(c.ids, c.cost) for c in bill.charges] == [(("t1", "g1"), 0.5), (("g2",), 0.25)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_usual_forms_of_csv_are_read_alike(
    tmp_path: Path, separator: str, encoding: str, end: str
) -> None:
    rows = [("task_id", "cost"), ('"a, b; c"', "0.5"), ("汉字", "1")]
    text = end.join(separator.join(row) for row in rows) + end
    bill = read(export(tmp_path, text, encoding), Columns())
    assert [(c.ids, c.cost) for c in bill.charges] == [(("a, b; c",), 0.5), (("汉字",), 1.0)]


@pytest.mark.parametrize(
    ("text", "wanted", "says"),
    [
        ("a,b\n1,2\n", Columns(("task",)), "has no column task for --bill-id: name one of a, b"),
        ("id,b\n1,2\n", Columns(cost="c"), "has no column c for --bill-cost"),
        ("id,cost\n1,2\n", Columns(model="m"), "has no column m for --bill-model"),
        ("a,cost\n1,2\n", Columns(), "name the column with the task_id or the gateway's request"),
        ("id,b\n1,2\n", Columns(), "name the column with the charge by --bill-cost; it has id, b"),
        ("id,cost,billed\n1,2,2\n", Columns(), "cost and billed might be it"),
        ("", Columns(), "--bill-id"),
        ("id,cost\na,0.5\nb,free\n", Columns(), "line 3: cost must be an amount, not 'free'"),
        ("id,cost\na,0.5\nb\n", Columns(), "line 3: it must have as many cells as the header"),
        ("id,cost\na,0.5,9\n", Columns(), "line 2: it must have as many cells"),
    ],
)
def test_a_mistake_names_the_column_or_the_line(
    tmp_path: Path, text: str, wanted: Columns, says: str
) -> None:
    with pytest.raises(RunError) as caught:
        read(export(tmp_path, text), wanted)
    assert says in str(caught.value)


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_bytes(b"id,cost\n\xff,1\n")
    with pytest.raises(RunError, match="must be a CSV in UTF-8"):
        read(path, Columns())
