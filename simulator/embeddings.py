"""POST /embeddings: one vector per text, always the same for the same text, of length 1.

The vector is determined by the text and the model's name. With fewer `dimensions` it is cut and
normalized again, as by OpenAI's third generation of models.
"""

import base64
import struct
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import count as counter
from math import sqrt
from random import Random
from typing import Any

from simulator import fields, prices, tokens
from simulator.fields import BadRequest
from simulator.profile import Model

DIMENSIONS = 1536
_MOST_TEXTS = 2048
_again = counter()  # counts the vectors of a gateway whose vectors differ each time


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """One request; `texts` has one text or token list per vector."""

    model: str
    texts: Sequence[str | tuple[int, ...]]
    dimensions: int
    base64: bool

    @property
    def prompt_tokens(self) -> int:
        """The tokens of all inputs."""
        return sum(len(_ids(text)) for text in self.texts)


def parse(data: Mapping[str, Any]) -> EmbeddingRequest:
    """A request from its fields. Raises BadRequest."""
    model = fields.text(data, "model")
    if not model:
        raise BadRequest("you must provide a model parameter", "model")
    encoding = fields.one_of(data, "encoding_format", ("float", "base64"))
    dimensions = fields.whole_number(data, "dimensions", 1, DIMENSIONS) or DIMENSIONS
    return EmbeddingRequest(model, _texts(data.get("input")), dimensions, encoding == "base64")


def body(
    request: EmbeddingRequest, model: Model, states_cost: bool, wrong: Collection[str] = ()
) -> dict[str, Any]:
    """The reply: one vector per input, in order; `wrong` names the features that go wrong."""
    vectors = [_coded(request, model.name, text, wrong) for text in request.texts]
    if "embeddings.batch" in wrong:
        vectors.reverse()
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(vectors)
    ]
    count = request.prompt_tokens
    usage: dict[str, Any] = {"prompt_tokens": count, "total_tokens": count}
    if states_cost:
        usage["cost"] = cost(request, model)
    return {"object": "list", "data": data, "model": request.model, "usage": usage}


def cost(request: EmbeddingRequest, model: Model) -> float:
    """What the request costs."""
    return prices.cost(model.prices, request.prompt_tokens, 0)


def _coded(
    request: EmbeddingRequest, model: str, text: str | tuple[int, ...], wrong: Collection[str]
) -> Any:
    if "embeddings.same" in wrong:
        model = f"{model}\n{next(_again)}"
    vector = _vector(model, _ids(text), request.dimensions)
    if "embeddings.plain" in wrong:
        vector = array("f", [0.0] * len(vector))
    if "embeddings.dimensions" in wrong:
        vector = _vector(model, _ids(text), DIMENSIONS)[: request.dimensions]
    if not request.base64:
        return vector.tolist()
    # Little-endian 32-bit floats: the same numbers as in the list.
    form = "d" if "embeddings.base64" in wrong else "f"
    return base64.b64encode(struct.pack(f"<{len(vector)}{form}", *vector)).decode()


@lru_cache(maxsize=4096)
def _vector(model: str, ids: tuple[int, ...], dimensions: int) -> "array[float]":
    digest = blake2b(f"{model}\n{ids}".encode(), digest_size=8).digest()
    dice = Random(int.from_bytes(digest))
    numbers = [dice.gauss(0.0, 1.0) for _ in range(DIMENSIONS)][:dimensions]
    norm = sqrt(sum(number * number for number in numbers))
    return array("f", [number / norm for number in numbers])


def _ids(text: str | tuple[int, ...]) -> tuple[int, ...]:
    return tokens.encode(text) if isinstance(text, str) else text


def _texts(value: Any) -> Sequence[str | tuple[int, ...]]:
    """A text, texts, a list of tokens, or lists of tokens. Raises BadRequest."""
    if isinstance(value, str) or (isinstance(value, list) and value and _numbers(value)):
        value = [value]
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_TEXTS:
        raise BadRequest(f"'input' must hold from 1 to {_MOST_TEXTS} texts.", "input")
    inputs: list[str | tuple[int, ...]] = []
    for index, text in enumerate(value):
        if not text or not (isinstance(text, str) or _numbers(text)):
            raise BadRequest(f"Invalid value for 'input[{index}]'.", "input")
        inputs.append(text if isinstance(text, str) else tuple(text))
    return inputs


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int for number in value)
