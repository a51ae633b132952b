"""The free look before a run: "did you mean ...?", on servers with their API elsewhere."""

from collections.abc import Callable

import pytest

from engine.did_you_mean import Doubt, listed, other_base, unlisted
from engine.preflight import preflight
from settings.address import address
from settings.endpoint import Endpoint
from settings.options import Options
from tests.locust_run import CANARY
from tests.tasks.scripted_server import Conversation, Serve, http, json_reply

OPTIONS = Options(run_id="r")
MODELS = ["gpt-5.4-nano", "gpt-5.4-mini", "claude-sonnet-4.6", "Qwen/Qwen3-8B"]


def api_at(*paths: str) -> Callable[[Conversation], None]:
    """A server that lists its models at these paths, and knows no others."""
    listing = json_reply({"object": "list", "data": [{"id": name} for name in MODELS]})

    def script(talk: Conversation) -> None:
        while True:
            path = talk.request().line.split()[1].partition("?")[0]
            talk.send(listing if path in paths else http("404 Not Found", b"no such page"))

    return script


@pytest.mark.parametrize(
    ("base", "meant"), [("", "/v1"), ("/real", "/real/v1"), ("/real/", "/real/v1")]
)
def test_a_base_url_without_its_v1_gets_a_suggestion(serve: Serve, base: str, meant: str) -> None:
    server = serve(api_at("/v1/models", "/real/v1/models"))
    root = server.base_url.removesuffix("/v1")
    (doubt,) = preflight(Endpoint(root + base, CANARY), OPTIONS)
    assert (doubt.kind, doubt.near) == ("base_url", (root + meant,))
    assert f"{root}{meant} has: did you mean that as the base URL?" in str(doubt)
    assert len(server.requests) == 2 and CANARY not in str(doubt)


@pytest.mark.parametrize("base", ["", "/real", "/v1", "/api/v2"])
def test_a_gateway_that_lists_no_models_anywhere_gets_no_suggestion(
    serve: Serve, base: str
) -> None:
    server = serve(api_at("/elsewhere"))
    root = server.base_url.removesuffix("/v1")
    assert preflight(Endpoint(root + base, CANARY), OPTIONS, ["any"]) == ()
    assert len(server.requests) <= 2


def test_an_unlisted_model_is_reported_with_similar_names(serve: Serve) -> None:
    server = serve(api_at("/v1/models"))
    models = ["gpt-5.4-nnano", "gpt-5.4-mini", "zephyr"]
    doubts = preflight(Endpoint(server.base_url, CANARY), OPTIONS, models)
    assert [(d.asked, d.near[:1]) for d in doubts] == [
        ("gpt-5.4-nnano", ("gpt-5.4-nano",)), ("zephyr", ()),
    ]  # fmt: skip
    assert str(doubts[0]).endswith("did you mean gpt-5.4-nano or gpt-5.4-mini?")
    assert "zephyr: is its name right? The list begins with gpt-5.4-nano" in str(doubts[1])
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "model", ["gpt-5.4-nano", "openai/gpt-5.4-nano", "gpt-5.4-nano-2026-01-31", "qwen3-8b"]
)
def test_another_spelling_of_a_listed_model_is_not_reported(model: str) -> None:
    """A provider in front, a date behind, capitals: routers accept them."""
    assert unlisted([model], MODELS) == []


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"data": [{"id": "a"}, {"id": 3}, "b", None]}, ["a", "b"]),
        ({"models": ["a"]}, ["a"]),
        ([{"id": "a"}], ["a"]),
        ({"data": {}}, []), ("<html>", []), (None, []), ({}, []),
    ],
)  # fmt: skip
def test_a_list_of_models_is_read_in_every_form_of_gateways(
    answer: object, names: list[str]
) -> None:
    assert listed(answer) == names
    expected = [Doubt("model", "x", (), tuple(names))] if names else []
    assert unlisted(["x"], names) == expected


def test_the_suggested_address_keeps_the_query() -> None:
    suggested = other_base(address("https://g.example/api?tenant=7"))
    assert suggested is not None and (suggested.base, suggested.query) == (
        "https://g.example/api/v1",
        "tenant=7",
    )
    assert other_base(address("https://g.example/v1")) is None


def test_hostile_names_of_models_are_escaped_and_shortened() -> None:
    (doubt,) = unlisted(["model-a\x1b"], ["model-a" + "\x1b[2J" * 2])
    assert "\x1b" not in str(doubt)
