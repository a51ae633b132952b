"""What is known of a model before anything is sent: by its name, and as the operator says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from compat.attribution import sent_directly
from compat.check import Check, Setting
from compat.checks.own import checks_of
from compat.own import NOTHING, Own, parse
from compat.registry import CHECKS, chosen
from compat.survey import Survey
from recording.errors import OperatorError

DIRECT = "direct"
"""What the second route is called in names of phases, and in cells."""
_O200K = ("gpt-4o*", "gpt-4.1*", "gpt-4.5*", "gpt-5*", "o1*", "o3*", "o4*", "gpt-oss*")
_FORCED = (32, "A")
"""Token 32 of o200k is the letter A."""


def _checks_of(patterns: Sequence[str], own: Own) -> list[Check]:
    """The checks of these ids or patterns; without any, all of the chat API's and the embeddings',
    and the operator's own. Raises OperatorError."""
    known = (*CHECKS, *checks_of(own))
    if not patterns:
        return [*known]
    try:
        return chosen(patterns, known)
    except KeyError as error:
        raise OperatorError(
            f"--checks names no check of ours, {error.args[0]!r}: docs/how-to/compat.md lists them."
        ) from None


def keyed(gateway: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """Whether the key goes where `--auth` says and nowhere else, by what a manifest says of a
    gateway and of the run's options.

    Else a wrong key beside the one that counts would be served, and a healthy gateway be accused: a
    header of the operator's, a query, a long word of the path or a client's certificate may be it.
    """
    if str(gateway.get("auth") or "").strip().lower() == "none" or options.get("client_cert"):
        return False
    headers = gateway.get("headers") or ()
    if any(str(name).lower() not in _NO_KEYS for name in headers):
        return False
    base, _, query = str(gateway.get("base_url") or "").partition("?")
    path = base.partition("//")[2].partition("/")[2]
    long_words = [part for part in path.split("/") if len(part) >= _KEY_CHARS]
    if any(any(letter.isdigit() for letter in part) for part in long_words):
        return False
    return all(pair.partition("=")[0] in ("", "api-version") for pair in query.split("&"))


_NO_KEYS = ("openai-organization", "openai-project")
_KEY_CHARS = 20


def survey_of(
    model: str, *, run_id: str, checks: str, context_tokens: int, keyed: bool = True,
    tokens_field: str = "auto", own: Own = NOTHING,
) -> Survey:  # fmt: skip
    """The checks of a model, before any answer. `checks` are ids and patterns with commas between:
    the Responses API, files and batches are asked for by naming one of their checks.
    `context_tokens` 0: not known. `tokens_field`: how the operator says the budget is called.

    Raises OperatorError.
    """
    patterns = [name.strip() for name in checks.split(",") if name.strip()]
    name = model.rpartition("/")[2].lower()
    setting = Setting(
        model,
        seed=run_id,
        forced_token=_FORCED if any(fnmatchcase(name, one) for one in _O200K) else None,
        context_tokens=context_tokens or None,
        keyed=keyed,
        embeds="embed" in name,
        responses=any(pattern.startswith("responses") for pattern in patterns),
        files=any(pattern.startswith(("files", "batches")) for pattern in patterns),
    )
    if tokens_field != "auto":
        setting = replace(setting, tokens_field=tokens_field, tokens_field_given=True)
    return Survey(_checks_of(patterns, own), setting, f"compat/{model}")


def direct_of(
    survey: Survey, *, run_id: str, against_model: str, context_tokens: int, keyed: bool = True,
    own: Own = NOTHING,
) -> Survey | None:  # fmt: skip
    """The same model over the second route: of a survey that has ended, the checks that do not
    work. None: every one does, or nothing was answered.

    `against_model` says what the reference calls the model: OURS=THEIRS, with commas between.
    """
    asked = [name for name, found in survey.findings().items() if sent_directly(found.verdict)]
    if survey.mute or not asked:
        return None
    model, setting = survey.setting.model, survey.setting
    named = dict(part.strip().split("=", 1) for part in against_model.split(",") if "=" in part)
    theirs = {ours.strip(): name.strip() for ours, name in named.items()}.get(model, model)
    direct = survey_of(
        theirs, run_id=f"{run_id}/direct", checks=",".join(asked), context_tokens=context_tokens,
        keyed=keyed, own=own,
        tokens_field=setting.tokens_field if setting.tokens_field_given else "auto",
    )  # fmt: skip
    direct.name = f"{survey.name}/{DIRECT}"
    direct.setting = replace(direct.setting, forced_token=setting.forced_token)
    return direct


def of_manifest(model: str, manifest: Mapping[str, Any], run_id: str) -> Survey:
    """The checks of a model of a run, by its manifest. Raises OperatorError."""
    options = manifest.get("options") or {}
    return survey_of(
        model,
        run_id=run_id,
        checks=str(options.get("checks") or ""),
        context_tokens=int(options.get("context_tokens") or 0),
        keyed=keyed(manifest.get("gateway") or {}, options),
        tokens_field=str(options.get("output_budget_field") or "auto"),
        own=own_of(manifest),
    )


def direct_of_manifest(survey: Survey, manifest: Mapping[str, Any], run_id: str) -> Survey | None:
    """Of a survey of a run that has ended: the checks that go over the second route too."""
    options = manifest.get("options") or {}
    if not options.get("against"):
        return None
    return direct_of(
        survey,
        run_id=run_id,
        against_model=str(options.get("against_model") or ""),
        context_tokens=int(options.get("context_tokens") or 0),
        keyed=keyed(manifest.get("reference") or {}, options),
        own=own_of(manifest),
    )


def own_of(manifest: Mapping[str, Any]) -> Own:
    """The operator's own tools and schemas, as a manifest keeps them. Raises OperatorError."""
    kept = manifest.get("require")
    return parse(kept, "--require") if isinstance(kept, dict) else NOTHING
