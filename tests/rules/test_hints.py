"""Advice on a failure: given where the cause is named, and never elsewhere."""

import pytest

from rules.hints import hint, refused_field

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
def test_a_refused_field_is_read_from_the_words(words: str, field: str) -> None:
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
def test_no_field_is_named_where_none_is_refused(words: str) -> None:
    """Neither is a field blamed that is needed, nor one whose value is wrong."""
    assert refused_field(words) is None
    assert hint("bad_request", 400, words) is None


@pytest.mark.parametrize(
    ("outcome", "status", "words", "part"),
    [
        ("auth", 401, "Incorrect API key provided", "API key"),
        ("auth", 403, "no access to model", "right to this model"),
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
def test_what_to_do_is_said_where_the_cause_is_known(
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
def test_no_advice_where_the_cause_is_not_known(
    outcome: str, status: int | None, words: str
) -> None:
    assert hint(outcome, status, words) is None
