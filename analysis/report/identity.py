"""What mode identity found in a run: the numbers of each model, and the run's reference."""

from analysis.numbers.identity import Identity, of_model
from analysis.report.view import View
from identity.reference import Reference, read
from recording.errors import InputError
from recording.untrusted_text import as_json

MODE = "identity"


def numbers(view: View) -> list[Identity]:
    """What the run shows of each of its models."""
    rows, reference = view.rows(MODE), reference_of(view)
    models = dict.fromkeys(row["model_requested"] for row in rows)
    return [
        of_model(model, [row for row in rows if row["model_requested"] == model], reference)
        for model in models
    ]


def reference_of(view: View) -> Reference | None:
    """The reference that the run was made with, as its manifest keeps it; None: without one."""
    kept = view.run.manifest.get("enrolled")
    try:
        return read(as_json(kept)) if isinstance(kept, dict) else None
    except InputError:  # of a version that asked otherwise
        return None
