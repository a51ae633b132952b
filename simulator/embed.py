"""One request for embeddings on its way through the gateway: checked, answered, charged.

Limits, faults and features are for chat; none of them is met here.
"""

import time

from simulator import embeddings, errors
from simulator.dialects import Stamp, encode
from simulator.errors import Error
from simulator.fields import BadRequest, load
from simulator.ledger import Row
from simulator.state import State
from simulator.wire import JSON, BodyTooLarge, Exchange


async def embed(state: State, exchange: Exchange, row: Row, stamp: Stamp, named: str) -> None:
    """Answer or refuse the request. Raises ClientGone."""
    row.endpoint = "embeddings"
    try:
        body = await exchange.body()
        row.body_read_unix_s = time.time()
        refusal = state.check_key(exchange)
        if refusal is not None:
            return await state.refuse(exchange, stamp, refusal)
        request = embeddings.parse(load(body))
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
    reply = encode(embeddings.body(request, model, states_cost))
    await exchange.reply(200, [*headers, JSON], reply)
