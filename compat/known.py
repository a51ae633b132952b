"""What is known of a model before anything is sent: by its name, and as the operator says. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from compat.attribution import sent_directly
from compat.check import Check, Setting
from compat.registry import CHECKS, chosen
from compat.survey import Survey
from recording.errors import OperatorError

DIRECT = "direct"
"""What the second route is called in names of phases, and in cells."""
_O200K = ("gpt-4o*", "gpt-4.1*", "gpt-4.5*", "gpt-5*", "o1*", "o3*", "o4*", "gpt-oss*")
_FORCED = (32, "A")
"""Token 32 of o200k is the letter A."""


def _checks_of(patterns: Sequence[str]) -> list[Check]:
    """The checks of these ids or patterns; without any, all of the chat API's and the embeddings'.
    Raises OperatorError."""
    if not patterns:
        return [*CHECKS]
    try:
        return chosen(patterns)
    except KeyError as error:
        raise OperatorError(
            f"--checks names no check of ours, {error.args[0]!r}: docs/how-to/compat.md lists them."
        ) from None


def survey_of(
    model: str, *, run_id: str, checks: str, context_tokens: int, auth: str, headers: bool = False
) -> Survey:
    """The checks of a model, before any answer. `checks` are ids and patterns with commas between:
    the Responses API is asked for by naming one of its checks. `context_tokens` 0: not known.
    `headers`: the operator adds some, and the key may be in one of them.

    Raises OperatorError.
    """
    patterns = [name.strip() for name in checks.split(",") if name.strip()]
    name = model.rpartition("/")[2].lower()
    setting = Setting(
        model,
        seed=run_id,
        forced_token=_FORCED if any(fnmatchcase(name, one) for one in _O200K) else None,
        context_tokens=context_tokens or None,
        keyed=auth.strip().lower() != "none" and not headers,
        embeds="embed" in name,
        responses=any(pattern.startswith("responses") for pattern in patterns),
    )
    return Survey(_checks_of(patterns), setting, f"compat/{model}")


def direct_of(
    survey: Survey, *, run_id: str, against_model: str, context_tokens: int, auth: str
) -> Survey | None:
    """The same model over the second route: of a survey that has ended, the checks that do not
    work. None: every one does, or nothing was answered.

    `against_model` says what the reference calls the model: OURS=THEIRS, with commas between.
    """
    asked = [name for name, found in survey.findings().items() if sent_directly(found.verdict)]
    if survey.mute or not asked:
        return None
    model = survey.setting.model
    named = dict(part.strip().split("=", 1) for part in against_model.split(",") if "=" in part)
    theirs = {ours.strip(): name.strip() for ours, name in named.items()}.get(model, model)
    direct = survey_of(
        theirs, run_id=f"{run_id}/direct", checks=",".join(asked),
        context_tokens=context_tokens, auth=auth,
    )  # fmt: skip
    direct.name = f"{survey.name}/{DIRECT}"
    direct.setting = replace(direct.setting, forced_token=survey.setting.forced_token)
    return direct
