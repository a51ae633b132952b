"""The result of mode identity: the numbers of each model, and the run's reference."""

from typing import Any
from urllib.parse import urlsplit

from analysis.enrol.reference import made
from analysis.numbers.identity import Identity, of_model
from analysis.report.view import View
from identity.reference import Reference, read
from recording.arms import GATEWAY, REFERENCE
from recording.errors import InputError
from recording.events import BodyChanged
from recording.untrusted_text import as_json

MODE = "identity"


def numbers(view: View) -> list[Identity]:
    """What the run shows of each of its models, over the gateway's route."""
    rows = view.rows(MODE)
    models = dict.fromkeys(row["model_requested"] for row in rows)
    return [
        of_model(
            model,
            _of(view, model),
            reference_of(view, model),
            _of(view, model, REFERENCE),
            _dropped(view, model),
        )
        for model in models
    ]


def _dropped(view: View, model: str) -> set[str]:
    """The fields of the model's bodies that the gateway refused."""
    changes = [event.change for event in view.run.events_of(BodyChanged)]
    return {one.field for one in changes if one.model == model and one.arm != REFERENCE}


def reference_of(view: View, model: str) -> Reference | None:
    """The run's reference, from its manifest or from its rows of the second route; None: it has
    none."""
    kept = view.run.manifest.get("enrolled")
    try:
        if isinstance(kept, dict):
            return read(as_json(kept))
        if own := _of(view, model, REFERENCE):
            facts = view.run.manifest.get("reference")
            address = str(facts["base_url"]) if facts else ""
            return made(view.run, model, own, urlsplit(address).netloc)
    except InputError:  # a version that asked differently, or too few answers
        pass
    return None


def _of(view: View, model: str, arm: str = GATEWAY) -> list[dict[str, Any]]:
    """The rows of a model on a route."""
    return [
        row
        for row in view.rows(MODE)
        if row["model_requested"] == model and (row["arm"] or GATEWAY) == arm
    ]
