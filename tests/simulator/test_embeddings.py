"""POST /embeddings through the official SDK."""

import base64
import struct
from math import sqrt
from pathlib import Path

import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from simulator.tokens import encode
from tests.simulator.gateway import Gateway, running


def client(gateway: Gateway) -> OpenAI:
    return OpenAI(base_url=gateway.url, api_key="k", max_retries=0)


def vectors(gateway: Gateway, texts: object, **settings: object) -> list[list[float]]:
    """The vectors of a plain request for lists of floats."""
    body = {"model": "e", "input": texts, **settings}
    data = gateway.send(body, "/v1/embeddings").json["data"]
    assert [entry["index"] for entry in data] == [*range(len(data))]
    return [entry["embedding"] for entry in data]


def test_the_same_text_has_the_same_vector_of_length_1(fast: Gateway) -> None:
    """In any batch, in its order; another text or another model has a different one."""
    cart, scale, again = vectors(fast, ["cart", "scale", "cart"])
    assert cart == again == vectors(fast, "cart")[0] != scale
    assert vectors(fast, "cart", model="other")[0] != cart
    for vector in (cart, scale, vectors(fast, "cart", dimensions=64)[0]):
        assert sqrt(sum(x * x for x in vector)) == pytest.approx(1, abs=1e-6)


def test_fewer_dimensions_are_the_first_ones_made_of_length_1(fast: Gateway) -> None:
    [whole], [cut] = vectors(fast, "cart"), vectors(fast, "cart", dimensions=64)
    assert (len(whole), len(cut)) == (1536, 64)
    norm = sqrt(sum(x * x for x in whole[:64]))
    assert cut == pytest.approx([x / norm for x in whole[:64]], abs=1e-6)


def test_base64_holds_the_same_floats(fast: Gateway) -> None:
    """Bit by bit; the SDK requests base64 by default, and decodes it."""
    [floats] = vectors(fast, "cart", dimensions=8)
    [packed] = vectors(fast, "cart", dimensions=8, encoding_format="base64")
    assert [*struct.unpack("<8f", base64.b64decode(packed))] == floats  # type: ignore[arg-type]
    read = client(fast).embeddings.create(model="e", input=["cart"], dimensions=8)
    assert read.data[0].embedding == pytest.approx(floats, abs=1e-9)


def test_tokens_are_counted_and_charged(log: Path) -> None:
    """All texts count, even if sent as tokens; the ledger has the sum."""
    with running(log, "--profile", "fast") as gateway:
        read = client(gateway).embeddings.create(model="e", input=["one cart", "two carts"])
        ids = [*encode("one cart")]
        assert vectors(gateway, [ids], dimensions=4) == vectors(gateway, "one cart", dimensions=4)
        rows = gateway.rows()
    count = len(encode("one cart")) + len(encode("two carts"))
    assert read.usage.prompt_tokens == read.usage.total_tokens == count
    row = rows[0]
    assert (row["endpoint"], row["prompt_tokens"]) == ("embeddings", str(count))
    assert float(row["billed"]) == count / 1e6


def test_what_is_refused(fast: Gateway, log: Path) -> None:
    for settings in ({"input": []}, {"input": [""]}, {"input": [7, "x"]}, {"dimensions": 0},
                     {"dimensions": 4096}, {"encoding_format": "hex"}):  # fmt: skip
        reply = fast.send({"model": "e", "input": "cart", **settings}, "/v1/embeddings")
        assert reply.status == 400 and reply.json["error"]["param"] in settings
    with running(log, "--profile", "seed") as gateway, pytest.raises(NotFoundError):
        client(gateway).embeddings.create(model="nobody", input="x")
    with pytest.raises(BadRequestError):
        client(fast).embeddings.create(model="e", input=[])
