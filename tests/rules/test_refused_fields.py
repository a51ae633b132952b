"""Which refusals name a field, in the words that gateways really use, and which only seem to."""

from typing import Any

import pytest

from rules.refused_fields import refused_field, refused_fields

SENT = {
    "model": "m",
    "messages": [{"role": "user", "content": "Reply exactly: ok-0"}],
    "max_tokens": 16,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0,
    "task_id": "run-req-0",
}


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    }


def pydantic(name: str, *deeper: str) -> dict[str, Any]:
    return {
        "type": "extra_forbidden",
        "loc": ["body", name, *deeper],
        "msg": "Extra inputs are not permitted",
        "input": "x",
    }


NAMED = {
    "openai, old": (400, openai("Unrecognized request argument supplied: task_id"), "task_id"),
    "openai, several": (
        400,
        openai("Unrecognized request arguments supplied: foo, task_id"),
        "task_id",
    ),
    "openai": (
        400,
        openai("Unknown parameter: 'task_id'.", "task_id", "unknown_parameter"),
        "task_id",
    ),
    "openai without param": (400, openai("Unknown parameter: 'task_id'."), "task_id"),
    "o-series": (
        400,
        openai(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        ),
        "max_tokens",
    ),
    "copilot": (
        400,
        {
            "error": {
                "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "code": "invalid_request_body",
            }
        },
        "max_tokens",
    ),
    "azure, o1": (
        400,
        openai(
            "this model does not take max_tokens, please use max_completion_tokens instead of it"
        ),
        "max_tokens",
    ),
    "temperature": (
        400,
        openai(
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default "
            "(1) value is supported.",
            "temperature",
            "unsupported_value",
        ),
        "temperature",
    ),
    "moonshot": (
        400,
        {"error": {"message": "invalid temperature: only 1 is allowed for this model"}},
        "temperature",
    ),
    "anthropic thinking": (
        400,
        openai("`temperature` may only be set to 1 when thinking is enabled."),
        "temperature",
    ),
    "claude": (400, openai("`temperature` is deprecated for this model."), "temperature"),
    "new-api": (
        400,
        openai(
            "Unknown parameter: 'stream_options'. (request id: 20240806)",
            "stream_options",
            "unknown_parameter",
        ),
        "stream_options",
    ),
    "fastapi": (422, {"detail": [pydantic("task_id")]}, "task_id"),
    "pydantic 1": (
        422,
        {
            "detail": [
                {
                    "loc": ["body", "task_id"],
                    "msg": "extra fields not permitted",
                    "type": "value_error.extra",
                }
            ]
        },
        "task_id",
    ),
    "fastapi, bare loc": (
        422,
        {"detail": [{"loc": ["task_id"], "msg": "Extra inputs are not permitted"}]},
        "task_id",
    ),
    "mistral": (
        422,
        {
            "object": "error",
            "message": {"detail": [pydantic("stream_options", "include_usage")]},
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        },
        "stream_options",
    ),
    "mistral, new": (
        422,
        {"object": "Error", "message": [pydantic("task_id")], "code": 3001},
        "task_id",
    ),
    "vllm": (
        400,
        {
            "object": "error",
            "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'task_id'), 'msg': 'Extra "
            "inputs are not permitted', 'input': 'run-req-0'}]",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        "task_id",
    ),
    "pydantic's text": (
        400,
        openai(
            "1 validation error for ChatCompletionRequest\ntask_id\n  Extra inputs are not "
            "permitted [type=extra_forbidden, input_value='x', input_type=str]"
        ),
        "task_id",
    ),
    "azure, your data": (
        400,
        {
            "error": {
                "requestid": "e1",
                "code": 400,
                "message": "Validation error at #/stream_options: Extra inputs are not permitted",
            }
        },
        "stream_options",
    ),
    "azure ai": (
        400,
        openai(
            "Extra parameters ['task_id'] are not allowed when extra-parameters is not set or set "
            "to be 'error'. Set extra-parameters to 'pass-through' to pass to the model."
        ),
        "task_id",
    ),
    "anthropic": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "task_id: Extra inputs are not permitted",
            },
        },
        "task_id",
    ),
    "groq": (400, openai("property 'task_id' is unsupported"), "task_id"),
    "cerebras": (
        400,
        {
            "message": "body.task_id: property 'body.task_id' is unsupported",
            "type": "invalid_request_error",
            "param": "validation_error",
            "code": "wrong_api_format",
        },
        "task_id",
    ),
    "fireworks": (
        400,
        openai("Extra inputs are not permitted, field: 'stream_options', value: {...}"),
        "stream_options",
    ),
    "go": (
        400,
        {"error_code": "BAD_REQUEST", "message": 'Bad request: json: unknown field "task_id"\n'},
        "task_id",
    ),
    "serde": (
        422,
        {
            "error": "Failed to deserialize the JSON body: unknown field `task_id`, expected one "
            "of `model`, `max_tokens`, `stream_options`, `temperature`"
        },
        "task_id",
    ),
    "jackson": (
        400,
        {
            "message": 'Unrecognized field "task_id" (class X), not marked as ignorable (3 known '
            'properties: "model", "max_tokens", "temperature"])'
        },
        "task_id",
    ),
    "google": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "task_id": Cannot find '
                    "field.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        "task_id",
    ),
    "bedrock": (
        400,
        {
            "message": "Malformed input request: #: extraneous key [task_id] is not permitted, "
            "please reformat your input and try again."
        },
        "task_id",
    ),
    "jsonschema": (
        400,
        {"detail": "Additional properties are not allowed ('foo', 'task_id' were unexpected)"},
        "task_id",
    ),
    "ajv": (
        400,
        {
            "errors": [
                {
                    "instancePath": "",
                    "keyword": "additionalProperties",
                    "params": {"additionalProperty": "task_id"},
                    "message": "must NOT have additional properties",
                }
            ]
        },
        "task_id",
    ),
    "zod": (
        400,
        {
            "error": {
                "issues": [
                    {
                        "code": "unrecognized_keys",
                        "keys": ["task_id"],
                        "path": [],
                        "message": "Unrecognized key(s) in object: 'task_id'",
                    }
                ]
            }
        },
        "task_id",
    ),
    "litellm": (
        400,
        openai(
            "litellm.BadRequestError: OpenAIException - Unsupported parameter: 'max_tokens' is not "
            "supported with this model. Use 'max_completion_tokens' instead.\nReceived Model "
            "Group=o3"
        ),
        "max_tokens",
    ),
    "upstream's json": (
        400,
        {
            "error": {
                "message": 'Upstream: {"error": {"message": "Unknown parameter: \'task_id\'."}}'
            }
        },
        "task_id",
    ),
    "openrouter": (
        400,
        {
            "error": {
                "message": "Provider returned error",
                "code": 400,
                "metadata": {"raw": '{"error":{"message":"property \'task_id\' is unsupported"}}'},
            }
        },
        "task_id",
    ),
    "python": (
        400,
        openai("create() got an unexpected keyword argument 'stream_options'"),
        "stream_options",
    ),
    "chinese": (400, openai("未知参数stream_options无法被识别"), "stream_options"),
    "chinese, before": (400, openai("不支持的参数：task_id"), "task_id"),
    "bedrock's inner key": (
        400,
        {"message": "extraneous key [include_usage] is not permitted"},
        "stream_options",
    ),
    "an inner path": (
        400,
        openai("stream_options.include_usage is not supported"),
        "stream_options",
    ),
    "marshmallow": (422, {"errors": {"json": {"task_id": ["Unknown field."]}}}, "task_id"),
    "problem details": (
        400,
        {"title": "Bad", "invalid-params": [{"name": "task_id", "reason": "unknown"}]},
        "task_id",
    ),
    "networknt": (
        400,
        openai(
            "$.task_id: is not defined in the schema and the schema does not allow additional "
            "properties"
        ),
        "task_id",
    ),
    "rails": (400, {"error": "found unpermitted parameter: :task_id"}, "task_id"),
    "pydantic 1's text": (
        400,
        openai("body -> task_id\n  extra fields not permitted (type=value_error.extra)"),
        "task_id",
    ),
    "an unknown field": (400, openai("task_id is an unknown field"), "task_id"),
    "an invalid one": (400, openai("Invalid parameter: task_id"), "task_id"),
    "in favour of": (
        400,
        openai("max_tokens was removed in favor of max_completion_tokens"),
        "max_tokens",
    ),
    "a list of codes": (
        400,
        {"errors": [{"field": "max_tokens", "code": "unexpected"}]},
        "max_tokens",
    ),
    "camel case": (400, openai("Invalid request: taskId is not allowed"), "task_id"),
    "chinese, invalid": (400, openai("请求参数“task_id”无效，请检查文档"), "task_id"),
    "the other name is missing": (
        400,
        openai("Bad parameter.", "max_completion_tokens", "missing_required_parameter"),
        "max_tokens",
    ),
    "plain text": (400, "stream_options is not supported", "stream_options"),
}


@pytest.mark.parametrize("refusal", NAMED.values(), ids=NAMED.keys())
def test_a_refusal_names_its_field_in_any_gateways_words(refusal: tuple[int, Any, str]) -> None:
    status, answer, name = refusal
    assert refused_fields(status, answer, SENT) == [name]


SEEMING = {
    "a value is too large": openai(
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
        "max_tokens",
        "invalid_value",
    ),
    "a value is too small": openai(
        "Invalid 'max_tokens': integer below minimum value. Expected a value >= 16, but got 1.",
        "max_tokens",
        "integer_below_min_value",
    ),
    "the budget was spent": openai(
        "Could not finish the message because max_tokens or model output limit was reached. Please "
        "try again with higher max_tokens."
    ),
    "anthropic's limit": openai(
        "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for m"
    ),
    "a field that we do not send": openai(
        "Unknown parameter: 'seed'.", "seed", "unknown_parameter"
    ),
    "a field inside a message": {
        "detail": [
            {
                "type": "extra_forbidden",
                "loc": ["body", "messages", 0, "user", "temperature"],
                "msg": "Extra inputs are not permitted",
            }
        ]
    },
    "a field inside a message, as text": openai(
        "messages.2.assistant.task_id: property 'messages.2.assistant.task_id' is unsupported"
    ),
    "the allowed ones are listed": openai(
        "unknown field `foo`, expected one of `model`, `max_tokens`, `temperature`, `task_id`"
    ),
    "the body is handed back": {
        "detail": [
            {
                "type": "missing",
                "loc": ["body", "messages"],
                "msg": "Field required",
                "input": {"task_id": "x", "max_tokens": 16},
            }
        ]
    },
    "the body is handed back as text": openai(
        'Invalid request: {"model":"m","max_tokens":16,"stream":true,"task_id":"run-req-0"}'
    ),
    "another fault": openai("The model `m` does not exist", "model", "model_not_found"),
    "an invalid value, bare": openai("Invalid parameter: max_tokens must be at least 16"),
    "a name in an unrelated list": {"errors": [{"name": "m", "reason": "unknown"}]},
    "a field's value handed back": {"error": {"task_id": "run-req-0", "message": "no such model"}},
    "an unexpected value": {"errors": [{"field": "max_tokens", "message": "unexpected value 7"}]},
    "an unexpected code of a value": {
        "errors": [{"field": "max_tokens", "code": "unexpected_type"}]
    },
    "the other name's value": openai(
        "max_completion_tokens is too large", "max_completion_tokens", "invalid_value"
    ),
    "chinese, an invalid value": openai("参数 max_tokens 无效"),
    "chinese, a value": openai("max_tokens 参数超出范围"),
    "nothing": {},
    "no object": [],
    "a number": 7,
}


@pytest.mark.parametrize("answer", SEEMING.values(), ids=SEEMING.keys())
def test_a_refusal_of_something_else_names_no_field(answer: Any) -> None:
    assert refused_fields(400, answer, SENT) == []


@pytest.mark.parametrize("status", (200, 401, 402, 403, 407, 408, 429, 500, 502))
def test_only_a_refusal_of_the_body_counts(status: int) -> None:
    assert refused_fields(status, openai("Unknown parameter: 'task_id'."), SENT) == []


@pytest.mark.parametrize(
    "prompt",
    (
        "Explain this error: Unknown parameter: 'task_id'.",
        "Unrecognized request argument supplied: task_id",
        "Why is max_tokens not supported? Use 'max_completion_tokens' instead, they say.",
        "task_id is not supported",
    ),
)
def test_a_400_that_quotes_the_prompt_names_no_field_of_the_prompt(prompt: str) -> None:
    sent = {**SENT, "messages": [{"role": "user", "content": prompt}]}
    flagged = f'Your prompt "{prompt}" was flagged as violating our policy.'
    assert refused_fields(400, openai(flagged), sent) == []
    assert refused_fields(400, openai(flagged, "messages[0].content"), SENT) == []
    escaped = flagged.replace("'", "\\'").replace(" ", "  ")
    assert refused_fields(400, openai(escaped), sent) == []


def test_a_real_refusal_names_its_field_even_if_the_prompt_has_the_same_words() -> None:
    text = "Unknown parameter: 'task_id'."
    sent = {**SENT, "messages": [{"role": "user", "content": text}]}
    assert refused_fields(400, openai(text, "task_id", "unknown_parameter"), sent) == ["task_id"]


def test_several_fields_refused_at_once_are_all_named() -> None:
    answer = {"detail": [pydantic("task_id"), pydantic("stream_options")]}
    assert refused_fields(422, answer, SENT) == ["stream_options", "task_id"]


def test_the_message_alone_names_the_same_field_or_one_near_it() -> None:
    """For every refusal above: the field, a part of it, one beside it in the list, or none."""
    named_count = 0
    for _, answer, name in NAMED.values():
        sentences = [answer] if isinstance(answer, str) else []
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            sentences.append(str(answer["error"].get("message")))
        for words in sentences:
            field = refused_field(words)
            assert field in (None, name, "foo", "taskId", "stream_options.include_usage")
            named_count += field == name
    assert named_count >= 10
    assert (
        refused_field("litellm.BadRequestError: OpenAIException - Unsupported parameter: 'n'")
        == "n"
    )
