"""Every operator error is one sentence that says what to do."""

import re
import sys

import pytest

from tests.locust_run import ROOT

sys.path.insert(0, str(ROOT / "docs"))
from errors import ANY, sentences  # noqa: E402

SENTENCES = sentences()
DO = re.compile(
    r"\b(add|be|check|choose|continue|correct|fix|give|go|leave|let|make|mend|must|name|needs?|press|put|remove|report|"
    r"restore|say|set|start|stop|takes?|try|use|wait|write|reads?)\b"
)


def test_operator_errors_are_found_in_the_code() -> None:
    """Those that are raised, and those that `faults` collects."""
    texts = [text for text, _ in SENTENCES]
    assert len(texts) > 60
    assert any(text.startswith("--mode is missing") for text in texts)
    assert any(text.startswith("no API key") for text in texts)
    assert any(text.startswith("there is no run folder") for text in texts)


@pytest.mark.parametrize("text", [text for text, _ in SENTENCES])
def test_an_operator_error_is_one_sentence_that_says_what_to_do(text: str) -> None:
    """It ends with a full stop, begins in lower case (our name precedes it), and asks for an
    action.
    """
    assert text.endswith((".", ANY)), text
    assert not re.search(r"[a-z]{2}\. [A-Z]", text), text
    assert not text[0].isupper(), text
    assert DO.search(text) or text.endswith(ANY), text
