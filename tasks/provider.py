"""The provider that answered, if a gateway routes to several and says so. Pure.

Sources: OpenRouter (`provider`; of errors `error.metadata.provider_name`), Bifrost
(`extra_fields.provider`, x-bifrost-provider), Hugging Face (x-inference-provider), Cloudflare
(cf-aig-provider), Portkey (x-portkey-provider), LiteLLM (x-litellm-model-id names the deployment).
The body takes precedence over the headers, because it comes from nearer to the model. Names are in
lower case.
"""

from collections.abc import Mapping

from recording.json_values import Json, mapping

HEADERS = (
    "x-openrouter-provider", "x-inference-provider", "x-bifrost-provider", "cf-aig-provider",
    "x-portkey-provider", "x-litellm-model-id", "x-provider", "x-provider-name",
    "x-llm-provider", "x-model-provider", "x-selected-provider", "x-upstream-provider",
    "x-upstream",
)  # fmt: skip
LONGEST = 100
"""Characters of a name that are kept."""
_IN_BODY = ("provider", "provider_name")
_IN_OBJECT = ("name", "slug", "id")


def provider(body: Json, headers: Mapping[str, str]) -> str | None:
    """The provider's name from the body, otherwise from a header; None: not stated."""
    return stated_in(body) or next(
        (name for header in HEADERS if (name := _name(headers.get(header)))), None
    )


def stated_in(body: Json) -> str | None:
    """The provider's name in a reply, a chunk of one, or an error."""
    for name in _IN_BODY:
        if name in body and (provider := _name(body[name])):
            return provider
    if "extra_fields" in body and (
        provider := _name(mapping(body["extra_fields"]).get("provider"))
    ):
        return provider
    if "error" in body:
        return _name(mapping(mapping(body["error"]).get("metadata")).get("provider_name"))
    return None


def _name(value: object) -> str | None:
    """A text, or the name in an object, on one line and cut."""
    if isinstance(value, dict):
        value = next((value[key] for key in _IN_OBJECT if isinstance(value.get(key), str)), None)
    if not isinstance(value, str):
        return None
    return " ".join(value[: 4 * LONGEST].split())[:LONGEST].strip() or None
