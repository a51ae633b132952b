"""A model that is not in a gateway's list is doubted only where it does not answer."""

import pytest

from engine.did_you_mean import Doubt
from engine.unlisted_models import UnlistedModels
from recording.arms import REFERENCE
from recording.record import RequestRecord
from tests.analysis.runs import failed, record

DOUBTS = (Doubt("model", "m", ("mm",)), Doubt("base_url", "h", ("h/v1",)))


def refused(index: int, model: str = "m", arm: str | None = None) -> RequestRecord:
    return failed(index, "not_found", http_status=404, model_requested=model, arm=arm)


@pytest.mark.parametrize(
    ("rows", "warnings"),
    [
        ([record(0, model_requested="m"), refused(1)], []),
        ([refused(0), refused(1)], ["the gateway does not list the model m: did you mean mm?"]),
        ([failed(0, "connection_reset", http_status=None), record(1, model_requested="m")], []),
        ([refused(0, "other")], []),
        ([refused(0, arm=REFERENCE)], []),
    ],
)
def test_the_first_answer_decides_whether_a_model_is_doubted(
    rows: list[RequestRecord], warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    models = UnlistedModels(DOUBTS)
    with caplog.at_level("WARNING", "weighbridge"):
        for row in rows:
            models.see(row)
    assert caplog.messages == warnings


def test_the_reference_has_a_list_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    models = UnlistedModels((), DOUBTS)
    with caplog.at_level("WARNING", "weighbridge"):
        models.see(refused(0))
        models.see(refused(1, arm=REFERENCE))
    assert caplog.messages == ["--against: the gateway does not list the model m: did you mean mm?"]
