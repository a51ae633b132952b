"""What goes with every request besides its body, as a server receives it."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.preflight import preflight
from recording.errors import OperatorError
from recording.trace_ids import trace_ids
from settings.access import Access, auth_header, joined, own_headers, sdk_headers
from settings.address import address
from settings.endpoint import resolve
from settings.options import Options
from tests.tasks.scripted_server import BOTH, Serve, answer, completion, json_reply, streaming
from tests.tasks.sending import KEY, OPTIONS, Sender, send
from tests.tasks.test_requests import WHOLE_STREAM

SURFACES = pytest.mark.parametrize("typed", [False, True], ids=["raw", "typed"])
OK = json_reply(completion())
SDKS = {
    "OPENAI_ORG_ID": "org-mine", "OPENAI_PROJECT_ID": "proj-mine",
    "OPENAI_CUSTOM_HEADERS": "X-Title: acme\nHTTP-Referer: https://acme.example",
}  # fmt: skip


def received(serve: Serve, access: Access, path: str = "", **how: Any) -> Any:
    """The one request that a server received."""
    stream = how.get("stream", False)
    server = serve(answer(streaming(*WHOLE_STREAM) if stream else OK))
    row = send(server.base_url + path, how={"access": access}, **how)
    assert row.outcome == "ok", row.error_message
    (request,) = server.requests
    return request


@SURFACES
@BOTH
@pytest.mark.parametrize(
    ("auth", "header"),
    [("bearer", ("authorization", f"Bearer {KEY}")), ("api-key", ("api-key", KEY)),
     ("X-Goog-Api-Key", ("x-goog-api-key", KEY)), ("none", None)],
)  # fmt: skip
def test_the_key_is_sent_in_its_header_and_in_no_other(
    serve: Serve, auth: str, header: tuple[str, str] | None, stream: bool, typed: bool
) -> None:
    request = received(serve, Access(auth=auth), stream=stream, typed=typed)
    holding = [(name, value) for name, value in request.headers.items() if KEY in value]
    assert holding == ([header] if header else [])
    assert header or "authorization" not in request.headers


@SURFACES
def test_own_headers_are_sent_beside_the_key(serve: Serve, typed: bool) -> None:
    """For a gateway that wants two at once: the key in one, the tenant in another."""
    own = own_headers(
        ["X-Tenant=acme", "X-Task={task_id}", "X-Run=r/{run_id}", "X-Secret=a{env:IT}b"],
        {"IT": "=c=,{task_id"},
    )
    request = received(serve, Access(auth="api-key", headers=own), typed=typed)
    received_headers = {
        name: request.headers[name] for name in ("x-tenant", "x-task", "x-run", "x-secret")
    }
    assert received_headers == {
        "x-tenant": "acme", "x-task": "pre-req-0", "x-run": "r/run", "x-secret": "a=c=,{task_idb",
    }  # fmt: skip
    assert request.headers["api-key"] == KEY


def test_every_request_has_its_own_task_id_in_the_header(serve: Serve) -> None:
    server = serve(answer(OK))
    user = Sender(server.base_url, access=Access(headers=own_headers(["X-Task={task_id}"], {})))
    for index in range(3):
        user.send(index)
    assert [s.headers["x-task"] for s in server.requests] == [f"pre-req-{n}" for n in range(3)]


def test_a_task_id_that_a_header_cannot_hold_is_percent_encoded(serve: Serve) -> None:
    own = own_headers(["X-Task={task_id}"], {})
    server = serve(answer(OK))
    with_feed = "a\r\nX-Evil: 1\u4f60-"
    row = Sender(server.base_url, access=Access(headers=own)).send(task_prefix=with_feed)
    assert row.outcome == "ok"
    assert server.requests[0].headers["x-task"] == "a%0D%0AX-Evil: 1%E4%BD%A0-0"
    assert "x-evil" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("X-Tenant", "takes NAME=VALUE"),
        ("=secretvalue", "not a valid header name"),
        ("X Tenant=secretvalue", "not a valid header name"),
        ("X-A\r\nX-B=secretvalue", "not a valid header name"),
        ("X-A=secretvalue\r\nX-B: 1", "on one line"),
        ("X-A=secretvalue\n", "on one line"),
        ("X-A=secretvalue\x00", "on one line"),
        ("X-A=secretvalué", "plain ASCII"),
        ("X-A=", "has no value"),
        ("X-A={env:GONE}", "the variable GONE is not set"),
        ("X-A={env:FEED}", "on one line"),
        ("X-A={taskid}secretvalue", "no other name in braces"),
        ("Content-Length=secretvalue", "belongs to the connection"),
        ("connection=secretvalue", "belongs to the connection"),
        ("Transfer-Encoding=secretvalue", "belongs to the connection"),
        ("Proxy-Authorization=secretvalue", "belongs to the connection"),
    ],
)
def test_a_header_that_cannot_be_sent_is_a_sentence_without_its_value(line: str, says: str) -> None:
    with pytest.raises(OperatorError) as caught:
        own_headers([line], {"FEED": "secretvalue\r\nX: y"})
    assert says in str(caught.value)
    assert "secretvalu" not in str(caught.value)


def test_a_header_given_twice_or_used_by_the_key_is_refused() -> None:
    with pytest.raises(OperatorError, match="given twice"):
        own_headers(["X-A=1", "x-a=2"], {})
    for auth, name in (("bearer", "authorization"), ("api-key", "API-Key")):
        with pytest.raises(OperatorError, match="would use the same header"):
            joined(((name, "v"),), (), auth)
    assert joined((("Authorization", "Basic x"),), (), "none")
    assert joined((("Authorization", "Basic x"),), (), "api-key"), "two keys at once, if wanted"


@pytest.mark.parametrize(
    ("auth", "azure", "command", "header"),
    [("auto", False, False, "bearer"), ("auto", True, False, "api-key"),
     ("auto", True, True, "bearer"), ("Bearer", True, False, "bearer"),
     ("API-KEY", False, False, "API-KEY"), ("none", True, False, "none"), ("", False, False,
     "bearer"), ("x-api-key", True, False, "x-api-key")],
)  # fmt: skip
def test_the_header_of_the_key_follows_from_auth_gateway_and_key_command(
    auth: str, azure: bool, command: bool, header: str
) -> None:
    assert auth_header(auth, azure, command) == header


@pytest.mark.parametrize("auth", ["Basic", "token", "x api", "a:b", "content-length", "api\r\nkey"])
def test_an_auth_that_is_no_header_name_is_refused(auth: str) -> None:
    with pytest.raises(OperatorError, match="is not bearer, api-key, none"):
        auth_header(auth, False, False)


# ---- what the SDK would add by itself


@SURFACES
def test_what_the_sdk_would_take_from_the_environment_is_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, typed: bool
) -> None:
    for name, value in {**SDKS, "OPENAI_ADMIN_KEY": "sk-admin-1", "OPENAI_API_KEY": "sk-o"}.items():
        monkeypatch.setenv(name, value)
    plain = received(serve, Access(auth="none"), typed=typed)
    headers = " ".join(plain.headers.values()) + " ".join(plain.headers)
    assert not any(word in headers for word in ("mine", "acme", "admin", "sk-o", "openai-"))


@pytest.mark.parametrize(
    ("variables", "host", "sent"),
    [
        ({"OPENAI_BASE_URL": "http://o/v1", "OPENAI_API_KEY": "k"}, None, True),
        ({"OPENAI_BASE_URL": "http://o/v1", "OPENAI_API_KEY": "k"}, "http://o/v1", True),
        ({"OPENAI_API_KEY": "k"}, "http://x/v1", True),
        ({"NONELINEAR_API_KEY": "k"}, "http://x/v1", False),
        ({"NONELINEAR_OPENAI_BASE_URL": "http://n/v1", "NONELINEAR_API_KEY": "k"}, None, False),
    ],
)
def test_the_openai_variables_are_sent_only_where_their_key_is(
    variables: dict[str, str], host: str | None, sent: bool
) -> None:
    endpoint = resolve(host, variables | SDKS)
    names = ["OpenAI-Organization", "OpenAI-Project", "X-Title", "HTTP-Referer"]
    assert endpoint.access.names == (names if sent else [])
    assert endpoint.access.openai == (tuple(SDKS) if sent else ())
    assert endpoint.access.withheld == (() if sent else tuple(SDKS))
    assert ("OPENAI_ORG_ID" in endpoint.named) and ("is not sent" in endpoint.named) is not sent
    assert "acme" not in endpoint.named and "org-mine" not in str(endpoint.facts())


def test_a_line_feed_in_the_sdks_headers_is_one_sentence() -> None:
    with pytest.raises(OperatorError, match="belongs to the connection"):
        sdk_headers({"OPENAI_CUSTOM_HEADERS": "Connection: close"})
    with pytest.raises(OperatorError, match="not plain ASCII"):
        sdk_headers({"OPENAI_ORG_ID": "a\rX: y"})


# ---- traces


@SURFACES
@BOTH
def test_the_trace_id_is_a_sha256_of_run_phase_and_task(
    serve: Serve, stream: bool, typed: bool
) -> None:
    server = serve(answer(streaming(*WHOLE_STREAM) if stream else OK))
    user = Sender(server.base_url, access=Access(trace=True))
    rows = [user.send(index, stream=stream, typed=typed) for index in range(3)]
    for row, request in zip(rows, server.requests, strict=True):
        hashed = f"{row.run_id}\n{row.phase}\n{row.task_id}".encode()
        digest = hashlib.sha256(hashed).hexdigest()
        assert row.trace_id == digest[:32] == request.headers["x-request-id"]
        assert request.headers["traceparent"] == f"00-{digest[:32]}-{digest[32:48]}-01"
    assert len({row.trace_id for row in rows}) == 3


@given(st.text(), st.text(), st.text())
def test_trace_ids_have_the_form_of_the_w3c(run_id: str, phase: str, task_id: str) -> None:
    trace, span = trace_ids(run_id, phase, task_id)
    assert (len(trace), len(span)) == (32, 16)
    assert int(trace, 16) and int(span, 16) and (trace + span).islower() or (trace + span).isdigit()


def test_without_traces_no_trace_is_sent_or_recorded(serve: Serve) -> None:
    server = serve(answer(OK))
    row = send(server.base_url, how={"access": Access(trace=False)})
    assert row.trace_id is None
    assert not {"traceparent", "x-request-id"} & set(server.requests[0].headers)


def test_an_own_trace_header_is_not_overwritten(serve: Serve) -> None:
    own = own_headers(["X-Request-ID={task_id}"], {})
    request = received(serve, Access(headers=own, trace=True))
    assert request.headers["x-request-id"] == "pre-req-0"
    assert "traceparent" in request.headers


def test_a_request_that_was_not_sent_has_no_trace(serve: Serve) -> None:
    from tasks.transport_failure import NotSent

    def shut() -> None:
        raise NotSent("over")

    server = serve(answer(OK))
    row = Sender(server.base_url, access=Access(trace=True)).send(gate=shut)
    assert (row.outcome, row.trace_id) == ("dropped", None)


# ---- the address


@SURFACES
@BOTH
@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("?api-version=2024-10-21", "/v1/chat/completions?api-version=2024-10-21"),
        ("?a=1&a=%2F&b", "/v1/chat/completions?a=1&a=%2F&b"),
        ("/openai?api-version=1", "/v1/openai/deployments/a%2Fb/chat/completions?api-version=1"),
        ("/openai/deployments/D?api-version=1",
         "/v1/openai/deployments/D/chat/completions?api-version=1"),
        ("/openai/v1?api-version=preview", "/v1/openai/v1/chat/completions?api-version=preview"),
        ("/models/{model}", "/v1/models/a%2Fb/chat/completions"),
        ("/{model}/x?k=v", "/v1/a%2Fb/x/chat/completions?k=v"),
    ],
)  # fmt: skip
def test_a_request_goes_to_the_path_and_query_of_the_base_url(
    serve: Serve, path: str, line: str, stream: bool, typed: bool
) -> None:
    request = received(serve, Access(), path, model="a/b", stream=stream, typed=typed)
    assert request.line == f"POST {line} HTTP/1.1"


def test_models_with_their_own_paths_share_a_connection(serve: Serve) -> None:
    server = serve(answer(OK))
    user = Sender(server.base_url + "/{model}")
    for model in ("a", "b", "a", "c"):
        assert user.send(model=model).outcome == "ok"
    assert [s.line.split("/")[2] for s in server.requests] == ["a", "b", "a", "c"]
    assert [s.json["model"] for s in server.requests] == ["a", "b", "a", "c"]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("?api-version=1", "/v1/models?api-version=1"),
        ("/openai?api-version=1", "/v1/openai/models?api-version=1"),
        ("/openai/deployments/{model}?api-version=1", "/v1/openai/models?api-version=1"),
        ("", "/v1/models"),
    ],
)
def test_the_look_before_the_run_sends_the_query_and_headers_too(
    serve: Serve, path: str, line: str
) -> None:
    server = serve(answer(json_reply({"data": []})))
    environment = {"GW_API_KEY": KEY, "GW_BASE_URL": server.base_url + path, "T": "tenant-77"}
    options = Options(gateway="gw", header="X-Tenant={env:T}", auth="x-key", run_id="r")
    preflight(resolve(None, environment, options), OPTIONS)
    (request,) = server.requests
    assert request.line == f"GET {line} HTTP/1.1"
    assert (request.headers["x-tenant"], request.headers["x-key"]) == ("tenant-77", KEY)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "http://h/v1?api-version=2024-10-21-preview",
            "http://h/v1?api-version=2024-10-21-preview",
        ),
        ("http://h/v1?code=abc", "http://h/v1?code=[key]"),
        ("http://h/v1?x=1&subscription-key=abc&y", "http://h/v1?x=1&subscription-key=[key]&y"),
        ("http://h/v1?sig=%2Fq", "http://h/v1?sig=[key]"),
        ("http://h/v1?x=5b1e77f0c2aa5b1e77f0c2aa", "http://h/v1?x=[key]"),
        ("http://h/v1?model=gpt-4.1-mini-2025-04-14-global", None),
        ("http://h/v1?region=eu-west-1", None),
    ],
)
def test_a_query_value_that_looks_secret_is_not_shown(url: str, shown: str | None) -> None:
    assert address(url).masked_url == (shown or url)


def test_a_secret_of_the_query_is_removed_from_every_row(serve: Serve) -> None:
    refusal = {"error": {"message": "bad code 5b1e77f0c2aa"}}
    server = serve(answer(json_reply(refusal, status="401 No")))
    endpoint = resolve(server.base_url + "?code=5b1e77f0c2aa", {"OPENAI_API_KEY": "k"})
    assert "5b1e77f0c2aa" in endpoint.secrets
    assert "5b1e77f0c2aa" not in repr(endpoint) + endpoint.named + str(endpoint.facts())
