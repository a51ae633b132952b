"""Advice on a failure is given where its cause is named, and only there."""

import pytest

from rules.hints import hint
from rules.refused_fields import refused_field
from rules.wanted_header import wanted_header

# As these servers word it: OpenAI, Azure, Mistral and FastAPI (pydantic), vLLM, Groq, LiteLLM.
FIELDS = [
    ("Unrecognized request argument supplied: task_id", "task_id"),
    ("Unknown parameter: 'task_id'.", "task_id"),
    ("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
     "'max_completion_tokens' instead.", "max_tokens"),
    ("property 'task_id' is unsupported", "task_id"),
    ("[{'type': 'extra_forbidden', 'loc': ('body', 'task_id'), 'msg': 'Extra inputs are not "
     "permitted'}]", "task_id"),
    ('[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not '
     'permitted"}]', "stream_options"),
    ("unexpected keyword argument 'stream_options'", "stream_options"),
    ("Invalid field: top_k", "top_k"),
    ("unknown field `task_id`", "task_id"),
    ("Unknown parameter: 'metadata.task_id'.", "metadata.task_id"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "field"), FIELDS)
def test_a_refused_field_is_read_from_the_gateways_message(words: str, field: str) -> None:
    assert refused_field(words) == field
    advice = hint("bad_request", 400, words)
    assert advice is not None and field in advice.en and field in advice.zh


@pytest.mark.parametrize(
    "words",
    ["", "This model's maximum context length is 8192 tokens", "Invalid value for 'content'",
     "messages: the field is required", "The parameter is invalid in this request",
     "Invalid JSON body", "unknown error in the upstream", "Unsupported value: 'temperature' does "
     "not support 0 with this model. Only the default (1) value is supported."],
)  # fmt: skip
def test_no_field_is_named_by_a_message_that_refuses_none(words: str) -> None:
    """Neither a field that is required, nor one whose value is wrong."""
    assert refused_field(words) is None
    assert hint("bad_request", 400, words) is None


@pytest.mark.parametrize(
    ("outcome", "status", "words", "part"),
    [
        ("auth", 401, "Incorrect API key provided", "API key"),
        ("auth", 403, "no access to model", "access to this model"),
        ("not_found", 404, "The model `gpt-9` does not exist", "model's name"),
        ("not_found", 404, "404 page not found", "/v1"),
        ("not_found", 404, "Not Found", "/v1"),
        ("bad_request", 407, "", "proxy"),
        ("connection_refused", None, "the proxy answered: HTTP/1.1 407 Authentication Required",
         "proxy"),
        ("tls", None, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", "--ca-file"),
        ("dns", None, "Name or service not known", "host name"),
        ("redirect", 301, "", "redirects"),
    ],
)  # fmt: skip
def test_advice_is_given_where_the_cause_is_known(
    outcome: str, status: int | None, words: str, part: str
) -> None:
    advice = hint(outcome, status, words)
    assert advice is not None and part in advice.en and advice.zh != advice.en


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [("server_error", 500, "model overloaded"), ("rate_limited", 429, "slow down"),
     ("tls", None, "wrong version number"), ("stream_truncated", 200, ""),
     ("timeout_first_byte", None, ""), ("empty", 200, "")],
)  # fmt: skip
def test_no_advice_is_given_where_the_cause_is_unknown(
    outcome: str, status: int | None, words: str
) -> None:
    assert hint(outcome, status, words) is None


WANTED = [
    ("X-Tenant header is required", "X-Tenant"),
    ("The X-Org-Id header is missing.", "X-Org-Id"),
    ("Missing required header: x-project-id", "x-project-id"),
    ("missing header 'OpenAI-Organization'", "OpenAI-Organization"),
    ("Header X-Region must be set", "X-Region"),
    ("Required request header 'X-Tenant' for method parameter type String is not present",
     "X-Tenant"),
    ("This endpoint requires the HTTP header `anthropic-version`", "anthropic-version"),
    ("requires an X-Api-Version header", "X-Api-Version"),
    ("Request header Tenant is missing", "Tenant"),
    ("请求头 X-Tenant 不能为空", "X-Tenant"),
    ("缺少请求头：X-Tenant", "X-Tenant"),
    ("X-Tenant 请求头必填", "X-Tenant"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "name"), WANTED)
@pytest.mark.parametrize(
    ("outcome", "status"), [("auth", 403), ("auth", 401), ("bad_request", 400), ("not_found", 404)]
)
def test_a_missing_header_is_named_and_the_key_is_not_blamed(
    words: str, name: str, outcome: str, status: int
) -> None:
    assert wanted_header(words) == name
    advice = hint(outcome, status, words)
    assert advice is not None and f"--header '{name}=...'" in advice.en and name in advice.zh
    assert "key" not in advice.en and "密钥" not in advice.zh


@pytest.mark.parametrize(
    "words",
    ["", "Forbidden", "no access to model", "Missing Authorization header",
     "Authorization header is required", "api-key header is missing", "missing request headers",
     "Content-Type header must be application/json", "Invalid header", "the header is too large",
     "Missing authentication header", "Your request headers are not allowed",
     "You do not have permission to use this model", "Required scopes: model.request"],
)  # fmt: skip
def test_the_key_is_questioned_where_no_header_is_missing(words: str) -> None:
    assert wanted_header(words) is None
    forbidden, unknown = hint("auth", 403, words), hint("auth", 401, words)
    assert forbidden is not None and "access to this model" in forbidden.en
    assert unknown is not None and "API key" in unknown.en


def test_only_the_beginning_of_a_huge_message_is_searched() -> None:
    """The first few thousand letters, and few of the names in them."""
    for word in ("required header ", "X-A header ", "unknown field 'a_", '"loc": ["body", "a_b"] '):
        hint("bad_request", 400, word * 100_000)
        hint("auth", 403, word * 100_000)
