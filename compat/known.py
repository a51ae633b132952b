"""What a model's name and the operator tell about it before anything is sent. Pure."""

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
"""The name of the second route in phases' names and in cells."""
_O200K = ("gpt-4o*", "gpt-4.1*", "gpt-4.5*", "gpt-5*", "o1*", "o3*", "o4*", "gpt-oss*")
_FORCED = (32, "A")
"""Token 32 of o200k is the letter A."""


def _checks_of(patterns: Sequence[str], definitions: Own) -> list[Check]:
    """The checks with these ids or patterns; if there are none, all checks of the chat and
    embeddings APIs and the operator's own. Raises OperatorError."""
    known = (*CHECKS, *checks_of(definitions))
    if not patterns:
        return [*known]
    try:
        return chosen(patterns, known)
    except KeyError as error:
        raise OperatorError(
            f"--checks names an unknown check, {error.args[0]!r}: docs/how-to/compat.md lists them."
        ) from None


def keyed(gateway: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """Whether the key is sent where `--auth` says and nothing else can be a credential, given
    what a manifest says about a gateway and the run's options.

    A header of the operator's, a query, a long path segment or a client certificate may be the
    credential that counts. A wrong key beside it would then be served, and a healthy gateway would
    be accused.
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
    tokens_field: str = "auto", definitions: Own = NOTHING,
) -> Survey:  # fmt: skip
    """The survey of a model, before any answer.

    `checks` are ids and patterns separated by commas; the Responses API, files and batches are
    checked only if one of their checks is named. `context_tokens` 0 means unknown. `tokens_field`
    is the name of the budget's field, if the operator gives one.

    Raises OperatorError.
    """
    patterns = [name.strip() for name in checks.split(",") if name.strip()]
    name = model.rpartition("/")[2].lower()
    setting = Setting(
        model,
        seed=run_id,
        forced_token=_FORCED
        if any(fnmatchcase(name, known_name) for known_name in _O200K)
        else None,
        context_tokens=context_tokens or None,
        keyed=keyed,
        embeds="embed" in name,
        responses=any(pattern.startswith("responses") for pattern in patterns),
        files=any(pattern.startswith(("files", "batches")) for pattern in patterns),
    )
    if tokens_field != "auto":
        setting = replace(setting, tokens_field=tokens_field, tokens_field_given=True)
    return Survey(_checks_of(patterns, definitions), setting, f"compat/{model}")


def direct_of(
    survey: Survey, *, run_id: str, against_model: str, context_tokens: int, keyed: bool = True,
    definitions: Own = NOTHING,
) -> Survey | None:  # fmt: skip
    """The survey of the same model over the second route, with the checks of a finished survey
    that do not work. None if all of them work, or if nothing was answered.

    `against_model` gives the reference's names of models: OURS=THEIRS, separated by commas.
    """
    check_ids = [
        name for name, finding in survey.findings().items() if sent_directly(finding.verdict)
    ]
    if survey.mute or not check_ids:
        return None
    model, setting = survey.setting.model, survey.setting
    named = dict(part.strip().split("=", 1) for part in against_model.split(",") if "=" in part)
    theirs = {ours.strip(): name.strip() for ours, name in named.items()}.get(model, model)
    direct = survey_of(
        theirs, run_id=f"{run_id}/direct", checks=",".join(check_ids),
        context_tokens=context_tokens,
        keyed=keyed, definitions=definitions,
        tokens_field=setting.tokens_field if setting.tokens_field_given else "auto",
    )  # fmt: skip
    direct.name = f"{survey.name}/{DIRECT}"
    direct.setting = replace(direct.setting, forced_token=setting.forced_token)
    return direct


def of_manifest(model: str, manifest: Mapping[str, Any], run_id: str) -> Survey:
    """The survey of one model of a run, from its manifest. Raises OperatorError."""
    options = manifest.get("options") or {}
    return survey_of(
        model,
        run_id=run_id,
        checks=str(options.get("checks") or ""),
        context_tokens=int(options.get("context_tokens") or 0),
        keyed=keyed(manifest.get("gateway") or {}, options),
        tokens_field=str(options.get("output_budget_field") or "auto"),
        definitions=own_of(manifest),
    )


def direct_of_manifest(survey: Survey, manifest: Mapping[str, Any], run_id: str) -> Survey | None:
    """The survey over the second route that follows a finished one, from a run's manifest."""
    options = manifest.get("options") or {}
    if not options.get("against"):
        return None
    return direct_of(
        survey,
        run_id=run_id,
        against_model=str(options.get("against_model") or ""),
        context_tokens=int(options.get("context_tokens") or 0),
        keyed=keyed(manifest.get("reference") or {}, options),
        definitions=own_of(manifest),
    )


def own_of(manifest: Mapping[str, Any]) -> Own:
    """The operator's own tools and schemas, from a manifest. Raises OperatorError."""
    content = manifest.get("require")
    return parse(content, "--require") if isinstance(content, dict) else NOTHING
