"""Embeddings: dimensions, encodings, the order of a batch, and whether a text has one vector."""

import base64
import math
import struct
from collections.abc import Sequence
from typing import Any

from compat.check import EMBEDDINGS, Ask, Check, Setting
from compat.evidence import Evidence, object_of
from compat.verdict import Finding, Settled, ignored, unsure, works, wrong
from recording.bilingual import Bilingual
from recording.json_values import mapping, numeric
from recording.untrusted_text import quoted

_NAMES = ("embeddings", "input", "not found", "path", "url", "model")
DIMENSIONS = 64
_LENGTH_SLACK = 0.002
_SAME_COSINE, _BASE64_COSINE, _OTHER_COSINE = 0.999, 0.9999, 0.995


def _ask(setting: Setting, texts: str | Sequence[str], **fields: Any) -> Ask:
    inputs = texts if isinstance(texts, str) else [*texts]
    body = {"model": setting.model, "input": inputs, "encoding_format": "float", **fields}
    return Ask(body, path=EMBEDDINGS)


def vectors(evidence: Evidence, names: Sequence[str] = _NAMES) -> list[list[float]]:
    """The vectors in the order in which they are listed. Raises Settled if they are not vectors."""
    data = object_of(evidence, names).get("data")
    if not isinstance(data, list) or not data:
        raise Settled(wrong("data is not a list, or is empty"))
    return [_vector(mapping(entry).get("embedding")) for entry in data]


def _vector(value: object) -> list[float]:
    if isinstance(value, str):
        try:
            raw = base64.b64decode(value, validate=True)
            return list(struct.unpack(f"<{len(raw) // 4}f", raw))
        except (ValueError, struct.error):
            raise Settled(
                wrong(f"base64 that does not contain floats: {quoted(value, 40)}")
            ) from None
    numbers = [numeric(entry) for entry in value] if isinstance(value, list) else []
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        raise Settled(wrong(f"an embedding that is not a vector: {quoted(value, 40)}"))
    return known


def _unless_zero(vector: list[float]) -> list[float]:
    """The vector. Raises Settled if it is zero, which `embeddings.plain` reports."""
    if not math.hypot(*vector):
        raise Settled(unsure("the vector is zero"))
    return vector


def cosine(vector: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors; 0 if their lengths differ or one is zero."""
    if len(vector) != len(other):
        return 0.0
    norm = math.hypot(*vector) * math.hypot(*other)
    return sum(a * b for a, b in zip(vector, other, strict=True)) / norm if norm else 0.0


def _judge_plain(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    embedded = vectors(answers[0])
    if len(embedded) != 1:
        return wrong(f"{len(embedded)} vectors for one text")
    if not math.hypot(*embedded[0]):
        return wrong("the vector is zero")
    return works(f"{len(embedded[0])} dimensions")


def _dimension_asks(setting: Setting) -> list[Ask]:
    word = setting.word("dimensions")
    return [_ask(setting, word, dimensions=DIMENSIONS), _ask(setting, word)]


def _judge_dimensions(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    """Checks the size, and the norm if the whole vector's is 1 (not every model's is)."""
    short = vectors(answers[0], ("dimensions", "matryoshka"))[0]
    if len(short) != DIMENSIONS:
        return ignored(f"dimensions {DIMENSIONS}: {len(short)} came")
    try:
        full_length = math.hypot(*_unless_zero(vectors(answers[1])[0]))
    except Settled:
        return works()
    length = math.hypot(*short)
    if abs(full_length - 1) < _LENGTH_SLACK < abs(length - 1) / 10:
        return wrong(
            f"the whole vector's length is {full_length:.3f}, the short one's {length:.3f}"
        )
    return works()


def _base64_asks(setting: Setting) -> list[Ask]:
    word = setting.word("base64")
    return [_ask(setting, word), _ask(setting, word, encoding_format="base64")]


def _judge_base64(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    names = ("encoding_format", "base64")
    plain, packed = _unless_zero(vectors(answers[0])[0]), vectors(answers[1], names)[0]
    entry = mapping(object_of(answers[1], names)["data"][0])
    if not isinstance(entry.get("embedding"), str):
        return ignored("encoding_format base64 gave a list of numbers")
    alike = cosine(plain, packed)
    if alike >= _BASE64_COSINE:
        return works()
    fact = (
        f"base64 and floats of one text: cosine {alike:.4f}, {len(packed)} of {len(plain)} numbers"
    )
    return wrong(fact) if alike < _OTHER_COSINE else unsure(fact)


def _batch_texts(setting: Setting) -> list[str]:
    word = setting.word("batch")
    return [f"{word} a cart on a scale", f"{word} 你好，世界", f"{word} SELECT 1 FROM tax"]


def _batch_asks(setting: Setting) -> list[Ask]:
    texts = _batch_texts(setting)
    return [_ask(setting, texts), *(_ask(setting, text) for text in texts)]


def _judge_batch(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    """Each vector of the batch is nearest to that of its own text; OpenAI keeps the input's order,
    and `index` says the same."""
    batch = vectors(answers[0])
    alone = [_unless_zero(vectors(evidence)[0]) for evidence in answers[1:]]
    if len(batch) == 1:
        return ignored(f"one vector for {len(alone)} texts")
    if len(batch) != len(alone):
        return wrong(f"{len(batch)} vectors for {len(alone)} texts")
    data = object_of(answers[0], _NAMES)["data"]
    indices = [mapping(entry).get("index") for entry in data]
    if indices != [*range(len(alone))]:
        return wrong(f"indices {quoted(indices, 40)}")
    nearest = [max(range(len(alone)), key=lambda i: cosine(vector, alone[i])) for vector in batch]
    if nearest != [*range(len(alone))]:
        return wrong(f"the batch's vectors belong to the texts {nearest}")
    worst = min(cosine(vector, other) for vector, other in zip(batch, alone, strict=True))
    return works() if worst >= _SAME_COSINE else unsure(f"a text's cosine with itself: {worst:.4f}")


def _same_asks(setting: Setting) -> list[Ask]:
    return [_ask(setting, setting.word("same")) for _ in range(2)] + [
        _ask(setting, setting.word("other"))
    ]


def _judge_same(setting: Setting, answers: Sequence[Evidence]) -> Finding:
    first, again, other = (_unless_zero(vectors(evidence)[0]) for evidence in answers)
    if first == other:
        return wrong("two texts have the same vector")
    alike = cosine(first, again)
    if alike >= _SAME_COSINE:
        return works(f"cosine {alike:.6f}")
    return wrong(f"one text twice: cosine {alike:.4f}")


def against_reference(vector: Sequence[float], reference: Sequence[float]) -> Finding:
    """Compares a vector with that of the same text from the model's own provider."""
    alike = cosine(vector, reference)
    if alike >= _SAME_COSINE:
        return works(f"cosine {alike:.6f}")
    return wrong(
        f"cosine {alike:.4f} with the reference, {len(vector)} of {len(reference)} numbers"
    )


def _check(name: str, title: Bilingual, feature: str, asks: Any, judge: Any, **more: Any) -> Check:
    needs = () if name == "embeddings.plain" else ("embeddings.plain",)
    return Check(name, "embeddings", title, feature, asks, judge, _NAMES, needs=needs,
                 surface="embeddings", **more)  # fmt: skip


CHECKS = (
    _check("embeddings.plain", Bilingual("a vector", "向量"), "client.embeddings.create",
           lambda s: [_ask(s, s.word("plain"))], _judge_plain),
    _check("embeddings.dimensions", Bilingual("dimensions", "维度"), "dimensions",
           _dimension_asks, _judge_dimensions, guarantee=True,
           if_ignored=Bilingual("vectors do not fit your index", "向量与索引的维度不符")),
    _check("embeddings.base64", Bilingual("base64 equals floats", "base64 与浮点一致"),
           "encoding_format", _base64_asks, _judge_base64,
           if_wrong=Bilingual("the SDK's vectors are wrong: it asks for base64 by default",
                              "SDK 默认使用 base64：得到的向量是错的")),
    _check("embeddings.batch", Bilingual("order of a batch", "批量顺序"), "a list as input",
           _batch_asks, _judge_batch,
           if_wrong=Bilingual("vectors are stored with the wrong texts", "向量会与错误的文本对应")),
    _check("embeddings.same", Bilingual("one text, one vector", "同文同向量"), "an embedding",
           _same_asks, _judge_same,
           if_wrong=Bilingual("searches do not find what was stored", "检索找不到已存入的内容")),
)  # fmt: skip
