"""One request for embeddings: checked, answered, charged.

Limits and faults apply only to chat.
"""

import time
from typing import Any

from simulator import embeddings, errors, features
from simulator.dialects import Stamp, encode
from simulator.errors import Error
from simulator.fields import BadRequest, load
from simulator.ledger import Row
from simulator.state import State
from simulator.wire import JSON, BodyTooLarge, Exchange


async def embed(state: State, exchange: Exchange, row: Row, stamp: Stamp, named: str) -> None:
    """Answers or refuses the request. Raises ClientGone."""
    row.endpoint = "embeddings"
    wrong: frozenset[str] = frozenset()
    try:
        body = await exchange.body()
        row.body_read_unix_s = time.time()
        refusal = state.check_key(exchange)
        if refusal is not None:
            return await state.refuse(exchange, stamp, refusal)
        data = load(body)
        if state.settings.features:
            used: dict[str, str] = {}
            row.features = used
            features.touch(state.settings.features, data, used, "embeddings")
            _again(state, data, used)
            wrong = frozenset(name for name, how in used.items() if how == "wrong")
        request = embeddings.parse(data)
    except BodyTooLarge:
        error = Error(413, "The body is too large.", "invalid_request_error")
        return await state.refuse(exchange, stamp, error)
    except BadRequest as bad:
        error = Error(bad.status, str(bad), bad.kind, bad.param, bad.code)
        return await state.refuse(exchange, stamp, error)
    row.model = named or request.model
    model = state.model(row.model)
    if model is None:
        return await state.refuse(exchange, stamp, errors.unknown_model(row.model))
    row.prompt_tokens = row.total_tokens = request.prompt_tokens
    row.completion_tokens = 0
    row.billed = embeddings.cost(request, model)
    states_cost = state.dialect.states_cost
    row.cost = row.billed if states_cost else None
    await exchange.until(model.latency.fixed_s or model.latency.ttft_s)
    headers = state.dialect.headers(stamp, row.cost, False)
    reply = encode(embeddings.body(request, model, states_cost, wrong))
    await exchange.reply(200, [*headers, JSON], reply)


def _again(state: State, data: dict[str, Any], used: dict[str, str]) -> None:
    """Applies `embeddings.same` to a text that was sent before. Raises BadRequest if broken."""
    text = data.get("input")
    if "embeddings.same" not in used or not isinstance(text, str):
        return
    if text not in state.embedded_texts:
        state.embedded_texts.add(text)
        del used["embeddings.same"]
    elif used["embeddings.same"] == "broken":
        raise features.broken()
